/**
 * The bytes of a trace's files.
 *
 * A file is a function of its spec. Content from a seed has no zero byte, so that zero fill is always told from file bytes, and each
 * byte depends on the seed, the page and the offset in it, so that no page can be taken for another. A seeded file with segments
 * begins with the ELF headers that describe exactly them. Patches are laid over last.
 */
import { TraceError } from './format-error.ts';
import { elfHeaderBytes, type FileSpec, type SegmentSpec } from './header.ts';

/** Files that a trace names by their digest alone, as the caller has found them. */
export type SuppliedFiles = ReadonlyMap<string, Uint8Array>;

/**
 * The bytes of a file, `spec.size` of them; a new array each time.
 *
 * @param supplied - contents by lowercase sha256; the caller has checked that they have that digest
 * @throws TraceError if the content is a digest and no supplied file has it, or that file has another size
 */
export function fileBytes(spec: FileSpec, supplied?: SuppliedFiles): Uint8Array {
  const bytes = contentBytes(spec, supplied);
  for (const { offset, hex } of spec.patches ?? []) {
    for (let i = 0; i < hex.length / 2; i++) bytes[offset + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

function contentBytes(spec: FileSpec, supplied: SuppliedFiles | undefined): Uint8Array {
  const { content, size } = spec;
  if ('base64' in content) return Uint8Array.from(atob(content.base64), (char) => char.charCodeAt(0));
  if ('sha256' in content) return suppliedBytes(spec, content.sha256, supplied);
  const bytes = seededBytes(content.seed, size);
  if (spec.segments !== undefined) writeElfHeaders(bytes, spec, spec.segments);
  return bytes;
}

function suppliedBytes(spec: FileSpec, sha256: string, supplied: SuppliedFiles | undefined): Uint8Array {
  const found = supplied?.get(sha256);
  const where = { file: spec.path, line: 0 };
  if (found === undefined)
    throw new TraceError(
      where,
      'content.sha256',
      `the trace holds only the digest of this file (supply the file with sha256 ${sha256}: --file SHA256=PATH)`,
    );
  if (found.length !== spec.size)
    throw new TraceError(where, 'content.sha256', `the supplied file has ${found.length} bytes, the trace says ${spec.size}`);
  return found.slice();
}

// Seeded content.

const PAGE_BYTES = 4096;
const GOLDEN = 0x9e3779b9;

/** `size` bytes from 1 to 255. A counter-based hash: each byte can be said without those before it. */
function seededBytes(seed: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const seedKey = hashText(seed);
  for (let start = 0; start < size; start += PAGE_BYTES) {
    const pageKey = mix(seedKey + Math.imul(start / PAGE_BYTES + 1, GOLDEN));
    fillPage(bytes, start, Math.min(start + PAGE_BYTES, size), pageKey);
  }
  return bytes;
}

function fillPage(bytes: Uint8Array, start: number, end: number, pageKey: number): void {
  for (let at = start, word = 1; at < end; at += 4, word++) {
    const bits = mix(pageKey + Math.imul(word, GOLDEN));
    // A zero byte becomes 0x5a. Writes past the end of the array are dropped.
    bytes[at] = bits & 255 || 0x5a;
    bytes[at + 1] = (bits >>> 8) & 255 || 0x5a;
    bytes[at + 2] = (bits >>> 16) & 255 || 0x5a;
    bytes[at + 3] = bits >>> 24 || 0x5a;
  }
}

/** MurmurHash3's finaliser: every input bit reaches every output bit. */
function mix(key: number): number {
  let h = key | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over the UTF-16 units, finished. */
function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

// ELF headers.

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
const PT_INTERP = 3;
const MACHINE_RISCV = 243;
/** Compressed instructions, doubles in registers. */
const RISCV_FLAGS = 5;
const ALIGN = 0x1000;

interface ProgramHeader extends Omit<SegmentSpec, 'flags'> {
  readonly type: number;
  readonly flags: string;
}

/**
 * Writes the ELF64 header, the program headers and the interpreter's name over the start of `bytes`.
 *
 * @see System V ABI, "ELF Header" and "Program Header"; RISC-V ELF psABI
 */
function writeElfHeaders(bytes: Uint8Array, spec: FileSpec, segments: readonly SegmentSpec[]): void {
  const headers: ProgramHeader[] = segments.map((segment) => ({ type: PT_LOAD, ...segment }));
  if (spec.interp !== undefined) {
    const name = new TextEncoder().encode(`${spec.interp}\0`);
    const offset = elfHeaderBytes(spec) - name.length;
    bytes.set(name, offset);
    headers.unshift({ type: PT_INTERP, vaddr: addressOf(offset, segments), offset, filesz: name.length, memsz: name.length, flags: 'r' });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.fill(0, 0, ELF_HEADER_BYTES);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bits, little-endian, version 1
  view.setUint16(16, spec.type === 'dyn' ? 3 : 2, true);
  view.setUint16(18, MACHINE_RISCV, true);
  view.setUint32(20, 1, true);
  setWord(view, 24, spec.entry ?? segments.find(({ flags }) => flags.includes('x'))?.vaddr ?? 0);
  setWord(view, 32, ELF_HEADER_BYTES);
  view.setUint32(48, RISCV_FLAGS, true);
  view.setUint16(52, ELF_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, headers.length, true);
  headers.forEach((header, index) => writeProgramHeader(view, ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES * index, header));
}

function writeProgramHeader(view: DataView, at: number, { type, flags, offset, vaddr, filesz, memsz }: ProgramHeader): void {
  view.setUint32(at, type, true);
  view.setUint32(at + 4, (flags.includes('r') ? 4 : 0) + (flags.includes('w') ? 2 : 0) + (flags.includes('x') ? 1 : 0), true);
  [offset, vaddr, vaddr, filesz, memsz, type === PT_LOAD ? ALIGN : 1].forEach((value, index) => setWord(view, at + 8 + 8 * index, value));
}

/** Where a file offset is mapped, or 0 if no segment holds it. */
function addressOf(offset: number, segments: readonly SegmentSpec[]): number {
  const found = segments.find((segment) => segment.offset <= offset && offset < segment.offset + segment.filesz);
  return found === undefined ? 0 : found.vaddr + (offset - found.offset);
}

/** A 64-bit word below 2^53. */
function setWord(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
