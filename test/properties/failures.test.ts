/** Failures of properties: stored, replayed first, retired when they hold. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { holds } from '../../properties/properties.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { PropertyFailure, replayAsked, replayStored, retire, storedFailures } from '../helpers/failures.ts';
import { assertHolds } from '../helpers/hold.ts';
import { seed } from '../helpers/seed.ts';

const digester = await createDigester();

describe('a property that does not hold', () => {
  let folder = '';
  let error: PropertyFailure | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
    try {
      assertHolds(holds, digester, { count: 300, kernel: 'kevlar+no-teardown', folder });
    } catch (thrown) {
      if (!(thrown instanceof PropertyFailure)) throw thrown;
      error = thrown;
    }
  });

  after(() => rmSync(folder, { recursive: true }));

  it('says what, with which seed, the shrunk trace, and how to run it again', () => {
    const path = join(folder, `holds-${seed}.jsonl`);
    const lines = error!.message.split('\n');
    expect(lines[0]).to.match(/^invariant: holds does not hold: /);
    expect(error!.message).to.include(`SEED=${seed} npm test`).and.include(`npm test -- --replay ${path}`);
    for (const command of ['replay', 'explain', 'view']) expect(error!.message).to.include(`npx faultline ${command} ${path}`);
    expect(lines.find((line) => line.startsWith('  trace'))).to.match(/^ {2}trace {4}p1 [^;]+(; [^;]+)?$/);
  });

  it('is stored as a trace that replays with the digest that it says', async () => {
    const [path] = storedFailures(folder);
    const trace = await readTrace(path!);
    expect(trace.header.source?.note).to.match(/^property holds: /);
    expect(replay(trace, { digester, check: 'changes' }).expectation).to.equal('met');
  });

  it('fails again when it is replayed, until it holds; then it is put away', async () => {
    const [path] = storedFailures(folder);
    const thrown = await replayStored(path!, seed, digester).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(thrown).to.be.instanceOf(PropertyFailure);
    writeFileSync(path!, readFileSync(path!, 'utf8').replace('kevlar+no-teardown', 'kevlar'));
    await replayStored(path!, seed, digester);
    const held = retire(path!, folder);
    expect(existsSync(held)).to.equal(true);
    expect(storedFailures(folder)).to.deep.equal([]);
  });
});

describe('replayAsked', () => {
  it('takes --replay FILE, --replay=FILE or REPLAY=FILE', () => {
    expect(replayAsked(['node', 'mocha', '--replay', 'f.jsonl'], {})).to.equal('f.jsonl');
    expect(replayAsked(['node', 'mocha', '--replay=f.jsonl'], {})).to.equal('f.jsonl');
    expect(replayAsked(['node', 'mocha'], { REPLAY: 'f.jsonl' })).to.equal('f.jsonl');
    expect(replayAsked(['node', 'mocha'], {})).to.equal(undefined);
  });
});
