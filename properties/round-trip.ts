/** Record, encode, decode, replay: what comes out is the run that went in. */
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp } from '../traces/codec.ts';
import type { Digester } from '../sim/digest.ts';
import { Recorder } from '../sim/recorder.ts';
import { Replay, replay } from '../sim/replay.ts';
import type { GeneratedTrace } from './generate.ts';
import type { RunProperty } from './property.ts';

export const survivesRecording: RunProperty = {
  name: 'round-trip',
  says: 'record, encode, decode and replay give the same digest',
  violations: (trace, digester) => {
    const { digest, recorded } = record(trace, digester);
    const again = replay(decoded(encoded(recorded)), { digester, check: 'none' });
    if (again.divergence !== undefined) {
      const { op, name, recorded: was, actual } = again.divergence;
      return [`op ${op}, ${name}, answered ${was} when it was recorded and ${actual} in replay`];
    }
    return again.digest === digest ? [] : [`the digest was ${digest} when it was recorded and is ${again.digest} in replay`];
  },
};

/** The run as a recorder saw it: every op with its answer, at the addresses of this kernel. */
function record(trace: GeneratedTrace, digester: Digester): { readonly digest: string; readonly recorded: GeneratedTrace } {
  const run = new Replay(trace.header, { digester, check: 'none' });
  const recorder = new Recorder();
  run.machine.watch({ before: () => recorder.before(), after: (op, index, result) => recorder.after(op, index, result) });
  for (const op of trace.ops) if (!run.step(op)) break;
  const { kernel } = run.machine;
  const { ops } = recorder.trace(run.kernel.name, kernel, () => '');
  return { digest: run.finish().digest, recorded: { header: trace.header, ops } };
}

const encoded = ({ header, ops }: GeneratedTrace): readonly string[] => [encodeHeader(header), ...ops.map(encodeOp)];

function decoded([header, ...ops]: readonly string[]): GeneratedTrace {
  const at = (line: number): { readonly file: string; readonly line: number } => ({ file: 'recorded', line });
  return { header: decodeHeaderLine(header!, at(1)), ops: ops.map((line, i) => decodeOpLine(line, at(i + 2))) };
}
