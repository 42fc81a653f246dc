/** Plots: text stays text, files are well-formed, and what a sweep or a hunt found is in them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { element, render, shorten } from '../../../sim/plot/markup.ts';
import { sweepPage, sweepSvgFile } from '../../../sim/plot/sweep-page.ts';
import { sweepGrid, type SweepPoint } from '../../../sim/plot/sweep-points.ts';
import { faultline } from '../../helpers/command-line.ts';

const TRACE = 'traces/regressions/assembly-copies-whole-page.jsonl';
const HOSTILE = '<img src=x onerror="alert(1)">\'&]]>\u0000\u202e';

/** Are all tags closed in order, and is all else text without `<` or a bare `&`? */
function isWellFormed(markup: string): boolean {
  const open: string[] = [];
  const rest = markup.replace(
    /<(\/?)([a-z][a-z0-9]*)((?: [a-zA-Z][\w:-]*="[^"<]*")*)(\/?)>/g,
    (_tag, closes: string, name: string, _attributes, isEmpty: string) => {
      if (closes !== '') open.push(open.pop() === name ? '' : '!');
      else if (isEmpty === '') open.push(name);
      if (open.at(-1) === '') open.pop();
      return '';
    },
  );
  return open.length === 0 && !rest.includes('<') && !/&(?!amp;|lt;|gt;|quot;|#39;)/.test(rest);
}

const POINTS: readonly SweepPoint[] = [600, 0, 128].map((threshold) => ({
  ...{ kernel: HOSTILE, threshold, outcome: 'failed', found: HOSTILE, op: 12345, address: '0x1000' },
  ...{ assemblies: 1, faults: 0, checks: '1/2' },
}));

describe('markup', function () {
  this.timeout(20_000);
  it('escapes any text, in elements and attributes', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        isWellFormed(render(element('a', { title: text }, text, element('b', {}, text)))),
      ),
    ));

  it('lets no control, lone surrogate or mark of direction through', () =>
    expect(render('a\u0000\u001b\u0085\ud800\u202e\u2066\ufffeb')).to.equal(`a${'\ufffd'.repeat(7)}b`));

  it('shortens by letters, not by halves of them', () => expect(shorten('😀😀😀😀', 3)).to.equal('😀😀…'));
});

describe('a plot of a sweep', () => {
  const sweep = { name: HOSTILE, ops: 3, check: 'end', points: POINTS };

  it('is well-formed, whatever things are called', () => {
    for (const text of [sweepSvgFile(sweep).replace(/^<\?xml.*\?>\n/, ''), sweepPage(sweep).replace('<!doctype html>\n', '')]) {
      expect(isWellFormed(text.trim())).to.equal(true);
      expect(text).to.include('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;').and.not.include('<img');
    }
  });

  it('has the thresholds ascending, each once', () => expect(sweepGrid([...POINTS, ...POINTS]).thresholds).to.deep.equal([0, 128, 600]));
});

describe('--plot', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'faultline-plot-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('draws a sweep, the same each time, beside the table', async () => {
    const args = ['sweep', TRACE, '--kernels', 'kevlar,kevlar@m9.8', '--thresholds', '0,600'];
    const plain = await faultline(...args);
    for (const name of ['a.svg', 'b.svg', 'c.html']) expect(await faultline(...args, '--plot', join(folder, name))).to.deep.equal(plain);
    const svg = readFileSync(join(folder, 'a.svg'), 'utf8');
    expect(svg).to.equal(readFileSync(join(folder, 'b.svg'), 'utf8'));
    expect(svg).to.include('kevlar@m9.8: failed, zero-gap at op 2 at 0; ');
    expect(readdirSync(folder).sort()).to.deep.equal(['a.svg', 'b.svg', 'c.html']);
  });

  it('writes the mutant board, survivors with the reason', async () => {
    const file = join(folder, 'm.html');
    await faultline('mutants', '--only', 'no-teardown,huge-block-by-region', '--runs', '1', '--plot', file);
    const html = readFileSync(file, 'utf8');
    expect(html).to.include('nothing found in 1 run of 1 seed').and.include('refcount-exact');
    expect(isWellFormed(html.replace('<!doctype html>\n', '').trim())).to.equal(true);
  });

  it('refuses other endings and a folder that is not there, before it runs anything', async () => {
    const endings = [await faultline('sweep', TRACE, '--plot', 'a.png'), await faultline('mutants', '--plot', 'a.svg')];
    expect(endings.map(({ code }) => code)).to.deep.equal([1, 1]);
    expect(endings[0]!.err).to.include('must end in .svg or .html');
    const nowhere = await faultline('mutants', '--plot', join(folder, 'no', 'm.html'));
    expect([nowhere.code, nowhere.err]).to.satisfy(([code, err]: [number, string]) => code === 1 && err.includes('cannot be written'));
  });
});
