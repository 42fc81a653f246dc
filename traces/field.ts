/**
 * The kinds of values that fields of a trace hold, as schemas of their text form.
 *
 * An address or an offset is a hex string in the file (64 bits do not survive JSON numbers) and a plain number in memory: user
 * addresses end below 2^47, so a double is exact. The keyword `x-faultline` marks such fields; the codec converts what it marks.
 * A `description` completes the sentence "must be …" of an error message.
 */
import { Type } from 'typebox';

/** User space ends here, exclusive. */
export const ADDRESS_END = 2 ** 47;
/** No op moves or maps more bytes than user space has. */
export const LENGTH_MAX = 2 ** 47;
/** What a length beyond user space may be: a call must refuse it, but may be asked. It stands for 2^64 - 1, which no double holds. */
export const LENGTH_WRAPS = 2 ** 64;
/** Bytes of one kernel copy or one file operation: bounds the work of a single line. */
export const COPY_BYTES_MAX = 2 ** 30;
/** Pages of one touch: 4 GiB, bounds the work of a single line. */
export const TOUCH_PAGES_MAX = 2 ** 20;
/** Linux's largest process number. */
export const PID_MAX = 2 ** 22;

/** The mark of a field that is text in the file and a number in memory: an address, or a length that does not fit a number of the file. */
export const MARK = 'x-faultline';
export type Mark = 'address' | 'addressEnd' | 'length';

const HEX = '^0x[0-9a-f]{1,16}$';
const NAME = '^(E|SIG)[A-Z0-9]{1,14}$';
const ADDRESS = 'an address below 0x800000000000 as a lowercase hex string, such as "0x51c000"';

const marked = (mark: Mark, description: string) => Type.Unsafe<number>({ type: 'string', pattern: HEX, [MARK]: mark, description });

/** A virtual address: below 2^47. */
export const Address = marked('address', ADDRESS);
/** The exclusive end of a range of addresses: up to 2^47. */
export const AddressEnd = marked('addressEnd', 'an end address up to 0x800000000000 as a lowercase hex string');
/** A position in a file, or a size written beside one, in bytes. */
export const Offset = marked('address', 'a file offset or size as a lowercase hex string, such as "0x1000"');

/** A whole number from `minimum` to `maximum`, inclusive. */
export const count = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` });

export const Pid = count(1, PID_MAX);
/**
 * Bytes of a range. What is longer than user space is text: a multiple of 0x1000, or 0xffffffffffffffff, which stands for every length that
 * wraps to 0 when it is rounded up to pages. Those are the ones that a kernel can tell apart, and a double holds them (the last as 2^64).
 */
export const Length = Type.Unsafe<number>({
  anyOf: [
    { type: 'integer', minimum: 0, maximum: LENGTH_MAX },
    { type: 'string', pattern: '^0x([0-9a-f]{13}000|f{16})$' },
  ],
  [MARK]: 'length',
  description: `a whole number from 0 to ${LENGTH_MAX}, or a longer one of 64 bits in hex, a multiple of 0x1000 or 0xffffffffffffffff`,
});
export const CopyLength = count(0, COPY_BYTES_MAX);

/** Name of an errno or a signal. */
export const ResultName = Type.String({ pattern: NAME, description: 'the name of an errno or a signal, such as "ENOMEM"' });
/** What a call returned that gives a number. */
export const CountResult = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), ResultName], {
  description: 'a whole number, or the name of an errno or a signal, such as "ENOMEM"',
});
/** What a call returned that gives an address. */
export const AddressResult = Type.Union([Address, ResultName], {
  description: 'an address such as "0xa00000000", or the name of an errno or a signal, such as "ENOMEM"',
});

/** A path or another name that has a place in an error message. */
export const Path = Type.String({ minLength: 1, maxLength: 4096, description: 'a path of 1 to 4096 characters' });
export const Text = Type.String({ description: 'a string' });
/** Bytes in order, two hex digits each. */
export const HexBytes = Type.String({
  pattern: '^([0-9a-f]{2})+$',
  description: 'bytes as pairs of lowercase hex digits, such as "7f454c46"',
});

/** One of a fixed list of words. */
export const word = <const Word extends string>(...words: Word[]) => Type.Enum(words, { description: `one of ${words.join(', ')}` });
