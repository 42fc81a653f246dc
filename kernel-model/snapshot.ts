/**
 * Copies of the whole state, to go back to.
 *
 * A snapshot shares nothing mutable with the kernel: restoring it twice gives the same state twice. Frames that were never in use
 * are not copied, they hold the zeros of boot. Address spaces are objects with identity (processes and pins point to
 * them), so a restore makes them anew and points everybody to the copies.
 */
import type { AddressSpace } from './address-space.ts';
import type { File } from './file.ts';
import type { AllocatorSnapshot } from './frame-allocator.ts';
import type { Kernel, Pin, Process } from './kernel.ts';
import type { PageCache } from './page-cache.ts';
import type { ProvenanceSnapshot } from './provenance.ts';
import type { Template } from './template.ts';
import type { Pfn, Pid } from './units.ts';
import { pfn, PAGE_BYTES } from './units.ts';

export interface Snapshot {
  readonly tlbs: Uint8Array;
  readonly touched: Uint8Array;
  /** The touched frames, ascending, one after the other. */
  readonly bytes: Uint8Array;
  readonly uses: Uint8Array;
  readonly refs: Uint32Array;
  readonly writePins: Uint16Array;
  readonly flags: Uint8Array;
  readonly allocator: AllocatorSnapshot;
  readonly provenance: ProvenanceSnapshot;
  readonly cache: PageCache;
  readonly templates: ReadonlyMap<File, Template>;
  readonly spaces: readonly AddressSpace[];
  readonly processes: readonly (Process & { readonly spaceId: number })[];
  readonly pins: readonly (Pin & { readonly spaceId: number })[];
  readonly running: readonly (Pid | undefined)[];
  readonly files: readonly (readonly [File, ReturnType<File['snapshot']>])[];
  readonly sharedObjects: readonly File[];
  readonly hugeZeroFrame: Pfn | undefined;
  readonly counters: ReturnType<Kernel['counters']>;
  readonly counts: Kernel['counts'];
  readonly storeFaults: Kernel['storeFaults'];
  readonly frameFaultAt: number;
  readonly clock: Kernel['clock'];
}

export function takeSnapshot(k: Kernel): Snapshot {
  const files = new Set([...k.files.values(), ...k.sharedObjects]);
  return {
    tlbs: k.memory.bytes.slice(0, k.memory.hartBase),
    touched: k.frames.touched.slice(),
    bytes: touchedBytes(k),
    uses: k.frames.uses.slice(),
    refs: k.frames.refs.slice(),
    writePins: k.frames.writePins.slice(),
    flags: k.frames.flags.slice(),
    allocator: k.allocator.snapshot(),
    provenance: k.provenance.snapshot(),
    cache: k.cache.copy(),
    templates: new Map(k.templates),
    spaces: [...k.spaces].map(copySpace),
    processes: [...k.processes.values()].map((process) => ({ ...process, spaceId: process.space.id })),
    pins: [...k.pins.values()].map((pin) => ({ ...pin, spaceId: pin.space.id })),
    running: k.cpus.map((cpu) => cpu.pid),
    files: [...files].map((file) => [file, file.snapshot()] as const),
    sharedObjects: [...k.sharedObjects],
    hugeZeroFrame: k.hugeZeroFrame,
    counters: k.counters(),
    counts: { ...k.counts },
    storeFaults: { ...k.storeFaults },
    frameFaultAt: k.frameFaultAt,
    clock: { ...k.clock },
  };
}

/** Puts the kernel that the snapshot was taken of back into that state. */
export function restoreSnapshot(k: Kernel, from: Snapshot): void {
  k.memory.bytes.set(from.tlbs);
  restoreBytes(k, from);
  k.frames.restoreTouched(from.touched);
  k.frames.uses.set(from.uses);
  k.frames.refs.set(from.refs);
  k.frames.writePins.set(from.writePins);
  k.frames.flags.set(from.flags);
  k.allocator.restore(from.allocator);
  k.provenance.restore(from.provenance);
  k.cache = from.cache.copy();
  k.templates = new Map(from.templates);
  const spaces = new Map(from.spaces.map((space) => [space.id, copySpace(space)] as const));
  k.spaces = new Set(spaces.values());
  k.processes = new Map(
    from.processes.map(({ spaceId, ...process }) => [process.pid, { ...process, space: spaces.get(spaceId)! }] as const),
  );
  k.pins = new Map(from.pins.map(({ spaceId, ...pin }) => [pin.id, { ...pin, space: spaces.get(spaceId)! }] as const));
  from.running.forEach((pid, i) => {
    k.cpus[i]!.pid = pid;
  });
  for (const [file, state] of from.files) file.restore(state);
  k.sharedObjects.clear();
  for (const object of from.sharedObjects) k.sharedObjects.add(object);
  k.hugeZeroFrame = from.hugeZeroFrame;
  k.setCounters(from.counters);
  k.counts = { ...from.counts };
  k.storeFaults = { ...from.storeFaults };
  k.frameFaultAt = from.frameFaultAt;
  Object.assign(k.clock, from.clock);
}

const copySpace = (space: AddressSpace): AddressSpace => ({ ...space, vmas: space.vmas.copy(), deposits: new Map(space.deposits) });

function touchedBytes(k: Kernel): Uint8Array {
  const count = k.frames.touched.reduce((sum, touched) => sum + touched, 0);
  const bytes = new Uint8Array(count * PAGE_BYTES);
  let at = 0;
  k.frames.touched.forEach((touched, frame) => {
    if (touched === 0) return;
    bytes.set(k.memory.page(pfn(frame)), at);
    at += PAGE_BYTES;
  });
  return bytes;
}

function restoreBytes(k: Kernel, from: Snapshot): void {
  let at = 0;
  from.touched.forEach((touched, frame) => {
    if (touched !== 0) k.memory.page(pfn(frame)).set(from.bytes.subarray(at, (at += PAGE_BYTES)));
    else if (k.frames.touched[frame] !== 0) k.memory.page(pfn(frame)).fill(0);
  });
}
