/**
 * Reads an executable's headers: 64-bit little-endian ELF, EXEC or DYN, of any machine.
 *
 * The bytes are a stranger's: whatever they hold, the answer is an image or the field that is wrong, never an exception.
 * As in Kevlar the program headers must fit in the file's first page. Sections, symbols and notes are not read.
 *
 *     header   0 magic  4 class  5 data  6 version  16 type  18 machine  20 version  24 entry  32 phoff  54 phentsize  56 phnum
 *     program  0 type   4 flags  8 offset  16 vaddr  32 filesz  40 memsz
 *
 * @see System V ABI, chapter 4 "Object Files" and chapter 5 "Program Header"
 */

import { hex, PAGE_BYTES, pageOffset } from './units.ts';

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

export const MACHINE_X86_64 = 62;
export const MACHINE_RISCV = 243;

/** A PT_LOAD: `fileBytes` from `offset` of the file at `vaddr`, then zeros up to `memoryBytes`. */
export interface Segment {
  readonly vaddr: number;
  readonly offset: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  /** Any of PF_X, PF_W, PF_R. */
  readonly flags: number;
}

export interface Image {
  readonly type: 'exec' | 'dyn';
  readonly machine: number;
  readonly entry: number;
  readonly phoff: number;
  readonly phnum: number;
  readonly phentsize: number;
  /** In the order of the program headers, which a hostile file need not have sorted. */
  readonly segments: readonly Segment[];
  /** Where the file names its interpreter, with the closing NUL; the first PT_INTERP. */
  readonly interp: { readonly offset: number; readonly lengthBytes: number } | undefined;
}

export interface ElfProblem {
  /** The field as elf.h calls it, with the number of its program header where it has one: `e_type`, `phdr[2].p_filesz`. */
  readonly field: string;
  readonly message: string;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const TYPES = new Map<number, Image['type']>([
  [2, 'exec'],
  [3, 'dyn'],
]);
const PT_LOAD = 1;
const PT_INTERP = 3;

export const isElf = (bytes: Uint8Array): boolean => bytes.length >= MAGIC.length && MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * Reads the header and the program headers; whether the segments make sense is for `checkImage`.
 *
 * @param bytes - the file from its start: the first page, or less if the file is shorter; what lies past a page is not looked at
 * @param fileBytes - the length of the whole file
 * @returns the image, or the first problem in the order of the fields
 */
export function parseElf(bytes: Uint8Array, fileBytes: number): Image | ElfProblem {
  const endBytes = Math.min(bytes.length, fileBytes, PAGE_BYTES);
  if (endBytes < HEADER_BYTES) return problem('e_ident', `the file ends before the header does: ${endBytes} of ${HEADER_BYTES} bytes`);
  if (!isElf(bytes)) return problem('e_ident', 'no ELF magic');
  if (bytes[4] !== CLASS_64) return problem('e_ident', `class ${bytes[4]!}: only 64-bit files (2)`);
  if (bytes[5] !== DATA_LITTLE_ENDIAN) return problem('e_ident', `data encoding ${bytes[5]!}: only little-endian files (1)`);

  const view = new DataView(bytes.buffer, bytes.byteOffset, endBytes);
  const type = TYPES.get(u16(view, 16));
  if (type === undefined) return problem('e_type', `${u16(view, 16)}: only EXEC (2) and DYN (3)`);
  const entry = u64(view, 24);
  if (entry === undefined) return problem('e_entry', TOO_LARGE);
  const table = parseTable(view);
  if ('message' in table) return table;
  const contents = parseProgramHeaders(view, table);
  if ('message' in contents) return contents;
  return { type, machine: u16(view, 18), entry, ...table, ...contents };
}

type Table = Pick<Image, 'phoff' | 'phnum' | 'phentsize'>;

/** Where the program headers lie; they lie in `view`. */
function parseTable(view: DataView): Table | ElfProblem {
  const phoff = u64(view, 32);
  const phentsize = u16(view, 54);
  const phnum = u16(view, 56);
  if (phoff === undefined) return problem('e_phoff', TOO_LARGE);
  if (phentsize !== PROGRAM_HEADER_BYTES) return problem('e_phentsize', `${phentsize}: a program header has ${PROGRAM_HEADER_BYTES} bytes`);
  if (phnum === 0) return problem('e_phnum', 'no program headers');
  if (phoff + phnum * phentsize > view.byteLength) {
    return problem(
      'e_phoff',
      `the program headers end at ${phoff + phnum * phentsize}, past the first page or the file (${view.byteLength})`,
    );
  }
  return { phoff, phnum, phentsize };
}

function parseProgramHeaders(view: DataView, table: Table): Pick<Image, 'segments' | 'interp'> | ElfProblem {
  const segments: Segment[] = [];
  let interp: Image['interp'];
  for (let i = 0; i < table.phnum; i++) {
    const start = table.phoff + i * table.phentsize;
    const type = view.getUint32(start, true);
    if (type !== PT_LOAD && type !== PT_INTERP) continue;
    const segment = parseSegment(view, start, `phdr[${i}]`);
    if ('message' in segment) return segment;
    if (type === PT_LOAD) segments.push(segment);
    else interp ??= { offset: segment.offset, lengthBytes: segment.fileBytes };
  }
  return segments.length > 0 ? { segments, interp } : problem('e_phnum', 'no PT_LOAD among the program headers');
}

function parseSegment(view: DataView, start: number, name: string): Segment | ElfProblem {
  const offset = u64(view, start + 8);
  const vaddr = u64(view, start + 16);
  const fileBytes = u64(view, start + 32);
  const memoryBytes = u64(view, start + 40);
  if (offset === undefined) return problem(`${name}.p_offset`, TOO_LARGE);
  if (vaddr === undefined) return problem(`${name}.p_vaddr`, TOO_LARGE);
  if (fileBytes === undefined) return problem(`${name}.p_filesz`, TOO_LARGE);
  if (memoryBytes === undefined) return problem(`${name}.p_memsz`, TOO_LARGE);
  return { vaddr, offset, fileBytes, memoryBytes, flags: view.getUint32(start + 4, true) & (PF_X | PF_W | PF_R) };
}

/**
 * Finds what is wrong with an image that was parsed: what no kernel may load, wherever the image is placed.
 *
 * Two segments may share a page, never a byte. Nothing is said about the address 0: a design decides on it.
 *
 * @param userEnd - first address that a program cannot have
 * @returns the first problem, in the order of the segments, `segments[i]` counting only PT_LOADs; undefined if there is none
 */
export function checkImage(image: Image, fileBytes: number, userEnd: number): ElfProblem | undefined {
  for (const [i, segment] of image.segments.entries()) {
    const found = checkSegment(segment, `segments[${i}]`, fileBytes, userEnd);
    if (found !== undefined) return found;
  }
  if (image.interp !== undefined && image.interp.offset + image.interp.lengthBytes > fileBytes) {
    return problem(
      'interp',
      `the name of the interpreter ends at ${image.interp.offset + image.interp.lengthBytes}, past the file (${fileBytes})`,
    );
  }
  return checkOverlap(image.segments);
}

function checkSegment(segment: Segment, name: string, fileBytes: number, userEnd: number): ElfProblem | undefined {
  const { vaddr, offset } = segment;
  if (segment.fileBytes > segment.memoryBytes) {
    return problem(`${name}.p_filesz`, `${segment.fileBytes} bytes of the file in ${segment.memoryBytes} bytes of memory`);
  }
  if (vaddr + segment.memoryBytes > userEnd) {
    return problem(`${name}.p_memsz`, `ends at ${hex(vaddr + segment.memoryBytes)}, past the user's addresses (${hex(userEnd)})`);
  }
  if (segment.fileBytes > 0 && offset + segment.fileBytes > fileBytes) {
    return problem(`${name}.p_offset`, `the file part ends at ${offset + segment.fileBytes}, past the file (${fileBytes})`);
  }
  if (pageOffset(vaddr) !== pageOffset(offset)) {
    return problem(`${name}.p_vaddr`, `${hex(vaddr)} and offset ${hex(offset)} differ modulo the page`);
  }
  return undefined;
}

function checkOverlap(segments: readonly Segment[]): ElfProblem | undefined {
  const order = [...segments.entries()].filter(([, { memoryBytes }]) => memoryBytes > 0).sort(([, a], [, b]) => a.vaddr - b.vaddr);
  for (const [place, [i, segment]] of order.entries()) {
    const next = order[place + 1];
    if (next !== undefined && segment.vaddr + segment.memoryBytes > next[1].vaddr) {
      return problem(
        `segments[${next[0]}].p_vaddr`,
        `${hex(next[1].vaddr)} lies in segments[${i}], which ends at ${hex(segment.vaddr + segment.memoryBytes)}`,
      );
    }
  }
  return undefined;
}

const TOO_LARGE = 'above 2^53';
const problem = (field: string, message: string): ElfProblem => ({ field, message });
const u16 = (view: DataView, start: number): number => view.getUint16(start, true);

/** Undefined for what a number cannot hold exactly: no such address or length exists. */
function u64(view: DataView, start: number): number | undefined {
  const value = view.getUint32(start + 4, true) * 2 ** 32 + view.getUint32(start, true);
  return Number.isSafeInteger(value) ? value : undefined;
}
