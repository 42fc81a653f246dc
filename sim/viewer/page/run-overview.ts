/** The overview of the whole run, put together from the engine's parts as they come. */
import { FLAG, type OverviewPart, type Sample } from '../overview.ts';

export class RunOverview {
  /** By op the lane of its process. */
  readonly lanes: Uint8Array;
  /** By op what happened in it, see FLAG. */
  readonly flags: Uint8Array;
  readonly samples: Sample[] = [];
  /** Ops in which a huge page was assembled, ascending. */
  readonly assemblies: number[] = [];
  /** Lanes in use so far. */
  laneCount = 1;
  /** Ops that are here so far. */
  covered = 0;

  /** @param ops - how many the trace has */
  constructor(ops: number) {
    this.lanes = new Uint8Array(ops);
    this.flags = new Uint8Array(ops);
  }

  /** Parts come in order. */
  add({ from, lanes, flags, samples }: OverviewPart): void {
    this.lanes.set(lanes, from);
    this.flags.set(flags, from);
    this.samples.push(...samples);
    for (const lane of lanes) this.laneCount = Math.max(this.laneCount, lane + 1);
    flags.forEach((flag, i) => {
      if ((flag & FLAG.assembly) !== 0) this.assemblies.push(from + i);
    });
    this.covered = from + lanes.length;
  }
}
