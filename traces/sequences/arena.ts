/**
 * Arenas: the one piece of address space that a sequence may use, and addresses in terms of them.
 *
 * Everything outside the open arena is taken (see to-trace.ts), so a mapping that asks for no address lands in it or nowhere. An address is
 * written as a letter and a distance, `s+0x3000`, `b-0x1`; results are written so, too, and anything else is a plain number.
 */
import { show, TraceError, type Where } from '../format-error.ts';

/** `s` small, `h` huge, `b` brk: where the heap starts. */
export type ArenaLetter = 's' | 'h' | 'b';
export type Mode = 'small' | 'huge' | 'brk';

export interface Arena {
  readonly letter: ArenaLetter;
  readonly start: number;
  readonly pages: number;
}

export const ARENAS: Readonly<Record<Mode, Arena>> = {
  small: { letter: 's', start: 0x100_0000_0000, pages: 64 },
  huge: { letter: 'h', start: 0xfc_0000_0000, pages: 8 * 512 },
  brk: { letter: 'b', start: 0xf0_0000_0000, pages: 64 },
};

export const MODES = Object.keys(ARENAS) as Mode[];

/** An address as a sequence writes it: from the start of an arena, or a plain number where there is none. */
export interface Place {
  readonly arena: ArenaLetter | undefined;
  /** Bytes; negative below the start of the arena. */
  readonly offset: number;
}

export const NULL_PLACE: Place = { arena: undefined, offset: 0 };

const STARTS: Readonly<Record<ArenaLetter, number>> = { s: ARENAS.small.start, h: ARENAS.huge.start, b: ARENAS.brk.start };
/** No place is further from the start of its arena; what is further is no address of these sequences. */
const OFFSET_MAX = 2 ** 32;

export const addressOf = ({ arena, offset }: Place): number => (arena === undefined ? 0 : STARTS[arena]) + offset;

/** The place of an address: from the start of the arena that is open, if it is near. */
export function placeOf(address: number, arena: Arena): Place {
  const offset = address - arena.start;
  return Math.abs(offset) <= OFFSET_MAX ? { arena: arena.letter, offset } : { arena: undefined, offset: address };
}

export function formatPlace({ arena, offset }: Place): string {
  const distance = `0x${Math.abs(offset).toString(16)}`;
  if (arena !== undefined) return `${arena}${offset < 0 ? '-' : '+'}${distance}`;
  return offset === 0 ? '0' : distance;
}

/** @throws TraceError if the text is no place */
export function parsePlace(text: string, where: Where, field: string): Place {
  const [, letter, sign, digits, plain] = /^(?:([shb])([+-])0x([0-9a-f]{1,9})|0x([0-9a-f]{1,12})|0)$/.exec(text) ?? [];
  if (digits !== undefined) {
    const distance = parseInt(digits, 16);
    if (distance <= OFFSET_MAX) return { arena: letter as ArenaLetter, offset: sign === '-' && distance > 0 ? -distance : distance };
  } else if (plain !== undefined) {
    const offset = parseInt(plain, 16);
    if (offset < 2 ** 47) return { arena: undefined, offset };
  } else if (text === '0') return NULL_PLACE;
  throw new TraceError(where, field, `is ${show(text)}, but must be 0 or an address such as s+0x3000, h+0x200000, b-0x1 or 0xf000000000`);
}
