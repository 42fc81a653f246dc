/**
 * What an exec makes on Linux, as a pure function of image and arguments, ASLR off (fs/binfmt_elf.c of Linux 6.18, x86-64).
 *
 * Segments are mapped in whole pages, the file offset moved back to the page; what the last file page has behind the segment's bytes
 * is zeroed, which takes a private copy, and the rest of the memory is anonymous, readable and writable whatever the segment says.
 * Where segments share a page the later one has it.
 *
 *     top-down:  initial stack 7ffffffde000-7ffffffff000, grows down
 *                7ffff7fff000  mmap_base: interpreter, or a position-independent program without one
 *                              [vdso] 2 pages, [vvar_vclock] 2, [vvar] 4, below it
 *                555555554000  a position-independent program that has an interpreter; the heap behind it
 *
 * Left out: alignment of a position-independent image beyond a page, PT_GNU_STACK and PT_GNU_PROPERTY.
 */
import type { Design } from '../design.ts';
import { PF_R, PF_W, PF_X, type Segment } from '../elf.ts';
import type { Errno } from '../errors.ts';
import type { ExecPlan, ExecRequest, LoadedImage } from '../exec-request.ts';
import type { File } from '../file.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../pte.ts';
import { ceilToPage, floorToPage, isPageAligned, pageOffset, vaddr, PAGE_BYTES, type Vaddr } from '../units.ts';
import { VmaSet, type VmaRole } from '../vma.ts';
import { layOutStack } from './initial-stack.ts';
import { VDSO_PAGES, VDSO_SPECIAL } from './vdso.ts';
import { MAY_ALL, newVma, VM } from './vma.ts';

/** The stack before it grows: 128 KiB and the page that the arguments begin with (stack_expand of setup_arg_pages). */
const STACK_BYTES = 0x2_1000;

/** ELF_ET_DYN_BASE: two thirds up user space. */
const dynamicBase = (design: Design): number => floorToPage(Math.floor(design.userEnd / 3) * 2);

/** Plans the address space of `request`. @returns E2BIG if the arguments do not fit, ENOEXEC if a segment cannot be placed */
export function planLinuxExec(design: Design, request: ExecRequest, vdso: File): ExecPlan | Errno {
  const layout = new Layout(design);
  const { program, interpreter } = request;
  const stack = { start: design.stackTop - STACK_BYTES, end: design.stackTop };
  layout.add({ ...stack, prot: PROT_READ | PROT_WRITE, file: undefined, offset: 0, flags: VM.GROWSDOWN, role: 'stack' });
  const bias =
    program.image.type === 'exec' ? 0 : interpreter === undefined ? layout.biasBelow(program) : biasAt(dynamicBase(design), program);
  if (bias === undefined || !layout.addImage(program, bias)) return 'ENOEXEC';
  const interpreterBias = interpreter === undefined ? 0 : layout.biasBelow(interpreter);
  if (interpreter !== undefined && (interpreterBias === undefined || !layout.addImage(interpreter, interpreterBias))) return 'ENOEXEC';
  const vdsoStart = layout.placeBelow(VDSO_PAGES * PAGE_BYTES);
  if (vdsoStart === undefined) return 'ENOEXEC';
  for (const { page, pages, prot } of VDSO_SPECIAL) {
    const start = vdsoStart + page * PAGE_BYTES;
    layout.add({ start, end: start + pages * PAGE_BYTES, prot, file: vdso, offset: page * PAGE_BYTES, flags: 0, role: 'mapping' });
  }
  const vdsoCode = vdsoStart + VDSO_SPECIAL.at(-1)!.page * PAGE_BYTES;
  const initial = layOutStack(request, {
    stackTop: design.stackTop,
    stackBytes: STACK_BYTES,
    bias,
    interpreterBias: interpreterBias ?? 0,
    vdso: vdsoCode,
  });
  if (initial === undefined) return 'E2BIG';
  const started = interpreter ?? program;
  const isAlone = program.image.type === 'dyn' && interpreter === undefined;
  const heapStart = ceilToPage(isAlone ? Math.floor(design.userEnd / 3) * 2 : bias + extentOf(program)[1]);
  return {
    vmas: layout.set.ascending,
    heapStart,
    heapLimit: heapStart, // No room is kept for it.
    placementNext: design.placementStart,
    entry: vaddr((interpreter === undefined ? bias : interpreterBias!) + started.image.entry),
    zeroed: layout.zeroed,
    ...initial,
  };
}

/** First page and end of what an image has in memory, before any bias. */
function extentOf({ image }: LoadedImage): readonly [low: number, high: number] {
  const segments = image.segments.filter(({ memoryBytes }) => memoryBytes > 0);
  return [floorToPage(Math.min(...segments.map((s) => s.vaddr))), Math.max(...segments.map((s) => s.vaddr + s.memoryBytes))];
}

const biasAt = (start: number, loaded: LoadedImage): number => start - extentOf(loaded)[0];

interface Mapped {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  /** Undefined for anonymous memory. */
  readonly file: File | undefined;
  readonly offset: number;
  readonly flags: number;
  readonly role: VmaRole;
}

/** The VMAs so far, and what has to be zeroed in them. */
class Layout {
  readonly set = new VmaSet();
  zeroed: { readonly start: Vaddr; readonly end: Vaddr }[] = [];
  private readonly design: Design;

  constructor(design: Design) {
    this.design = design;
  }

  /** Maps with MAP_FIXED: what was there goes. */
  add({ start, end, prot, file, offset, flags, role }: Mapped): void {
    const range = { start: vaddr(start), end: vaddr(end) };
    this.set.remove(range.start, range.end);
    this.zeroed = this.zeroed.filter((tail) => tail.end <= start || end <= tail.start);
    const account = (prot & PROT_WRITE) !== 0 ? VM.ACCOUNT : 0;
    this.set.add(
      newVma({ ...range, prot, shared: false, file, pgoff: offset / PAGE_BYTES, flags: flags | MAY_ALL | account, description: 0, role }),
    );
  }

  /** Maps every segment of an image. @returns false if one lies where no program may */
  addImage({ file, image }: LoadedImage, bias: number): boolean {
    return image.segments.filter(({ memoryBytes }) => memoryBytes > 0).every((segment) => this.addSegment(file, segment, bias));
  }

  /** Where an image must be moved to for it to lie right below what is there. */
  biasBelow(loaded: LoadedImage): number | undefined {
    const [low, high] = extentOf(loaded);
    const start = this.placeBelow(ceilToPage(high) - low);
    return start === undefined ? undefined : start - low;
  }

  /** The top end of the highest gap below mmap_base that holds so many bytes. */
  placeBelow(bytes: number): number | undefined {
    const { placementStart, lowestAddress } = this.design;
    let top: number = placementStart;
    for (const vma of [...this.set.ascending].reverse()) {
      if (vma.start >= top) continue;
      if (top - vma.end >= bytes) break;
      top = vma.start;
    }
    return top - bytes >= lowestAddress ? top - bytes : undefined;
  }

  private addSegment(file: File, segment: Segment, bias: number): boolean {
    const start = bias + segment.vaddr;
    const fileEnd = start + segment.fileBytes;
    const end = start + segment.memoryBytes;
    if (floorToPage(start) < this.design.lowestAddress || end > this.design.stackTop - STACK_BYTES) return false;
    const lead = pageOffset(start);
    if (segment.fileBytes > 0 && pageOffset(segment.offset) !== lead) return false;
    const prot = protOf(segment);
    const flags = 0;
    const role: VmaRole = 'segment';
    if (segment.fileBytes > 0)
      this.add({ start: start - lead, end: ceilToPage(fileEnd), prot, file, offset: segment.offset - lead, flags, role });
    if (end === fileEnd) return true;
    const bss = segment.fileBytes > 0 ? ceilToPage(fileEnd) : floorToPage(start);
    // The kernel zeroes as the program would: where it may not write, the file's bytes stay.
    if (segment.fileBytes > 0 && !isPageAligned(fileEnd) && (prot & PROT_WRITE) !== 0)
      this.zeroed.push({ start: vaddr(fileEnd), end: ceilToPage(fileEnd) });
    const bssProt = PROT_READ | PROT_WRITE | (prot & PROT_EXEC);
    if (bss < ceilToPage(end)) this.add({ start: bss, end: ceilToPage(end), prot: bssProt, file: undefined, offset: 0, flags, role });
    return true;
  }
}

const protOf = ({ flags }: Segment): number =>
  ((flags & PF_R) !== 0 ? PROT_READ : 0) | ((flags & PF_W) !== 0 ? PROT_WRITE : 0) | ((flags & PF_X) !== 0 ? PROT_EXEC : 0);
