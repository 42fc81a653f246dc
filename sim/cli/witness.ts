/**
 * Stands beside a replay and notes, when something is found, what will be gone later: the op, the program, the bytes.
 */
import type { Op } from '../../traces/op.ts';
import { windowAround } from '../byte-window.ts';
import type { Finding } from '../finding.ts';
import type { Replay } from '../replay.ts';
import type { ProgramImage, Witness } from '../report.ts';

export class WitnessStand {
  private readonly run: Replay;
  private readonly images = new Map<number, ProgramImage>();
  private readonly notes = new Map<Finding, Witness>();
  private execs = 0;

  constructor(run: Replay) {
    this.run = run;
  }

  /** To be called after each op. */
  after(op: Op): void {
    const { execs } = this.run.machine.kernel.counts;
    const imageBefore = this.images.get(op.pid);
    if (op.op === 'exec' && execs > this.execs) this.images.set(op.pid, { exec: execs, pid: op.pid, argv: op.argv ?? [op.path] });
    else if ((op.op === 'fork' || op.op === 'vfork') && imageBefore !== undefined) this.images.set(op.child, imageBefore);
    const findings = this.run.checker?.findings ?? [];
    if (findings.length > this.notes.size) this.note(findings.slice(this.notes.size), op, imageBefore);
    this.execs = execs;
  }

  /** What was noted of a finding; undefined of one that was made at the end. */
  of(finding: Finding | undefined): Witness | undefined {
    return finding === undefined ? undefined : this.notes.get(finding);
  }

  private note(findings: readonly Finding[], op: Op, imageBefore: ProgramImage | undefined): void {
    for (const finding of findings) {
      // What is found before an exec is found in the program that it replaces.
      const isBefore = finding.pid === op.pid && finding.execs === this.execs;
      const image = isBefore ? imageBefore : this.images.get(finding.pid ?? op.pid);
      const window = finding.pid === undefined ? undefined : windowAround(this.run, finding.pid, finding);
      this.notes.set(finding, { op, image, window });
    }
  }
}
