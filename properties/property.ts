/** The two sorts of properties. */
import type { Digester } from '../sim/digest.ts';
import type { GeneratedTrace } from './generate.ts';

/** A property that one run with all checks decides. */
export interface FindingProperty {
  readonly name: string;
  readonly says: string;
  /** Ids of the findings that break it. */
  readonly ids: readonly string[];
}

/** A property that replays a trace as often as it needs. */
export interface RunProperty {
  readonly name: string;
  readonly says: string;
  /** What does not hold of the trace, in sentences; nothing if all does. */
  readonly violations: (trace: GeneratedTrace, digester: Digester) => readonly string[];
}
