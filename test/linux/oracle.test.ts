/**
 * The reference reader alone against a real kernel: 400 sequences recorded on Linux 6.18, no model in between.
 *
 * It is the oracle of every replay, so it has to be right itself: outcomes, signals with their codes, every byte of every present
 * page, and the VMAs.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { auditRecording } from '../../sim/conformance/audit.ts';
import { parseRecordings, type Recording } from '../../traces/sequences/sequence.ts';
import type { StepResult } from '../../traces/sequences/result.ts';

const FILE = 'test/linux/mm-sequences.jsonl.gz';

function recordings(): readonly Recording[] {
  return [...parseRecordings(gunzipSync(readFileSync(FILE)).toString().split('\n'), FILE)];
}

/** The recording with a lie in the first result that `lie` finds something to change in. */
function withLie(recording: Recording, lie: (result: StepResult) => StepResult | undefined): Recording | undefined {
  const at = recording.results.findIndex((result) => lie(result) !== undefined);
  if (at < 0) return undefined;
  const results = recording.results.map((result, i) => (i === at ? lie(result)! : result));
  return { ...recording, results };
}

const LIES: Readonly<Record<string, (result: StepResult) => StepResult | undefined>> = {
  'another errno': (result) => (result.e === 'EINVAL' ? { ...result, e: 'ENOMEM' } : undefined),
  'another code of a signal': (result) => (result.code === 'MAPERR' ? { ...result, code: 'ACCERR' } : undefined),
  'another page': ({ d, ...result }) =>
    d === undefined ? undefined : { ...result, d: Object.fromEntries(Object.keys(d).map((page) => [page, 'deadbeef'])) },
  'a VMA less': ({ v, ...result }) => (v === undefined || v.length === 0 ? undefined : { ...result, v: v.slice(1) }),
  'a mapping elsewhere': (result) => (result.r === 's+0x10000' ? { ...result, r: 's+0x11000' } : undefined),
};

describe('the reference reader against Linux 6.18', () => {
  it('agrees with all 400 recorded sequences, 16,000 ops', () => {
    const all = recordings();
    expect(all.reduce((sum, { ops }) => sum + ops.length, 0)).to.equal(16_000);
    const differences = all.flatMap(auditRecording).map(({ op, ...rest }) => ({ ...rest, op: op.op }));
    expect(differences).to.deep.equal([]);
  }).timeout(120_000);

  for (const [name, lie] of Object.entries(LIES)) {
    it(`notices a recording with ${name}`, () => {
      const lied = recordings()
        .slice(0, 40)
        .map((recording) => withLie(recording, lie))
        .find((recording) => recording !== undefined);
      expect(auditRecording(lied!)).not.to.deep.equal([]);
    });
  }
});
