/**
 * Holds a kernel's log against the design, with nothing but the log: process tree, VMAs of each exec, faults inside or outside them,
 * and the kernel's own verifiers.
 *
 * The log may begin before the first exec and says nothing of mmap, so what cannot be known is let pass; what contradicts the design, or
 * what the log itself said before, is unexplained. Where the layout of a program is known, its exec must lay out exactly that.
 */
import { hex, type Design, type Vma } from '../../kernel-model/index.ts';
import type { LogEvent } from './log-event.ts';
import { auditProblem, seenOfAudit, seenOfPlan, SeenSpace, type AuditRow } from './spaces.ts';

export interface WitnessOptions {
  readonly design: Design;
  /** Do wrong bytes and rights belong to the kernel that is checked against? */
  readonly expectsVerifierFailures: boolean;
  /** The VMAs that an exec of this program makes, and its entry, if they are known. */
  readonly planOf: (argv0: string) => { readonly vmas: readonly Vma[]; readonly entry: number } | undefined;
}

const PAGE_BYTES = 4096;
/** Signals end a process with this and their number. */
const SIGNALS_MAX = 64;

export class LogWitness {
  private readonly options: WitnessOptions;
  private readonly spaces = new Map<number, SeenSpace>();
  private readonly audits = new Map<number, readonly AuditRow[]>();
  private readonly ended = new Set<number>();
  private count = 0;

  constructor(options: WitnessOptions) {
    this.options = options;
  }

  get processes(): number {
    return this.count;
  }

  /** Why the event cannot be; undefined if it can. */
  problemWith(event: LogEvent): string | undefined {
    const { type, pid, fields } = event;
    const absent = pid === undefined ? undefined : this.absence(pid);
    if (absent !== undefined) return absent;
    switch (type) {
      case 'process_fork':
        return this.fork(pid!, fields['child_pid'] as number);
      case 'process_exec':
        return this.exec(pid!, fields['argv0'] as string, fields['entry'] as number);
      case 'process_exit':
        return this.exit(pid!, fields['status'] as number, fields['by_signal'] as boolean);
      case 'vm_audit':
        this.audits.set(pid!, fields['vmas'] as readonly AuditRow[]);
        return this.options.expectsVerifierFailures
          ? undefined
          : auditProblem(fields['vmas'] as readonly AuditRow[], this.options.design, undefined);
      case 'page_fault':
        return this.fault(event);
      case 'page_verify_fail':
      case 'huge_page_verify_fail':
        return this.verifierFailure(event);
      case 'page_verify_ok':
        return fields['failed'] === 0 || this.options.expectsVerifierFailures
          ? undefined
          : `${fields['failed'] as number} pages hold other bytes than their file`;
      case 'usercopy':
        return (fields['len'] as number) >= 0 ? undefined : 'a copy of a negative length';
      default:
        return undefined;
    }
  }

  private absence(pid: number): string | undefined {
    if (this.spaces.has(pid)) return undefined;
    if (this.ended.has(pid)) return `process ${pid} has exited before`;
    if (this.count > 0) return `process ${pid} was never forked`;
    this.begin(pid, []); // The first process is there when the log begins.
    return undefined;
  }

  private begin(pid: number, vmas: ConstructorParameters<typeof SeenSpace>[1]): void {
    this.count++;
    this.spaces.set(pid, new SeenSpace(this.options.design, vmas));
  }

  private fork(parent: number, child: number): string | undefined {
    if (this.spaces.has(child)) return `process ${child} lives already`;
    this.ended.delete(child);
    this.count++;
    this.spaces.set(child, this.spaces.get(parent)!.copy());
    return undefined;
  }

  private exec(pid: number, argv0: string, entry: number): string | undefined {
    const audit = this.audits.get(pid);
    this.audits.delete(pid);
    const plan = this.options.planOf(argv0);
    if (plan !== undefined && plan.entry !== entry) return `the entry is ${hex(entry)}, that of ${argv0} is ${hex(plan.entry)}`;
    const wrong = audit === undefined || plan === undefined ? undefined : auditProblem(audit, this.options.design, plan.vmas);
    if (wrong !== undefined && !this.options.expectsVerifierFailures) return `the audit before it says: ${wrong}`;
    const vmas = audit === undefined ? (plan === undefined ? [] : seenOfPlan(plan.vmas)) : seenOfAudit(audit, plan?.vmas);
    const space = new SeenSpace(this.options.design, vmas);
    this.spaces.set(pid, space);
    return space.entryProblem(entry);
  }

  private exit(pid: number, status: number, isBySignal: boolean): string | undefined {
    this.spaces.delete(pid);
    this.ended.add(pid);
    if (!isBySignal) return status >= 0 && status < 256 ? undefined : `${status} is no exit status`;
    return status % 128 > 0 && status % 128 <= SIGNALS_MAX ? undefined : `${status} names no signal`;
  }

  private fault({ pid, fields }: LogEvent): string | undefined {
    const {
      vaddr,
      reason,
      resolved,
      vma_start: start,
      vma_end: end,
      vma_type: type,
    } = fields as Readonly<Record<string, never>> & {
      readonly vaddr: number;
      readonly reason: string;
      readonly resolved: boolean;
      readonly vma_start?: number;
      readonly vma_end?: number;
      readonly vma_type?: string;
    };
    const space = this.spaces.get(pid!)!;
    if (resolved !== (reason === 'demand_page')) return `the reason is ${reason}, but the fault was ${resolved ? '' : 'not '}resolved`;
    if (!resolved) {
      if (start !== undefined || end !== undefined) return 'a fault without a VMA names one';
      if ((reason === 'null_pointer') !== vaddr < PAGE_BYTES) return `the reason is ${reason}, but the address is ${hex(vaddr)}`;
      return space.outsideProblem(vaddr);
    }
    if (start === undefined || end === undefined) return 'a resolved fault names no VMA';
    if (type !== undefined && !['anonymous', 'file', 'device'].includes(type)) return `${type} is no type of VMA`;
    return space.insideProblem(vaddr, { start, end, type });
  }

  private verifierFailure({ fields }: LogEvent): string | undefined {
    if (fields['expected'] === fields['actual']) return 'expected and actual byte are the same';
    if (this.options.expectsVerifierFailures) return undefined;
    const at = (fields['vaddr'] as number | undefined) ?? (fields['huge_base'] as number) + (fields['sub_page'] as number) * PAGE_BYTES;
    return `a page at ${hex(at)} holds ${hex(fields['actual'] as number)} where its file has ${hex(fields['expected'] as number)}`;
  }
}
