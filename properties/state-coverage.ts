/**
 * State coverage: which kinds of situations a run has been in.
 *
 * After each op a few small facts make one feature: kind and result of the op, how many VMAs, how many cached pages against
 * the threshold, what huge pages did, where in its VMA the touched byte lies, how often its frame is held, how deep the
 * process was forked. A feature is one number; equal situations give equal numbers in every run.
 */
import { frameOfPte, isValid, pageOffset, pfn, vpnOf, type Kernel, type KernelEvent, type Process } from '../kernel-model/index.ts';
import { OP_NAMES, type Op } from '../traces/op.ts';
import type { Result } from '../sim/trace-hart.ts';
import type { Watcher } from '../sim/watcher.ts';

/** The facts, and the classes of each; a feature is one class of each. */
export const DIMENSIONS = {
  op: OP_NAMES,
  result: ['ok', 'address', 'ENOMEM', 'EINVAL', 'other errno', 'SIGSEGV', 'SIGBUS', 'other'],
  vmas: ['none', '1-4', '5-8', '9-16', 'more'],
  cached: ['none', 'below', 'one less', 'threshold', 'above'],
  huge: ['none', 'assembled', 'block hit', 'split', 'anonymous', 'leaf'],
  place: ['none', 'no VMA', 'first byte', 'last byte', 'pad', 'page of several', 'inside'],
  refs: ['none', 'one', 'two', 'more'],
  depth: ['0', '1', 'more'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Dimension = keyof typeof DIMENSIONS;
type Facts = { readonly [D in Dimension]: (typeof DIMENSIONS)[D][number] };

const NAMES = Object.keys(DIMENSIONS) as Dimension[];

/** The number of a feature: its classes as digits. */
function featureOf(facts: Facts): number {
  let feature = 0;
  for (const name of NAMES) feature = feature * DIMENSIONS[name].length + (DIMENSIONS[name] as readonly string[]).indexOf(facts[name]);
  return feature;
}

/** How many of the classes of each dimension some features have met, as `op 25/27`. */
export function summarizeFeatures(
  features: Iterable<number>,
): readonly { readonly name: Dimension; readonly met: number; readonly of: number }[] {
  const met = new Map(NAMES.map((name) => [name, new Set<number>()]));
  for (const feature of features) {
    let rest = feature;
    for (const name of [...NAMES].reverse()) {
      met.get(name)!.add(rest % DIMENSIONS[name].length);
      rest = Math.floor(rest / DIMENSIONS[name].length);
    }
  }
  return NAMES.map((name) => ({ name, met: met.get(name)!.size, of: DIMENSIONS[name].length }));
}

/** Collects the features of one run. */
export class StateCoverage implements Watcher {
  readonly features = new Set<number>();
  private readonly kernel: Kernel;
  private readonly depths = new Map<number, number>();
  private huge: Facts['huge'] = 'none';

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  before(): void {
    this.huge = 'none';
  }

  event(event: KernelEvent): void {
    if (event.type === 'assembly_end') this.huge = 'assembled';
    else if (event.type === 'huge_cache_hit') this.huge = 'block hit';
    else if (event.type === 'huge_split') this.huge = 'split';
    else if (event.type === 'page_mapped' && event.pages > 1 && this.huge === 'none')
      this.huge = event.why === 'assembly' ? 'leaf' : 'anonymous';
  }

  after(op: Op, _index: number, result: Result): void {
    if ((op.op === 'fork' || op.op === 'vfork') && typeof result === 'number')
      this.depths.set(op.child, (this.depths.get(op.pid) ?? 0) + 1);
    const process = this.kernel.processes.get(op.pid as Process['pid']);
    const address = 'addr' in op ? op.addr : undefined;
    const depth = this.depths.get(op.pid) ?? 0;
    this.features.add(
      featureOf({
        op: op.op,
        result: resultClass(op, result),
        vmas: countClass(process?.space.vmas.list.length ?? 0),
        cached: this.cachedClass(),
        huge: this.huge,
        place: process === undefined || address === undefined ? 'none' : placeClass(process, address),
        refs: process === undefined || address === undefined ? 'none' : this.refsClass(process, address),
        depth: depth > 1 ? 'more' : (String(depth) as '0' | '1'),
      }),
    );
  }

  private cachedClass(): Facts['cached'] {
    const { size } = this.kernel.cache;
    const distance = size - this.kernel.parameters.assembleThreshold;
    if (size === 0) return 'none';
    return distance < -1 ? 'below' : distance === -1 ? 'one less' : distance === 0 ? 'threshold' : 'above';
  }

  private refsClass({ space }: Process, address: number): Facts['refs'] {
    const { tables, frames } = this.kernel;
    if (address >= this.kernel.design.userEnd) return 'none';
    const entry = tables.entryOf(space.root, vpnOf(address));
    const frame = frameOfPte(entry);
    if (!isValid(entry) || !frames.exists(frame)) return 'none';
    const refs = frames.refs[pfn(frame)]!;
    return refs < 2 ? 'one' : refs === 2 ? 'two' : 'more';
  }
}

function resultClass({ op }: Op, result: Result): Facts['result'] {
  if (typeof result === 'number') return op === 'mmap' || op === 'mremap' || op === 'brk' ? 'address' : 'ok';
  if (result === 'ENOMEM' || result === 'EINVAL' || result === 'SIGSEGV' || result === 'SIGBUS') return result;
  return result.startsWith('E') ? 'other errno' : 'other';
}

const countClass = (count: number): Facts['vmas'] =>
  count === 0 ? 'none' : count <= 4 ? '1-4' : count <= 8 ? '5-8' : count <= 16 ? '9-16' : 'more';

function placeClass({ space: { vmas } }: Process, address: number): Facts['place'] {
  const vma = vmas.containing(address);
  if (vma === undefined) return 'no VMA';
  if (vma.role === 'pad') return 'pad';
  if (address === vma.start) return 'first byte';
  if (address === vma.end - 1) return 'last byte';
  return vmas.onPage(address - pageOffset(address)).length > 1 ? 'page of several' : 'inside';
}
