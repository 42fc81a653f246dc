/** Visits: the same moment looks the same on whichever way it is reached, and what is shown as wrong is what the checker finds. */
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { FindingScan } from '../../../sim/viewer/findings.ts';
import { Lockstep } from '../../../sim/viewer/lockstep.ts';
import { momentAt } from '../../../sim/viewer/moment.ts';
import { FLAG, Overview, type OverviewPart } from '../../../sim/viewer/overview.ts';
import { Session } from '../../../sim/viewer/session.ts';
import type { Trace } from '../../../traces/codec.ts';
import { runs } from '../../helpers/seed.ts';

const RECORDING = 'traces/recorded/ls-sort-head.jsonl.gz';
const REGRESSIONS = readdirSync('traces/regressions').filter((name) => name.endsWith('.jsonl'));
const regression = (name: string): Promise<Trace> => readTrace(`traces/regressions/${name}`);

describe('a session', () => {
  it('shows the same moment on whichever way it is reached (a recording)', async () => {
    const { header, ops } = await readTrace(RECORDING);
    const travelled = new Session(header, ops);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: ops.length - 1 }), { minLength: 1, maxLength: 4 }), (places) => {
        for (const op of places) momentAt(travelled, op, {});
        const last = places.at(-1)!;
        expect(momentAt(travelled, last, {})).to.deep.equal(momentAt(new Session(header, ops), last, {}));
      }),
      { numRuns: runs(12) },
    );
  });

  it(`goes back and forth through each regression as forwards only (${REGRESSIONS.length})`, async () => {
    for (const name of REGRESSIONS) {
      const { header, ops } = await regression(name);
      const [forwards, travelled] = [new Session(header, ops), new Session(header, ops)];
      for (const [op] of ops.entries()) {
        const direct = momentAt(forwards, op, {});
        momentAt(travelled, ops.length - 1, {});
        expect(momentAt(travelled, op, {}), `${name}, op ${op}`).to.deep.equal(direct);
      }
    }
  });

  it('stops where the kernel’s own assertion fails, and goes back from there', async () => {
    const { header, ops } = await regression('no-frame-panics.jsonl');
    const session = new Session(header, ops);
    const last = momentAt(session, ops.length - 1, {});
    expect(last.bug).to.match(/a fault can always be served/);
    expect(momentAt(session, last.op - 1, {}).bug).to.equal(undefined);
    expect(momentAt(session, -1, {}).op).to.equal(-1);
    expect(momentAt(session, ops.length - 1, {})).to.deep.equal(last);
  });

  it('shows every wrong byte that the checker finds in a mapped page', async () => {
    for (const name of REGRESSIONS) {
      const { header, ops } = await regression(name);
      const { findings } = new FindingScan(header, ops, {}).run(() => false);
      for (const { kind, op, pid, address, message } of findings) {
        if (kind !== 'reference' || address === undefined || op >= ops.length || !message.startsWith('the page as mapped')) continue;
        const { space, bytes } = momentAt(new Session(header, ops), op, { pid, address });
        if (space === undefined || bytes?.actual === undefined) continue; // found before an exec or an exit
        expect(space.wrongPages, `${name}: ${message}`).to.include(address - (address % 4096));
        expect(bytes.wrong[0]!.start).to.be.at.most(address % 4096);
      }
    }
  });
});

describe('the pieces of a page', () => {
  it('are ascending, disjoint, and lead to ops that have run', async () => {
    for (const name of REGRESSIONS) {
      const { header, ops } = await regression(name);
      const { region } = momentAt(new Session(header, ops), ops.length - 1, {});
      for (const { pieces } of region?.cells ?? []) {
        pieces.forEach(({ start, end, ops: led }, i) => {
          expect(start).to.be.lessThan(end);
          expect(start).to.be.at.least(pieces[i - 1]?.end ?? 0);
          for (const op of led) expect(op).to.be.lessThan(ops.length);
        });
      }
    }
  });

  it('say that the bytes in the gap came out of the page cache, and lead to who cached them and who copied', async () => {
    const { header, ops } = await regression('assembly-copies-whole-page.jsonl');
    const moment = momentAt(new Session(header, ops), 2, {});
    const cell = moment.region!.cells.find(({ wrong }) => wrong.length > 0)!;
    expect(cell.pieces.map(({ source, ops: led }) => [source, led])).to.deep.equal([['cache', [1, 2]]]);
    expect(cell.wrong).to.deep.equal([{ start: 0x1f0, end: 0x1000 }]);
    expect(moment.address).to.equal(0x12000);
  });
});

describe('the overview', () => {
  it('is the same in slices of any length, and whoever visits in between', async () => {
    const { header, ops } = await readTrace(RECORDING);
    const whole = collect(new Session(header, ops), () => false);
    const session = new Session(header, ops);
    const pieces = collect(
      session,
      () => true,
      () => void momentAt(session, 17, {}),
    );
    expect(pieces).to.deep.equal(whole);
    expect(whole.flags.filter((flags) => (flags & FLAG.exec) !== 0)).to.have.length(ops.filter(({ op }) => op === 'exec').length);
  });
});

function collect(
  session: Session,
  isOutOfTime: () => boolean,
  between: () => void = () => undefined,
): Omit<OverviewPart, 'from' | 'lanes' | 'flags'> & { flags: number[]; lanes: number[] } {
  const overview = new Overview(session);
  const all = { flags: [] as number[], lanes: [] as number[], samples: [] as OverviewPart['samples'][number][] };
  for (;;) {
    const { flags, lanes, samples, isDone } = overview.run(isOutOfTime);
    all.flags.push(...flags);
    all.lanes.push(...lanes);
    all.samples.push(...samples);
    if (isDone) return all;
    between();
  }
}

describe('two kernels in lockstep', () => {
  const partingsOf = async (against: string): Promise<Lockstep['partings']> => {
    const { header, ops } = await regression('assembly-copies-whole-page.jsonl');
    const lockstep = new Lockstep(new Session(header, ops), new Session(header, ops, { kernel: against }));
    while (lockstep.step());
    return lockstep.partings;
  };

  it('never part from themselves', async () => {
    expect(await partingsOf('kevlar+assembly-copies-whole-page')).to.deep.equal({ events: undefined, answer: undefined });
  });

  it('part where one assembles another page', async () => {
    const { events, answer } = await partingsOf('kevlar');
    expect(events?.op).to.equal(2);
    expect(events?.text).to.match(/^event \d+(,| is) .*assembly_page/);
    expect(answer).to.equal(undefined);
  });
});
