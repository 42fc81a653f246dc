/**
 * What a guest's executable says of itself: is it a static riscv64 BusyBox, where do its segments lie, which applets has it?
 *
 * Nothing is run.
 */
import { checkImage, floorToPage, hex, parseElf, USER_END, type Image, type Segment } from '../kernel-model/index.ts';
import { appletsOf } from '../sim/cli/guest.ts';
import { GuestError } from './guest-error.ts';

/** EM_RISCV. */
const MACHINE_RISCV = 243;
const FLAGS = ['', 'x', 'w', 'wx', 'r', 'rx', 'rw', 'rwx'];
const EXECUTABLE = 1;
const WRITABLE = 2;

/** A static riscv64 BusyBox. */
export interface GuestImage {
  readonly image: Image;
  /** As BusyBox prints it: `1.38.0`, with what stands behind in brackets. */
  readonly version: string;
  /** Sorted as BusyBox sorts them. */
  readonly applets: readonly string[];
}

/** @throws GuestError that says what the file of this name is instead */
export function readGuestImage(bytes: Uint8Array, name: string): GuestImage {
  const image = imageOf(bytes);
  if (typeof image === 'string') throw new GuestError(`${name} ${image}`);
  const version = versionOf(bytes);
  const applets = appletsOf(bytes);
  if (version === undefined || applets.length === 0) throw new GuestError(`${name} is a riscv64 program, but no BusyBox with a shell`);
  return { image, version, applets };
}

/** The image of a static riscv64 program, or what the file is instead. */
function imageOf(bytes: Uint8Array): Image | string {
  const image = parseElf(bytes, bytes.length);
  if ('field' in image) return `is no 64-bit little-endian ELF file: ${image.field}: ${image.message}`;
  if (image.machine !== MACHINE_RISCV) return `is for ELF machine ${image.machine}, not for RISC-V (${MACHINE_RISCV})`;
  if (image.interp !== undefined) return 'is linked dynamically: a static BusyBox is needed';
  const problem = checkImage(image, bytes.length, USER_END);
  return problem === undefined ? image : `is an ELF file that cannot run: ${problem.field}: ${problem.message}`;
}

/** Bytes as characters of the same code, so that they can be searched as text. */
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

const versionOf = (bytes: Uint8Array): string | undefined => /BusyBox v(\d[\w.]*(?: \([^\0)]{1,80}\))?)/.exec(latin1(bytes))?.[1];

// Segments.

export const segmentText = ({ vaddr, offset, fileBytes, memoryBytes, flags }: Segment): string =>
  `${FLAGS[flags & 7]!.padEnd(3)} ${hex(vaddr)}-${hex(vaddr + memoryBytes)} from ${hex(offset)}-${hex(offset + fileBytes)} of the file`;

/**
 * The hazard of the M9.8.1 story: one page of the file holds the end of a segment that is only read and the beginning of the
 * writable one, and each of them wants only its own part of that page.
 *
 * @returns the offset of the page in the file, or why there is none
 */
export function sharedFilePage({ segments }: Image): number | string {
  const data = segments.find(({ flags }) => (flags & WRITABLE) !== 0);
  const before =
    data === undefined ? undefined : segments.filter(({ flags, offset }) => (flags & WRITABLE) === 0 && offset < data.offset).at(-1);
  if (data === undefined || before === undefined) return 'it has no writable segment behind one that is only read';
  if (!segments.some(({ flags }) => (flags & EXECUTABLE) !== 0)) return 'it has no executable segment';
  const end = before.offset + before.fileBytes;
  const page = floorToPage(data.offset);
  if (data.offset === page) return `its data begin with a page, at ${hex(data.offset)} of the file`;
  if (end === floorToPage(end)) return `what lies before its data ends with a page, at ${hex(end)} of the file`;
  if (floorToPage(end - 1) !== page)
    return `its data begin at ${hex(data.offset)} of the file, in another page than what ends at ${hex(end)}`;
  return page;
}
