/** The bytes around a wrong one, expected beside actual, as a replay shows them at this moment. */
import { frameOfPte, isValid, pageOffset, pfn, pid, vpnOf } from '../kernel-model/index.ts';
import type { Finding } from './finding.ts';
import type { Replay } from './replay.ts';

/** Bytes around a wrong one, by the reference and as mapped; undefined where there is none. */
export interface ByteWindow {
  readonly start: number;
  readonly expected: readonly (number | undefined)[];
  readonly actual: readonly (number | undefined)[];
}

/** The aligned bytes shown. */
const WINDOW_BYTES = 16;

/** The window around a finding's byte in process `owner`; undefined if the run does not show that byte any more. */
export function windowAround(replay: Replay, owner: number, { byte, address, expected, actual }: Finding): ByteWindow | undefined {
  const { reference } = replay;
  if (byte === undefined || address === undefined || reference?.has(owner) !== true) return undefined;
  const start = address - (address % WINDOW_BYTES);
  const addresses = Array.from({ length: WINDOW_BYTES }, (_, i) => start + i);
  const window: ByteWindow = {
    start,
    expected: addresses.map((at) => (reference.containing(owner, at) === undefined ? undefined : reference.byte(owner, at))),
    actual: addresses.map((at) => byteAt(replay, owner, at)),
  };
  const at = address - start;
  return window.expected[at] === expected && window.actual[at] === actual ? window : undefined;
}

function byteAt({ machine: { kernel } }: Replay, owner: number, address: number): number | undefined {
  const space = kernel.processes.get(pid(owner))?.space;
  const entry = space === undefined ? 0 : kernel.tables.entryOf(space.root, vpnOf(address));
  return isValid(entry) ? kernel.memory.bytes[kernel.memory.byteOf(pfn(frameOfPte(entry))) + pageOffset(address)] : undefined;
}
