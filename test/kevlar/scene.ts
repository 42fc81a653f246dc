/**
 * A machine with the reconstructed BusyBox, driven in the trace notation: scenes are text, their outcome is events.
 *
 * Nothing is compared with the reference here; these scenes ask what a kernel does and says of itself.
 */
import {
  DEFAULT_PARAMETERS,
  designOf,
  describeVma,
  File,
  frameOfPte,
  kernelNamed,
  pid,
  rulesOf,
  vpnOf,
  vaddr,
  PAGE_BYTES,
  type EventOf,
  type EventType,
  type Kernel,
  type KernelEvent,
  type Parameters,
  type Pfn,
  type Vma,
} from '../../kernel-model/index.ts';
import { BUSYBOX } from '../../scripts/suite-files.ts';
import { Machine } from '../../sim/machine.ts';
import type { Watcher } from '../../sim/watcher.ts';
import { fileBytes } from '../../traces/content.ts';
import type { FileSpec } from '../../traces/header.ts';
import { parseNotation } from '../../traces/notation.ts';

export const IMAGE = 0x400000;
/** The page in which .data begins. */
export const DATA_HEAD = 284;
/** The post's binary: BusyBox as it is reconstructed. */
export const BINARY = fileBytes(BUSYBOX);

/** Process 1 execs BusyBox and reads its `count` lowest pages, from the page of index `first` on. */
export const warm = (count: number, { first = 0 } = {}): string =>
  `p1 exec /bin/busybox\np1 touch r 0x${(IMAGE + first * PAGE_BYTES).toString(16)}+${count}`;

/** Process 1 reads the last page of constants: 0x1f0 bytes of file page 0x11b. */
export const TAIL = 'p1 touch r 0x51b000';

/** Process 1 forks `child`, which execs BusyBox. */
export const execIn = (child: number): string => `p1 fork p${child}\np${child} exec /bin/busybox`;

export class Scene {
  readonly kernel: Kernel;
  readonly events: KernelEvent[] = [];
  private readonly machine: Machine;
  private index = 0;

  constructor(kernelName: string, parameters: Partial<Parameters> = {}, file: FileSpec = BUSYBOX) {
    const named = kernelNamed(kernelName);
    if (typeof named === 'string') throw new Error(named);
    const all: Parameters = { ...DEFAULT_PARAMETERS, frames: 4096, provenance: false, ...named.parameters, ...parameters };
    const files = [new File(file.path, file.links ?? [], fileBytes(file), true)];
    const nothing = (): void => undefined;
    const watcher: Watcher = { before: nothing, load: nothing, store: nothing, after: nothing, event: (event) => this.events.push(event) };
    this.machine = new Machine({ design: designOf(named, all), rules: rulesOf(named), parameters: all, files }, [watcher]);
    this.kernel = this.machine.kernel;
  }

  /** Runs lines of notation. @throws if an op answers with an errno or a signal */
  run(...lines: readonly string[]): this {
    for (const op of parseNotation(lines.join('\n'))) {
      const result = this.machine.tick(op, this.index++);
      if (typeof result === 'string') throw new Error(`${op.op} answered ${result}`);
    }
    return this;
  }

  /** The events of one type so far. */
  all<T extends EventType>(type: T): readonly EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  vmas(id: number): readonly Vma[] {
    return this.kernel.process(pid(id)).space.vmas.list;
  }

  describedVmas(id: number): readonly string[] {
    return this.vmas(id).map(describeVma);
  }

  /** The frame that a process sees at an address. */
  frameAt(id: number, address: number): Pfn {
    return frameOfPte(this.entryAt(id, address));
  }

  /** The entry that maps an address, 0 if none does. */
  entryAt(id: number, address: number): number {
    return this.kernel.tables.entryOf(this.kernel.process(pid(id)).space.root, vpnOf(vaddr(address)));
  }

  /** Reference counts of the assembled block's 512 frames. */
  blockRefs(): readonly number[] {
    const { frame } = this.all('assembly_begin')[0]!;
    return [...this.kernel.frames.refs.slice(frame, frame + 512)];
  }
}
