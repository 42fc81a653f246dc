/** Packed snapshots: each says what was packed, and has little of its own. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { readTrace } from '../../sim/cli/trace-file.ts';
import type { MachineSnapshot } from '../../sim/machine.ts';
import { ownBytes, pack, unpack, type PackedSnapshot } from '../../sim/viewer/packed-snapshot.ts';
import { Session } from '../../sim/viewer/session.ts';

const RECORDING = 'traces/recorded/ls-sort-head.jsonl.gz';
const OPS_BETWEEN = 200;

describe('a packed snapshot', () => {
  let snapshots: readonly MachineSnapshot[];
  let packed: readonly PackedSnapshot[];
  before(async () => {
    const { header, ops } = await readTrace(RECORDING);
    const session = new Session(header, ops);
    snapshots = Array.from({ length: Math.ceil(ops.length / OPS_BETWEEN) }, (_, i) => {
      session.seek(i * OPS_BETWEEN);
      return session.machine.snapshot();
    });
    const list: PackedSnapshot[] = [];
    for (const snapshot of snapshots) list.push(pack(snapshot, list.at(-1)));
    packed = list;
  });

  it('says all that was packed', () => {
    for (const [i, snapshot] of snapshots.entries())
      expect(isDeepStrictEqual(unpack(packed[i]!), snapshot), `snapshot ${i}`).to.equal(true);
  });

  it('has few pages of its own', () => {
    const alone = packed.reduce((sum, one) => sum + ownBytes(one, undefined), 0);
    const together = packed.reduce((sum, one, i) => sum + ownBytes(one, packed[i - 1]), 0);
    expect(together).to.be.lessThan(alone * 0.7);
  });
});
