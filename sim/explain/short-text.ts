/** A failure in a few sentences: what is wrong, whence it came, which decisions did it. */
import { hex } from '../../kernel-model/index.ts';
import type { Finding } from '../finding.ts';
import type { Explanation } from './explain.ts';
import { capital, valueText } from './lines.ts';
import { storyOf } from './steps.ts';

/** The whole story in a few sentences. */
export function shortText(explanation: Explanation): string[] {
  const { finding, guilt } = explanation;
  const { pid, address, expected, actual, byte } = finding;
  const lead =
    byte === undefined || address === undefined
      ? `${capital(finding.message)}${pid === undefined ? '' : ` (pid ${pid})`}.`
      : `Pid ${pid} has ${valueText(actual)} at ${hex(address)} and must have ${valueText(expected)}: ${backingText(byte)}.${originText(explanation)}`;
  const [first, second] = guilt.decisions;
  if (first === undefined) return [lead];
  const steps = new Map(storyOf(explanation).steps.flatMap(({ op, wrong }) => wrong.map(({ rule }) => [rule, op] as const)));
  const blame = guilt.decisions.map(({ mutant }) => {
    const op = steps.get(mutant.rule);
    return `${capital(mutant.says)}${op === undefined ? '' : ` (op ${op})`}.`;
  });
  const isCure = guilt.decisions.every(({ curesAlone }) => curesAlone);
  const fix = !isCure
    ? ''
    : second === undefined
      ? 'Put this right and the failure is gone.'
      : 'Put any one of these right and the failure is gone.';
  return [lead, `${blame.join(' ')} ${fix}`.trimEnd()];
}

function backingText({ backing, vma }: NonNullable<Finding['byte']>): string {
  if (backing === 'zero') return vma?.endsWith(' pad') === true ? 'it lies in a pad between two segments' : 'nothing was put there';
  if (backing === 'written') return 'the program stored that';
  return `it is byte ${hex(backing.offset)} of ${backing.path}`;
}

/** Whence the wrong byte came, and through which copies. */
function originText({ finding: { byte, actual }, events }: Explanation): string {
  const record = byte?.provenance;
  if (byte === undefined || record === undefined) return '';
  const { origin, hops, op } = record;
  const value = valueText(actual);
  const way = hops.map((hop) => `op ${hop.op} copied it out of frame ${hex(hop.from)} (${hop.why})`);
  const tail = way.length === 0 ? '' : ` ${capital(way.join(', '))}.`;
  switch (origin.kind) {
    case 'file':
      return ` The ${value} is byte ${hex(origin.offset + byte.offsetInPage - record.start)} of ${origin.path}, read at op ${op}.${tail}`;
    case 'write':
      return ` The ${value} was stored by pid ${origin.pid} at op ${op}.${tail}`;
    case 'zero': {
      const use = events.findLast(({ event }) => event.type === 'frame_allocated' && event.frame === byte.frame)?.event;
      const isTable = use?.type === 'frame_allocated' && use.use === 'table';
      if (actual !== 0 && hops.length === 0)
        return ` Frame ${hex(byte.frame ?? 0)} was cleared at op ${op} and ${isTable ? 'is a page table since' : 'changed since by no store of a program'}.`;
      return ` The ${value} is the zero fill of a frame taken at op ${op}.${tail}`;
    }
    case 'kernel':
      return ` The ${value} is ${origin.what} of op ${op}.${tail}`;
    case 'unknown':
      return '';
  }
}
