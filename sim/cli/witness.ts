/**
 * Stands beside a replay and notes, when something is found, what will be gone later: the op, the program, the bytes.
 */
import { frameOfPte, isValid, pageOffset, pfn, pid, vpnOf } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Finding } from '../finding.ts';
import type { Replay } from '../replay.ts';
import type { ByteWindow, ProgramImage, Witness } from '../report.ts';

/** Bytes shown around a wrong one: the aligned 16 that hold it. */
const WINDOW_BYTES = 16;

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
      this.notes.set(finding, { op, image, window: this.windowOf(finding) });
    }
  }

  /** The bytes around a wrong one, if they still show it. */
  private windowOf({ byte, pid: owner, address, expected, actual }: Finding): ByteWindow | undefined {
    const { reference } = this.run;
    if (byte === undefined || owner === undefined || address === undefined || reference?.has(owner) !== true) return undefined;
    const start = address - (address % WINDOW_BYTES);
    const addresses = Array.from({ length: WINDOW_BYTES }, (_, i) => start + i);
    const window: ByteWindow = {
      start,
      expected: addresses.map((at) => (reference.containing(owner, at) === undefined ? undefined : reference.byte(owner, at))),
      actual: addresses.map((at) => this.byteAt(owner, at)),
    };
    const at = address - start;
    return window.expected[at] === expected && window.actual[at] === actual ? window : undefined;
  }

  private byteAt(owner: number, address: number): number | undefined {
    const { kernel } = this.run.machine;
    const space = kernel.processes.get(pid(owner))?.space;
    const entry = space === undefined ? 0 : kernel.tables.entryOf(space.root, vpnOf(address));
    return isValid(entry) ? kernel.memory.bytes[kernel.memory.byteOf(pfn(frameOfPte(entry))) + pageOffset(address)] : undefined;
  }
}
