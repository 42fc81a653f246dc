/** What a run has found so far: the first finding of each signature, and how many of them a program could see. */
import type { Kernel } from '../../kernel-model/index.ts';
import { isVisible, signatureOf, type Finding, type FindingKind } from '../finding.ts';

/** What is told of a finding besides its signature, the op, and how many programs had started. */
export type Facts = { readonly message: string } & Partial<Pick<Finding, 'pid' | 'address' | 'expected' | 'actual' | 'byte'>>;

export class Findings {
  /** In order of time. */
  readonly list: Finding[] = [];
  /** Failures that a program could see, repeated ones included. */
  visible = 0;
  /** Index of the op that findings are about. */
  op = 0;
  private readonly kernel: Kernel;
  private readonly seen = new Set<string>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  has(kind: FindingKind, id: string): boolean {
    return this.seen.has(signatureOf({ kind, id }));
  }

  report(kind: FindingKind, id: string, { message, pid, address, expected, actual, byte }: Facts): void {
    const finding: Finding = { kind, id, op: this.op, pid, address, expected, actual, message, execs: this.kernel.counts.execs, byte };
    if (isVisible(finding)) this.visible++;
    if (this.has(kind, id)) return;
    this.seen.add(signatureOf(finding));
    this.list.push(finding);
  }
}
