/**
 * What programs observe of a run: answers, bytes of loads and of kernel copies, and at the end all they could still read.
 *
 * Two runs of one trace that differ only in how the kernel is tuned must be observed alike. What an answer tells of the
 * tuning itself (pages resident, pages reclaimed) is no observation; after a frame or a read was refused there is nothing to
 * compare, because tuning decides who goes without.
 */
import { PAGE_BYTES, type Kernel, type Parameters, type Process, type Vma } from '../kernel-model/index.ts';
import type { Op } from '../traces/op.ts';
import type { Digester, Hasher } from '../sim/digest.ts';
import { continues } from '../sim/reference/vmas.ts';
import { Replay } from '../sim/replay.ts';
import type { Result } from '../sim/trace-hart.ts';
import type { Watcher } from '../sim/watcher.ts';
import type { GeneratedTrace } from './generate.ts';

export interface Observation {
  /** Of each op a digest of what it answered and what it read, up to where something was refused. */
  readonly ops: readonly string[];
  /** Of each process and VMA at the end; undefined if something was refused before. */
  readonly memory: ReadonlyMap<string, string> | undefined;
}

/** Pages of one VMA that are looked at in the end. */
const PAGES_MAX = 64;
const TELLS_OF_TUNING: ReadonlySet<Op['op']> = new Set(['mincore', 'reclaim', 'mark']);
/** MADV_COLLAPSE answers whether there are huge pages. */
const tellsOfTuning = (op: Op): boolean => TELLS_OF_TUNING.has(op.op) || (op.op === 'madvise' && op.advice === 'collapse');

/** Runs the trace without checks, with these parameters instead of the header's. */
export function observe(trace: GeneratedTrace, digester: Digester, parameters: Partial<Parameters>): Observation {
  const run = new Replay(trace.header, { digester, check: 'none', parameters });
  const { kernel } = run.machine;
  const observer = new Observer(digester, kernel);
  run.machine.watch(observer);
  for (const op of trace.ops) if (observer.isTroubled || !run.step(op)) break;
  const { ops } = observer;
  const memory = new Map<string, string>();
  // What was looked at after something was refused is thrown away below.
  for (const process of [...kernel.processes.values()]) {
    for (const { start, end } of joined(process.space.vmas.ascending)) {
      const length = Math.min(end - start, PAGES_MAX * PAGE_BYTES);
      memory.set(
        `pid ${process.pid} from 0x${start.toString(16)}`,
        observer.look(() => run.machine.tick(lookAt(process, start, length), 0)),
      );
    }
  }
  return { ops, memory: observer.isTroubled ? undefined : memory };
}

/** Neighbours that continue each other are one: whether Linux merges two VMAs hangs on what no program sees. */
function joined(vmas: readonly Vma[]): readonly Vma[] {
  const runs: Vma[] = [];
  for (const vma of vmas) {
    const last = runs.at(-1);
    if (last !== undefined && continues(last, vma)) runs[runs.length - 1] = { ...last, end: vma.end };
    else runs.push(vma);
  }
  return runs;
}

const lookAt = ({ pid }: Process, addr: number, length: number): Op => ({ pid, op: 'copyIn', addr, length });

class Observer implements Watcher {
  readonly ops: string[] = [];
  isTroubled = false;
  private readonly digester: Digester;
  private readonly kernel: Kernel;
  private seen: Hasher;

  constructor(digester: Digester, kernel: Kernel) {
    this.digester = digester;
    this.kernel = kernel;
    this.seen = digester.create();
  }

  /** A digest of what one op shows. */
  look(act: () => unknown): string {
    this.seen = this.digester.create();
    act();
    return this.seen.digest();
  }

  before(): void {
    this.seen = this.digester.create();
  }

  load(_process: Process, address: number, width: number, at: number): void {
    this.seen.f64(address);
    this.seen.bytes(this.kernel.memory.bytes.subarray(at, at + width));
  }

  copyIn(_process: Process, address: number, bytes: Uint8Array): void {
    this.seen.f64(address);
    this.seen.bytes(bytes);
  }

  read(path: string, offset: number, bytes: Uint8Array): void {
    this.seen.text(path);
    this.seen.f64(offset);
    this.seen.bytes(bytes);
  }

  after(op: Op, _index: number, result: Result): void {
    const { refusedFrames, storeErrors } = this.kernel.counts;
    if (refusedFrames + storeErrors > 0) this.isTroubled = true;
    if (this.isTroubled) return;
    if (!tellsOfTuning(op)) this.seen.text(String(result));
    this.ops.push(this.seen.digest());
  }
}
