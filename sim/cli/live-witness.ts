/**
 * Stands beside a live run and notes of each finding, when it is made, what will be gone later: op and program.
 *
 * What is found between two ops is found in an access of machine code; a recording would have it as a touch, and so it is told.
 */
import type { Op } from '../../traces/op.ts';
import type { Finding } from '../finding.ts';
import type { LiveMachine } from '../live.ts';
import { failureLines, indent, type ProgramImage, type Witness } from '../report.ts';
import type { Result } from '../trace-hart.ts';
import type { Watcher } from '../watcher.ts';

export class LiveWitness implements Watcher {
  private readonly live: LiveMachine;
  private readonly images = new Map<number, ProgramImage>();
  private readonly notes = new Map<Finding, Witness>();
  private execs = 0;

  constructor(live: LiveMachine) {
    this.live = live;
    live.machine.watch(this);
  }

  readonly before = (op: Op): void => {
    this.note((finding) => accessOf(finding) ?? op);
  };

  readonly after = (op: Op, _index: number, result: Result): void => {
    this.note(() => op);
    if (typeof result !== 'number') return;
    const image = this.images.get(op.pid);
    if (op.op === 'exec') this.images.set(op.pid, { exec: ++this.execs, pid: op.pid, argv: op.argv ?? [op.path] });
    else if ((op.op === 'fork' || op.op === 'vfork') && image !== undefined) this.images.set(op.child, image);
  };

  /** A finding in full. */
  lines(finding: Finding): string[] {
    return [`failed: ${finding.kind} ${finding.id} at op ${finding.op}`, ...indent(failureLines(finding, this.notes.get(finding)))];
  }

  private note(opOf: (finding: Finding) => Op): void {
    const findings = this.live.checker?.findings ?? [];
    for (const finding of findings.slice(this.notes.size)) {
      const image = finding.pid === undefined ? undefined : this.images.get(finding.pid);
      this.notes.set(finding, { op: opOf(finding), image, window: undefined });
    }
  }
}

const accessOf = ({ pid, address }: Finding): Op | undefined =>
  pid === undefined || address === undefined ? undefined : { pid, op: 'touch', addr: address, access: 'r' };
