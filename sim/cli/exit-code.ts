/** Exit codes: what a script learns of a run without reading its output. */
import type { ReplayResult } from '../replay.ts';

// prettier-ignore
export const EXIT = {
  held: 0,          // and every command that did what it was told
  usage: 1,         // a wrong flag, or a file that is not what it should be
  invariant: 2,     // only an invariant is broken
  reference: 3,     // a program could notice: a wrong byte, errno or signal
  different: 4,     // from the recording, from the other file, or between two runs
  limit: 5,         // --max-ops or --max-seconds ended the run
  defect: 70,       // of faultline itself
  interrupted: 130, // by Ctrl-C
} as const;

export function exitCodeOf({ verdict, failure }: Pick<ReplayResult, 'verdict' | 'failure'>): number {
  if (verdict === 'held') return EXIT.held;
  if (verdict === 'diverged') return EXIT.different;
  if (verdict === 'limit') return EXIT.limit;
  return failure?.kind === 'invariant' ? EXIT.invariant : EXIT.reference;
}
