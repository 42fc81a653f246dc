/**
 * The dynamic slice: which ops the failure needed, by what the run really read and wrote.
 *
 * A slice is a guess that one replay confirms or refutes. So there is a ladder of them, each larger than the one before:
 * data only; with everything the failing op did; with the weak edges (frames, placement); all ops of the processes met so far.
 */
import type { Finding } from '../finding.ts';
import type { Candidate } from './evaluate.ts';
import type { Dependences, Node } from './dependences.ts';

/** Op indexes to keep, ascending, smallest slice first. Slices that keep nearly all are left out. */
export function slicesFor({ ops }: Candidate, finding: Finding, dependences: Dependences): readonly (readonly number[])[] {
  const narrow = nodesOfFinding(finding, dependences);
  const wide = [...narrow, ...dependences.effectsOf(finding.op)];
  const weak = dependences.slice(wide, true);
  const pids = new Set(weak.map((index) => ops[index]?.pid));
  const ladder = [
    dependences.slice(narrow, false),
    dependences.slice(wide, false),
    weak,
    ops.flatMap((op, index) => (pids.has(op.pid) ? [index] : [])),
  ];
  const largest = ops.length * LARGEST_SHARE;
  return ladder
    .map((slice) => withFailingOp(slice, finding.op, ops.length))
    .filter((slice, i, all) => slice.length > 1 && slice.length <= largest && slice.length > (all[i - 1]?.length ?? 0));
}

/** A slice that keeps more of the trace than this is not worth a replay. */
const LARGEST_SHARE = 0.95;

function withFailingOp(slice: readonly number[], op: number, count: number): readonly number[] {
  const inside = slice.filter((index) => index >= 0 && index < count);
  return op >= count || inside.includes(op) ? inside : [...inside, op].sort((a, b) => a - b);
}

/** What a finding is about, as nodes: the failing op, the page or the frame, and where wrong bytes came from. */
function nodesOfFinding(finding: Finding, dependences: Dependences): Node[] {
  const { op, pid, address, byte, message } = finding;
  const nodes = dependences.nodesOfOps([op]);
  if (pid !== undefined && address !== undefined) nodes.push(...dependences.nodesOfByte(pid, address));
  const provenance = byte?.provenance;
  if (provenance !== undefined) nodes.push(...dependences.nodesOfOps([provenance.op, ...provenance.hops.map((hop) => hop.op)]));
  if (typeof byte?.backing === 'object') nodes.push(...dependences.nodesOfFile(byte.backing.path));
  if (finding.kind === 'invariant')
    for (const [, frame] of message.matchAll(/frame 0x([0-9a-f]+)/g)) nodes.push(...dependences.nodesOfFrame(parseInt(frame!, 16)));
  if (finding.kind === 'outcome' || (finding.kind === 'invariant' && address === undefined && !message.includes('frame 0x')))
    nodes.push(...dependences.effectsOf(op));
  return nodes;
}
