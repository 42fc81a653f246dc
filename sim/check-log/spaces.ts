/**
 * What the log says of address spaces, held against what the design lays out.
 *
 * At exec the kernel audits its VMAs and then says that it executed; from then on faults say which VMA they fell in. A VMA of the exec
 * can only become smaller; the heap can grow; mmap puts others where the design places them. Whatever else a fault names is unexplained.
 */
import { hex, type Design, type Vma, vmaType } from '../../kernel-model/index.ts';

export interface SeenVma {
  readonly start: number;
  readonly end: number;
  readonly prot?: number | undefined;
  readonly type?: string | undefined;
  readonly isHeap?: boolean;
}

export type AuditRow = Readonly<Record<string, number>>;

const PAGE_BYTES = 4096;
const HEAP_INDEX = 1;
const EXEC = 4;

/** What is wrong with an audit's rows; undefined if the design can lay out such VMAs, and, where a plan is known, exactly these. */
export function auditProblem(rows: readonly AuditRow[], design: Design, plan: readonly Vma[] | undefined): string | undefined {
  for (const [index, row] of rows.entries()) {
    const { start, end, mapped, unmapped, perm_mismatch } = row as { [name: string]: number };
    const name = `VMA ${index}, ${hex(start!)}-${hex(end!)},`;
    if (end! < start! || end! > design.userEnd) return `${name} does not lie in user space`;
    const pages = Math.max(0, Math.floor(end! / PAGE_BYTES) - Math.ceil(start! / PAGE_BYTES)) % 65536;
    const counted = mapped! + unmapped!;
    if (counted % 65536 !== pages) return `${name} has ${pages} whole pages, but ${counted} are counted`;
    if (perm_mismatch !== 0) return `${name} has ${String(perm_mismatch)} pages with other rights than the VMA allows`;
    const other = rows.slice(0, index).find((before) => before['start']! < end! && start! < before['end']!);
    if (other !== undefined && end! > start!) return `${name} overlaps ${hex(other['start']!)}-${hex(other['end']!)}`;
  }
  return stackProblem(rows, design) ?? (plan === undefined ? undefined : planProblem(rows, plan));
}

function stackProblem(rows: readonly AuditRow[], { stackTop, stackBytes }: Design): string | undefined {
  const { start, end } = rows[0] ?? {};
  if (start === stackTop - stackBytes && end === stackTop) return undefined;
  return `the first VMA is not the stack, ${hex(stackTop - stackBytes)}-${hex(stackTop)}`;
}

function planProblem(rows: readonly AuditRow[], plan: readonly Vma[]): string | undefined {
  for (const [index, vma] of plan.entries()) {
    const row = rows[index];
    if (row === undefined) return rows.length < 32 ? `VMA ${hex(vma.start)}-${hex(vma.end)} of the program is missing` : undefined;
    if (row['start'] !== vma.start || row['end'] !== vma.end || row['prot'] !== vma.prot)
      return `VMA ${index} is ${hex(row['start']!)}-${hex(row['end']!)} prot ${row['prot']!}, the program's is ${hex(vma.start)}-${hex(vma.end)} prot ${vma.prot}`;
  }
  return rows.length > plan.length ? `there are ${rows.length} VMAs, the program has ${plan.length}` : undefined;
}

export const seenOfAudit = (rows: readonly AuditRow[], plan: readonly Vma[] | undefined): SeenVma[] =>
  rows.map((row, index) => ({
    start: row['start']!,
    end: row['end']!,
    prot: row['prot'],
    type: plan?.[index] === undefined ? undefined : vmaType(plan[index]),
    isHeap: index === HEAP_INDEX,
  }));

export const seenOfPlan = (plan: readonly Vma[]): SeenVma[] =>
  plan.map((vma) => ({ start: vma.start, end: vma.end, prot: vma.prot, type: vmaType(vma), isHeap: vma.role === 'heap' }));

/** VMAs that a process is known to have. */
export class SeenSpace {
  private readonly design: Design;
  private vmas: readonly SeenVma[];
  /** VMAs that exec made. */
  private readonly count: number;

  constructor(design: Design, vmas: readonly SeenVma[]) {
    this.design = design;
    this.vmas = vmas;
    this.count = vmas.length;
  }

  copy(): SeenSpace {
    return new SeenSpace(this.design, this.vmas);
  }

  /** What is wrong with an entry point; undefined if it can be executed. */
  entryProblem(entry: number): string | undefined {
    if (this.count === 0 || this.count >= 32) return undefined;
    const vma = this.at(entry);
    if (vma === undefined) return `the entry ${hex(entry)} is in no VMA of the exec`;
    return vma.prot !== undefined && (vma.prot & EXEC) === 0 ? `the entry ${hex(entry)} is in a VMA that cannot be executed` : undefined;
  }

  /** What is wrong with a fault that found a VMA. */
  insideProblem(vaddr: number, found: SeenVma): string | undefined {
    const name = `${hex(found.start)}-${hex(found.end)}`;
    if (vaddr < found.start || vaddr >= found.end) return `${hex(vaddr)} does not lie in its VMA ${name}`;
    if (this.count === 0) return undefined;
    const known = this.at(vaddr);
    if (known !== undefined) {
      if (!isPartOf(found, known)) return `its VMA ${name} is no part of ${hex(known.start)}-${hex(known.end)}, where ${hex(vaddr)} lies`;
      if (known.type !== undefined && known.type !== found.type)
        return `its VMA is of type ${found.type ?? 'none'}, but ${hex(known.start)}-${hex(known.end)} is ${known.type}`;
      this.vmas = this.vmas.map((vma) => (vma === known ? { ...vma, type: found.type } : vma));
      return undefined;
    }
    return this.newcomerProblem(found, name);
  }

  /** What is wrong with a fault that found none. */
  outsideProblem(vaddr: number): string | undefined {
    const known = this.vmas.slice(0, this.count).find(({ start, end }) => start <= vaddr && vaddr < end);
    return known === undefined ? undefined : `${hex(vaddr)} lies in VMA ${hex(known.start)}-${hex(known.end)}`;
  }

  /** A VMA that exec did not make: the heap, or what mmap placed. */
  private newcomerProblem(found: SeenVma, name: string): string | undefined {
    const heap = this.vmas.find(({ isHeap }) => isHeap);
    if (heap !== undefined && found.start === heap.start) return undefined;
    const { placementStart, placementEnd } = this.design;
    if (found.start >= placementStart && found.end <= placementEnd) return undefined;
    return `its VMA ${name} is neither the program's nor the heap's nor where mmap places`;
  }

  private at(vaddr: number): SeenVma | undefined {
    return this.vmas.find(({ start, end }) => start <= vaddr && vaddr < end);
  }
}

/** The heap may have another end; a part that begins or ends where its VMA does not was cut by a call. */
const isPartOf = (found: SeenVma, known: SeenVma): boolean =>
  known.isHeap === true ? found.start === known.start : known.start <= found.start && found.end <= known.end;
