/**
 * The story, live: BusyBox's suite on the kernels that existed, with the image that has the hazard.
 *
 * The numbers of a kernel with the bug depend on every page that BusyBox touches at its start, so they are asked only of the
 * program that they were seen with; what follows from the bug is asked of any.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { faultline } from '../helpers/command-line.ts';
import { BUSYBOXES, skipUnlessGuest } from '../helpers/live.ts';
import { onlyThoroughly } from '../helpers/seed.ts';

const ROOT = join(import.meta.dirname, '../..');
const [, HAZARD] = BUSYBOXES;
const GUEST = join(ROOT, HAZARD);
/** `npm run guest -- --build` with Debian bookworm's compiler. */
const KNOWN_SHA256 = 'aa183c243294c89d92dfa684ee672dd2fcc3a258e2ac89d2f699dcbee96b2fa7';
const RECORDING = join(ROOT, 'traces/recorded/busybox-suite.jsonl.gz');
const CHECKS = 229;

interface Document {
  readonly passed: number;
  readonly failed: number;
  readonly leakedFrames: number;
  readonly failure: unknown;
  readonly findings: number;
  readonly checks: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly pid: number;
    readonly deaths: readonly { readonly pid: number; readonly exec: number; readonly signal: string }[];
  }[];
}

async function suite(...args: readonly string[]): Promise<Document> {
  return JSON.parse((await faultline('suite', '--guest', GUEST, '--json', ...args)).out) as Document;
}

function skipUnlessKnown(context: Mocha.Context): void {
  skipUnlessGuest(context, HAZARD);
  if (createHash('sha256').update(readFileSync(GUEST)).digest('hex') === KNOWN_SHA256) return;
  console.log(`      skipped: ${HAZARD} is another build (npm run guest -- --build on Debian bookworm makes the known one)`);
  context.skip();
}

describe('the suite, live', function () {
  this.timeout(300_000);

  for (const kernel of ['kevlar', 'linux']) {
    it(`holds on ${kernel} at 128 with every page and every change checked`, async function () {
      onlyThoroughly(this);
      skipUnlessGuest(this, HAZARD);
      const { passed, failed, leakedFrames, failure, findings } = await suite('--kernel', kernel, '--check', 'changes');
      expect({ passed, failed, leakedFrames, failure, findings }).to.deep.equal({
        passed: CHECKS,
        failed: 0,
        leakedFrames: 0,
        failure: null,
        findings: 0,
      });
    });
  }

  for (const [kernel, threshold] of [
    ['kevlar', '0'],
    ['kevlar', '1'],
    ['kevlar', '600'],
    ['kevlar@m9.8.1', '128'],
    ['kevlar@m9.8.1', '0'],
    ['kevlar@m9.8', '600'],
    ['linux', '0'],
    ['linux@assembly', '128'],
  ] as const) {
    it(`holds on ${kernel} at ${threshold}`, async function () {
      if (threshold !== '0') onlyThoroughly(this);
      skipUnlessGuest(this, HAZARD);
      const { passed, failed } = await suite('--kernel', kernel, '--threshold', threshold);
      expect([passed, failed]).to.deep.equal([CHECKS, 0]);
    });
  }

  for (const kernel of ['kevlar@m9.8', 'kevlar@m9.8-half']) {
    it(`dies on ${kernel} from the first exec on at threshold 0`, async function () {
      skipUnlessGuest(this, HAZARD);
      const { passed, checks } = await suite('--kernel', kernel, '--threshold', '0');
      expect(passed).to.equal(0);
      expect(checks[0]!.deaths[0]).to.include({ signal: 'SIGSEGV', pid: 2 });
    });

    for (const [threshold, passes, first, pid, exec] of [
      ['128', 12, 'head_file', 33, 43],
      ['200', 64, 'tar_create_extract', 125, 161],
    ] as const) {
      it(`has ${passes} checks pass on ${kernel} at ${threshold}, and ${first} die first`, async function () {
        skipUnlessKnown(this);
        const { passed, checks } = await suite('--kernel', kernel, '--threshold', threshold);
        const dead = checks.find(({ verdict }) => verdict === 'died')!;
        expect([passed, dead.name]).to.deep.equal([passes, first]);
        expect(dead.deaths[0]).to.include({ pid, exec, signal: 'SIGSEGV' });
      });
    }
  }

  it('forks and execs 300 times', async function () {
    skipUnlessGuest(this, HAZARD);
    const { code, out } = await faultline('suite', '--guest', GUEST, '--stress', '300');
    expect([code, out.split(' ')[0]]).to.deep.equal([0, '300/300']);
  });

  it('recorded anew is the recording that is committed, byte for byte', async function () {
    skipUnlessKnown(this);
    const folder = mkdtempSync(join(tmpdir(), 'faultline-live-test-'));
    try {
      const path = join(folder, 't.jsonl.gz');
      await suite('--record', path);
      expect(existsSync(path)).to.equal(true);
      expect(gunzipSync(readFileSync(path)).equals(gunzipSync(readFileSync(RECORDING)))).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
