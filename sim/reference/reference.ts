/**
 * The reference reader: what every byte of every process must be, told without pages, tables, caches or sharing.
 *
 * A process has a list of VMAs and the bytes it wrote. fork copies both. A file is an array of bytes. A byte that nobody
 * wrote is what its VMA says: a file byte or zero. It knows the design (which VMAs an exec makes), never a rule.
 *
 * Hardware decides per page whether an access happens; so does this: a page is accessible when some VMA has a byte in
 * it, and allows what all VMAs in it that are no pads allow. And a private page of a file that can change is copied
 * whole when it is first written, because from then on it no longer follows the file.
 *
 * Both designs share this. What only linux has (guarded pages, VMAs that grow down, ranges that move) is in linux.ts.
 */
import {
  cutVma,
  File,
  floorToPage,
  ceilToPage,
  loadRequest,
  PAGE_BYTES,
  planExec,
  vaddr,
  vdsoFile,
  type Access,
  type Design,
  type Errno,
  type Vma,
} from '../../kernel-model/index.ts';
import {
  fileOffsetOf,
  fillFromFile,
  grants,
  inherited,
  isBehindFile,
  isCoherent,
  NO_WISHES,
  pieceOf,
  type ReferenceVma,
  type Wishes,
} from './vmas.ts';

/** What an access meets. */
export type Verdict = 'ok' | 'SIGSEGV' | 'SIGBUS';

/** The bytes of a page that a process wrote itself; `has` is 1 for each byte that it wrote. */
export interface WrittenPage {
  readonly bytes: Uint8Array;
  readonly has: Uint8Array;
}
type Written = Map<number, WrittenPage>;

export interface ReferenceSpace {
  vmas: ReferenceVma[];
  written: Written;
  /** First addresses of the pages that a program guards (MADV_GUARD_INSTALL). */
  guards: Set<number>;
  heapStart: number;
  heapEnd: number;
  heapLimit: number;
}

/** What a mapping is to be. */
export type NewMapping = Omit<Vma, 'backing' | 'role' | 'linux'> & {
  readonly path: string | undefined;
  readonly offset: number;
  readonly wishes?: Wishes;
};

export class Reference {
  readonly design: Design;
  /** By path and link, as in the kernel, but other objects: these bytes are the truth. */
  readonly files: Map<string, File>;
  readonly spaces = new Map<number, ReferenceSpace>();
  /** What the vDSO page holds, from its first byte on; zeros behind. */
  private readonly vdso: Uint8Array;
  /** The same on linux, as a file of its own. */
  private readonly vdsoFile: File;
  /** Has the kernel populated a page that it was to populate? It may have run out of frames, and then only it knows. */
  isPopulated: (pid: number, start: number) => boolean = () => true;
  /** Number of the next object behind shared anonymous memory, as the kernel counts them. */
  nextObject = 1;

  constructor(design: Design, files: Map<string, File>, vdso: Uint8Array = new Uint8Array(0)) {
    this.design = design;
    this.files = files;
    this.vdso = vdso;
    this.vdsoFile = vdsoFile(vdso);
  }

  // ---- Processes.

  /** A process without memory; `heapStart` is where the heap may begin before any exec. */
  spawn(pid: number, heapStart = 0): void {
    this.spaces.set(pid, { vmas: [], written: new Map(), guards: new Set(), heapStart, heapEnd: heapStart, heapLimit: 0 });
  }

  has(pid: number): boolean {
    return this.spaces.has(pid);
  }

  /** What an exec answers, and unless `isApplied` is false the address space that it makes. */
  exec(pid: number, path: string, argv: readonly string[], env: readonly string[], isApplied: boolean): 0 | Errno {
    const request = loadRequest(this.files, this.design.userEnd, path, argv, env);
    const plan = typeof request === 'string' ? request : planExec(this.design, request, this.vdsoFile);
    if (typeof plan === 'string') return plan;
    if (!isApplied) return 0;
    const space: ReferenceSpace = {
      vmas: plan.vmas.filter((vma) => vma.start < vma.end).map((vma) => this.asLaidOut(vma)),
      written: new Map(),
      guards: new Set(),
      heapStart: plan.heapStart,
      heapEnd: plan.heapStart,
      heapLimit: plan.heapLimit,
    };
    for (const { address, bytes } of plan.stackPages)
      space.written.set(address, { bytes: bytes.slice(), has: new Uint8Array(PAGE_BYTES).fill(1) });
    this.spaces.set(pid, space);
    for (const { start, end } of plan.zeroed) this.store(pid, start, new Uint8Array(end - start));
    return 0;
  }

  /** The stack of linux grows. */
  private asLaidOut(vma: Vma): ReferenceVma {
    return this.design.name === 'linux' && vma.role === 'stack' ? { ...vma, wishes: { ...NO_WISHES, growsDown: true } } : vma;
  }

  fork(parent: number, child: number): void {
    const from = this.space(parent);
    const written: Written = new Map([...from.written].map(([page, { bytes, has }]) => [page, { bytes: bytes.slice(), has: has.slice() }]));
    this.spaces.set(child, { ...from, vmas: from.vmas.flatMap(inherited), written, guards: new Set(from.guards) });
    for (const { start, end, wishes } of from.vmas)
      if (wishes?.dontFork === true || wishes?.wipeOnFork === true) this.empty(child, start, end);
  }

  vfork(parent: number, child: number): void {
    this.spaces.set(child, this.space(parent));
  }

  exit(pid: number): void {
    this.spaces.delete(pid);
  }

  // ---- Accesses.

  /** What an access to `address` meets. */
  access(pid: number, address: number, access: Access): Verdict {
    const start = floorToPage(address);
    if (this.isVdsoPage(start)) return access === 'store' ? 'SIGSEGV' : 'ok';
    const onPage = this.onPage(pid, start);
    if (onPage.length === 0 || !grants(onPage, access) || this.space(pid).guards.has(start)) return 'SIGSEGV';
    const coherent = onPage.find(this.follows);
    return coherent !== undefined && isBehindFile(coherent, start) ? 'SIGBUS' : 'ok';
  }

  /** The 4096 bytes that the page at `start` must show; a byte in no VMA of an accessible page is zero until written. */
  page(pid: number, start: number): Uint8Array {
    const page = new Uint8Array(PAGE_BYTES);
    if (this.isVdsoPage(start)) page.set(this.vdso);
    for (const vma of this.onPage(pid, start)) fillFromFile(page, vma, start);
    const written = this.space(pid).written.get(start);
    if (written !== undefined) for (let i = 0; i < PAGE_BYTES; i++) if (written.has[i] === 1) page[i] = written.bytes[i]!;
    return page;
  }

  /** Does the page at `start` show a file that can change, or memory that is shared? */
  followsFile(pid: number, start: number): boolean {
    return this.onPage(pid, start).some(this.follows);
  }

  /** The byte at `address`, which must be accessible. */
  byte(pid: number, address: number): number {
    const start = floorToPage(address);
    if (this.isVdsoPage(start)) return this.vdso[address - start] ?? 0;
    const written = this.space(pid).written.get(start);
    if (written?.has[address - start] === 1) return written.bytes[address - start]!;
    const vma = this.containing(pid, address);
    if (vma?.backing === undefined) return 0;
    const isInFile = address - vma.start < vma.backing.fileBytes;
    return isInFile ? vma.backing.file.byteWithTail(fileOffsetOf(vma, address)) : 0;
  }

  /** Did the program itself put the byte at `address` there, or does a file back it? */
  backingOf(pid: number, address: number): 'written' | 'zero' | { readonly path: string; readonly offset: number } {
    const start = floorToPage(address);
    if (this.space(pid).written.get(start)?.has[address - start] === 1) return 'written';
    const vma = this.containing(pid, address);
    if (vma?.backing === undefined || address - vma.start >= vma.backing.fileBytes) return 'zero';
    return { path: vma.backing.file.path, offset: fileOffsetOf(vma, address) };
  }

  /** A store that happened. */
  store(pid: number, address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = address + done;
      const length = Math.min(bytes.length - done, floorToPage(at) + PAGE_BYTES - at);
      this.storeInPage(pid, at, bytes.subarray(done, done + length));
      done += length;
    }
  }

  /** Write access to the page at `start` was gained: a private page of a file that can change stops following it. */
  copyPage(pid: number, start: number): void {
    const vma = this.onPage(pid, start).find(this.follows);
    const { written } = this.space(pid);
    if (vma === undefined || vma.shared || written.has(start)) return;
    written.set(start, { bytes: this.page(pid, start), has: new Uint8Array(PAGE_BYTES).fill(1) });
  }

  private storeInPage(pid: number, address: number, bytes: Uint8Array): void {
    const start = floorToPage(address);
    if (this.onPage(pid, start).some(({ shared }) => shared)) bytes.forEach((value, i) => this.storeByte(pid, address + i, value));
    else this.storePrivate(pid, address, bytes);
  }

  private storeByte(pid: number, address: number, value: number): void {
    const vma = this.containing(pid, address);
    if (vma?.shared === true) vma.backing!.file.poke(fileOffsetOf(vma, address), value);
    else this.storePrivate(pid, address, Uint8Array.of(value));
  }

  private storePrivate(pid: number, address: number, bytes: Uint8Array): void {
    const start = floorToPage(address);
    this.copyPage(pid, start);
    const { written } = this.space(pid);
    let page = written.get(start);
    if (page === undefined) written.set(start, (page = { bytes: new Uint8Array(PAGE_BYTES), has: new Uint8Array(PAGE_BYTES) }));
    page.bytes.set(bytes, address - start);
    page.has.fill(1, address - start, address - start + bytes.length);
  }

  // ---- Mappings. Ranges are page-aligned.

  isFree(pid: number, start: number, end: number): boolean {
    return !this.space(pid).vmas.some((vma) => vma.start < end && start < vma.end);
  }

  /** Is there a VMA with a byte in each page? */
  isCovered(pid: number, start: number, end: number): boolean {
    return this.coveredEnd(pid, start, end) >= end;
  }

  /** How far from `start` on there is a VMA with a byte in each page; `end` at most. */
  coveredEnd(pid: number, start: number, end: number): number {
    let at = start;
    for (const vma of this.ascending(pid)) {
      if (vma.end <= at) continue;
      if (floorToPage(vma.start) > at) break;
      at = ceilToPage(vma.end);
    }
    return Math.min(at, end);
  }

  map(pid: number, { path, offset, start, end, prot, shared, wishes }: NewMapping): void {
    this.unmap(pid, start, end);
    const length = end - start;
    const file = path === undefined ? (shared ? this.sharedObject(length) : undefined) : this.files.get(path)!;
    // To kevlar an immutable file is one that is never shared, and behind it lie zeros.
    const isFrozen = file?.immutable === true && this.design.name === 'kevlar';
    const fileBytes = isFrozen ? Math.max(0, Math.min(length, file.size - offset)) : length;
    const backing = file && { file, offset: path === undefined ? 0 : offset, fileBytes };
    const vma: ReferenceVma = { start, end, prot, role: 'mapping', shared: shared && !isFrozen, backing };
    this.space(pid).vmas.push(wishes === undefined ? vma : { ...vma, wishes });
  }

  unmap(pid: number, start: number, end: number): void {
    const space = this.space(pid);
    space.vmas = space.vmas.flatMap((vma) => [...pieceOf(vma, vma.start, start), ...pieceOf(vma, end, vma.end)]);
    this.empty(pid, start, end);
  }

  /** Nothing that the program put into the range is left. */
  empty(pid: number, start: number, end: number): void {
    this.forget(pid, start, end);
    const { guards } = this.space(pid);
    for (const page of guards) if (start <= page && page < end) guards.delete(page);
  }

  /** The bytes that a process wrote in the range are gone. */
  forget(pid: number, start: number, end: number): void {
    const { written } = this.space(pid);
    for (const page of [...written.keys()]) if (start <= page && page < end) written.delete(page);
  }

  protect(pid: number, start: number, end: number, prot: number): void {
    this.change(pid, start, end, (vma) => ({ ...vma, prot }));
  }

  /** Changes what VMAs have in the range. */
  change(pid: number, start: number, end: number, changed: (vma: ReferenceVma) => ReferenceVma): void {
    const space = this.space(pid);
    space.vmas = space.vmas.flatMap((vma) => [
      ...pieceOf(vma, vma.start, start),
      ...pieceOf(vma, start, end).map(changed),
      ...pieceOf(vma, end, vma.end),
    ]);
  }

  /** Moves [from, from + length) of one VMA to `to` and makes it `newLength` long. */
  move(pid: number, from: number, length: number, to: number, newLength: number): void {
    const space = this.space(pid);
    const vma = this.containing(pid, from)!;
    const kept = Math.min(length, newLength);
    const pages = [...space.written].filter(([page]) => from <= page && page < from + kept);
    const moved = cutVma(vma, vaddr(from), vaddr(from + kept));
    this.unmap(pid, from, from + length);
    this.unmap(pid, to, to + newLength);
    this.resize(space, { ...moved, role: 'mapping', start: vaddr(to), end: vaddr(to + kept) }, to + newLength);
    for (const [page, bytes] of pages) space.written.set(page - from + to, bytes);
  }

  /** Lengthens the VMA that contains `start` to `end`. */
  grow(pid: number, start: number, end: number): void {
    const space = this.space(pid);
    const vma = this.containing(pid, start)!;
    space.vmas = space.vmas.filter((other) => other !== vma);
    this.resize(space, vma, end);
  }

  /** Moves the heap's end; the heap's VMA is the part of it that nobody replaced. */
  setHeapEnd(pid: number, end: number): void {
    const space = this.space(pid);
    if (end > space.heapEnd) {
      const heap = space.vmas.find((vma) => vma.role === 'heap' && vma.end === space.heapEnd);
      const start = vaddr(heap?.start ?? space.heapEnd);
      space.vmas = space.vmas.filter((vma) => vma !== heap);
      space.vmas.push({ start, end: vaddr(end), prot: heap?.prot ?? 3, role: 'heap', shared: false, backing: undefined });
    } else {
      const oldEnd = space.heapEnd;
      // What others mapped over the heap goes in whole pages.
      const endOf = (vma: Vma): number => (vma.role === 'heap' ? end : ceilToPage(end));
      space.vmas = space.vmas.flatMap((vma) => {
        const [from, to] = [endOf(vma), ceilToPage(oldEnd)];
        return from < to ? [...pieceOf(vma, vma.start, from), ...pieceOf(vma, to, vma.end)] : [vma];
      });
      const isLastPageGone = this.onPage(pid, floorToPage(end)).length === 0;
      this.forget(pid, isLastPageGone ? floorToPage(end) : ceilToPage(end), ceilToPage(oldEnd));
    }
    space.heapEnd = end;
  }

  // ---- Files.

  /**
   * Private copies of pages wholly behind the new end of a file are gone, in every process. A file of linux is one in memory: what a
   * mapping stored behind its end comes to light when it is made longer; a disk's would be zero.
   */
  truncate(file: File, size: number): void {
    if (this.design.name === 'linux' && size > file.size) file.resize(size);
    else file.resizeZeroingTail(size);
    for (const [pid, space] of this.spaces) {
      for (const vma of space.vmas) {
        if (vma.backing?.file !== file || !this.follows(vma)) continue;
        this.forget(pid, Math.max(vma.start, vma.start + ceilToPage(size) - vma.backing.offset), vma.end);
      }
    }
  }

  isExecuted(file: File): boolean {
    return [...this.spaces.values()].some((space) => space.vmas.some((vma) => vma.role === 'segment' && vma.backing?.file === file));
  }

  // ---- Look-ups.

  space(pid: number): ReferenceSpace {
    const space = this.spaces.get(pid);
    if (space === undefined) throw new Error(`the reference has no process ${pid}`);
    return space;
  }

  containing(pid: number, address: number): ReferenceVma | undefined {
    return this.space(pid).vmas.find((vma) => vma.start <= address && address < vma.end);
  }

  onPage(pid: number, start: number): readonly ReferenceVma[] {
    return this.overlapping(pid, start, start + PAGE_BYTES);
  }

  /** VMAs with a byte in [start, end), in no order. */
  overlapping(pid: number, start: number, end: number): readonly ReferenceVma[] {
    return this.space(pid).vmas.filter((vma) => vma.start < end && start < vma.end);
  }

  /** The VMAs of a process, ascending. */
  ascending(pid: number): readonly ReferenceVma[] {
    return [...this.space(pid).vmas].sort((a, b) => a.start - b.start);
  }

  /** Kevlar's vDSO page is the one page without a VMA. */
  private isVdsoPage(start: number): boolean {
    return this.design.name === 'kevlar' && start === this.design.vdso;
  }

  private readonly follows = (vma: Vma): boolean => isCoherent(this.design, vma);

  private sharedObject(length: number): File {
    const object = new File(`[shared ${this.nextObject++}]`, [], new Uint8Array(0), false);
    object.resize(length);
    return object;
  }

  private resize(space: ReferenceSpace, vma: ReferenceVma, end: number): void {
    const backing = vma.backing !== undefined && this.follows(vma) ? { ...vma.backing, fileBytes: end - vma.start } : vma.backing;
    space.vmas.push({ ...vma, end: vaddr(end), backing });
  }
}
