/**
 * What an exec makes: VMAs, heap, entry and the first bytes of the stack, as a pure function of image and arguments.
 *
 * This is the layout of Kevlar (memory-model: ELF load and the initial address space). VMAs come in list order: stack,
 * heap, segments in header order, then holes between segments, then for each segment its head pad and its tail pad.
 * A pad that overlaps another segment is left out, so a page can have bytes that no VMA contains.
 *
 *     stack, from the top:  ELF header page | strings, 16 random bytes | auxv | envp | argv | argc  <- stack pointer
 */
import type { ExecPlan, ExecRequest, LoadedImage } from '../exec-request.ts';
import { AT } from '../auxv.ts';
import type { Design } from '../design.ts';
import type { Segment } from '../elf.ts';
import type { Errno } from '../errors.ts';
import type { File } from '../file.ts';
import { PROT_EXEC, PROT_READ, PROT_RWX, PROT_WRITE } from '../pte.ts';
import { ceilToPage, floorToPage, pageOffset, vaddr, PAGE_BYTES } from '../units.ts';
import { VmaSet, type Vma } from '../vma.ts';

/** Plans the address space of `request`. @returns E2BIG if it does not fit, ENOEXEC if a segment cannot be placed */
export function planKevlarExec(design: Design, request: ExecRequest): ExecPlan | Errno {
  const { image } = request.program;
  const isFixed = image.type === 'exec';
  const [low, high] = extentOf(image.segments);
  const base = isFixed ? 0 : design.placementStart - floorToPage(low);
  let placementNext: number = isFixed ? design.placementStart : ceilToPage(base + high);
  let top = ceilToPage(base + high);

  let interpreterBase = 0;
  if (request.interpreter !== undefined) {
    const [interpreterLow, interpreterHigh] = extentOf(request.interpreter.image.segments);
    interpreterBase = placementNext - floorToPage(interpreterLow);
    placementNext = ceilToPage(interpreterBase + interpreterHigh);
    if (!isFixed) top = ceilToPage(placementNext);
  }
  const heapStart = top;
  const stackStart = vaddr(design.stackTop - design.stackBytes);
  const heapLimit = isFixed ? stackStart : vaddr(heapStart + design.heapReserveBytes);
  if (heapStart >= heapLimit || (isFixed && high > stackStart)) return 'E2BIG';
  if (!isFixed) placementNext = heapLimit;

  const set = new VmaSet();
  set.add({ start: stackStart, end: design.stackTop, prot: PROT_READ | PROT_WRITE, role: 'stack', shared: false, backing: undefined });
  set.add({ start: heapStart, end: heapStart, prot: PROT_READ | PROT_WRITE, role: 'heap', shared: false, backing: undefined });
  if (!addSegments(set, design, request.program, base)) return 'ENOEXEC';
  if (request.interpreter !== undefined && !addSegments(set, design, request.interpreter, interpreterBase)) return 'ENOEXEC';

  const stack = layOutStack(design, request, base, interpreterBase);
  if (stack === undefined) return 'E2BIG';
  const started = request.interpreter ?? request.program;
  const entry = vaddr((request.interpreter === undefined ? base : interpreterBase) + started.image.entry);
  return { vmas: set.list, heapStart, heapLimit, placementNext: vaddr(placementNext), entry, zeroed: [], ...stack };
}

function extentOf(segments: readonly Segment[]): readonly [low: number, high: number] {
  return [Math.min(...segments.map((s) => s.vaddr)), Math.max(...segments.map((s) => s.vaddr + s.memoryBytes))];
}

/** Adds the VMAs of one image: segments, holes, pads. @returns false when a segment's range is taken */
function addSegments(set: VmaSet, design: Design, { file, image }: LoadedImage, base: number): boolean {
  const segments = image.segments.filter((segment) => segment.memoryBytes > 0).map((segment) => segmentVma(design, file, segment, base));
  for (const vma of segments) {
    if (vma.start < PAGE_BYTES || vma.end > design.userEnd || !set.isFree(vma.start, vma.end)) return false;
    set.add(vma);
  }
  const addPad = (start: number, end: number): void => {
    if (start >= end || !set.isFree(start, end)) return;
    set.add({ start: vaddr(start), end: vaddr(end), prot: PROT_RWX, role: 'pad', shared: false, backing: undefined });
  };
  let covered = Infinity;
  for (const vma of [...segments].sort((a, b) => a.start - b.start)) {
    addPad(covered, floorToPage(vma.start));
    covered = covered === Infinity ? ceilToPage(vma.end) : Math.max(covered, ceilToPage(vma.end));
  }
  for (const vma of segments) {
    addPad(floorToPage(vma.start), vma.start);
    addPad(vma.end, ceilToPage(vma.end));
  }
  return true;
}

function segmentVma(design: Design, file: File, segment: Segment, base: number): Vma {
  const start = base + segment.vaddr;
  const lead = design.segmentBounds === 'page' ? pageOffset(start) : 0;
  const end = start + segment.memoryBytes;
  return {
    start: vaddr(start - lead),
    end: design.segmentBounds === 'page' ? ceilToPage(end) : vaddr(end),
    prot: (segment.flags & 4 ? PROT_READ : 0) | (segment.flags & 2 ? PROT_WRITE : 0) | (segment.flags & 1 ? PROT_EXEC : 0),
    role: 'segment',
    shared: false,
    backing: segment.fileBytes === 0 ? undefined : { file, offset: segment.offset - lead, fileBytes: segment.fileBytes + lead },
  };
}

function layOutStack(
  design: Design,
  request: ExecRequest,
  base: number,
  interpreterBase: number,
): Pick<ExecPlan, 'stackPointer' | 'stackPages'> | undefined {
  const { image } = request.program;
  const headerPage = design.stackTop - PAGE_BYTES;
  const strings = [...request.argv, ...request.env].map((text) => new TextEncoder().encode(text + '\0'));
  const stringBytes = strings.reduce((sum, text) => sum + text.length, 0);
  const randomAt = headerPage - stringBytes - 16;

  const auxv: [number, number][] = [
    [AT.PHDR, image.type === 'dyn' ? base + image.phoff : headerPage + image.phoff],
    [AT.PHNUM, image.phnum],
    [AT.PHENT, image.phentsize],
    [AT.PAGESZ, PAGE_BYTES],
    [AT.HWCAP, 0],
    [AT.CLKTCK, 100],
    ...[AT.UID, AT.EUID, AT.GID, AT.EGID, AT.SECURE].map((key): [number, number] => [key, 0]),
    [AT.RANDOM, randomAt],
    [AT.SYSINFO_EHDR, design.vdso],
  ];
  if (request.interpreter !== undefined) auxv.push([AT.ENTRY, base + image.entry], [AT.BASE, interpreterBase]);
  auxv.push([0, 0]);

  let at = headerPage - stringBytes;
  const pointers = strings.map((text) => (at += text.length) - text.length);
  const words = [
    request.argv.length,
    ...pointers.slice(0, request.argv.length),
    0,
    ...pointers.slice(request.argv.length),
    0,
    ...auxv.flat(),
  ];
  const stackPointer = Math.floor((randomAt - words.length * 8) / 16) * 16;
  const start = floorToPage(stackPointer);
  if (start < design.stackTop - design.stackBytes) return undefined;

  const bytes = new Uint8Array(design.stackTop - start);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(stackPointer - start + i * 8, word >>> 0, true);
    view.setUint32(stackPointer - start + i * 8 + 4, Math.floor(word / 2 ** 32), true);
  });
  bytes.set(request.random, randomAt - start);
  strings.forEach((text, i) => {
    bytes.set(text, pointers[i]! - start);
  });
  bytes.set(request.program.file.read(0, PAGE_BYTES), headerPage - start);
  const stackPages = Array.from({ length: bytes.length / PAGE_BYTES }, (_, i) => ({
    address: vaddr(start + i * PAGE_BYTES),
    bytes: bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES),
  }));
  return { stackPointer: vaddr(stackPointer), stackPages };
}
