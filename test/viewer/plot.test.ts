/** Plots in a real browser, light, dark and narrow: marks and labels are there and can be told from their ground, nothing overflows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sweepPage, sweepSvgFile, type Sweep } from '../../sim/plot/sweep-page.ts';
import type { SweepPoint } from '../../sim/plot/sweep-points.ts';
import { Viewer } from '../helpers/browser.ts';
import { faultline } from '../helpers/command-line.ts';

const EVIL = `</title></style></script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">${'long '.repeat(40)}`;
const EVIL_NAME = '<script>window.pwned=1</script>';
const THRESHOLDS = [0, 64, 127, 128, 129, 600, 1000, 5000, 20_000, 600_000];
const OUTCOMES = ['held', 'asleep', 'failed', 'diverged', 'limit'] as const;
const MUTANTS = ['no-teardown', 'huge-block-by-region'];
const WINDOWS = [
  { says: 'light', width: 1280, dark: false },
  { says: 'dark', width: 1280, dark: true },
  { says: '400 pixels, light', width: 400, dark: false },
  { says: '400 pixels, dark', width: 400, dark: true },
];

const NOTHING = { found: undefined, op: undefined, address: undefined };

/** Every outcome on two kernels, all names hostile. */
const SWEEP: Sweep = {
  name: EVIL_NAME,
  ops: 1_000_000,
  check: 'end',
  points: ['a', 'b'].flatMap((name) =>
    THRESHOLDS.map((threshold, i): SweepPoint => {
      const outcome = OUTCOMES[i % OUTCOMES.length]!;
      const finding = outcome === 'held' ? NOTHING : { found: EVIL, op: 999_999, address: '0xa00000000' };
      return { kernel: `${name}${EVIL}`, threshold, outcome, ...finding, assemblies: i, faults: i * 100_000, checks: '100/100' };
    }),
  ),
};

/** What a page says of its own look. */
interface Look {
  /** Pixels, with what lies beyond the window. */
  readonly width: number;
  /** Luminance of what is drawn on, 0 to 1. */
  readonly ground: number;
  readonly marks: number;
  readonly labels: readonly string[];
  /** What cannot be told from its ground, by WCAG 2.2: contrast 3 for what is drawn (1.4.11), 4.5 for text (1.4.3). */
  readonly faint: readonly string[];
  /** Texts that leave their drawing or cell, or lie on another. */
  readonly misplaced: readonly string[];
}

const LOOK = `(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const first = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
  const ground = all('.ground').length > 0 ? first('.ground', 'fill') : first('figure, table', 'backgroundColor');
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const isFaint = (least, colour, behind) => {
    const [dark, light] = [luminance(colour), luminance(behind)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05) < least;
  };
  const fill = (element) => getComputedStyle(element).fill;
  const texts = all('text').map((text) => ({ text, box: text.getBoundingClientRect(), sheet: text.closest('svg').getBoundingClientRect() }));
  const isOnAnother = ({ text, box }) =>
    texts.some(({ text: other, box: its }) => other !== text &&
      Math.min(box.right, its.right) - Math.max(box.left, its.left) > 1 && Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top) > 3);
  const ownText = ({ childNodes }) => [...childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data).join('');
  const root = document.documentElement;
  return {
    width: Math.max(root.scrollWidth, root.getBoundingClientRect().right),
    ground: luminance(ground),
    marks: all('.mark').length,
    labels: all('text, th').map(ownText),
    faint: [
      ...all('text').filter((text) => isFaint(4.5, fill(text), ground)),
      ...all('th, td').filter((cell) => isFaint(4.5, getComputedStyle(cell).color, ground)),
      ...all('.mark').filter((mark) => isFaint(3, getComputedStyle(mark).stroke, fill(mark.previousElementSibling))),
      ...all('.bar').filter((bar) => isFaint(3, fill(bar), ground)),
    ].map((element) => element.outerHTML),
    misplaced: [
      ...texts.filter((one) => one.box.left < one.sheet.left || one.box.right > one.sheet.right || isOnAnother(one)).map(({ text }) => text),
      ...all('td > div').filter((cell) => cell.scrollWidth > cell.clientWidth),
    ].map((element) => element.outerHTML),
  };
})()`;

describe('a plot in the browser', function () {
  this.timeout(120_000);
  const viewer = new Viewer();
  const folder = mkdtempSync(join(tmpdir(), 'faultline-plots-'));
  const files = { page: join(folder, 'sweep.html'), svg: join(folder, 'sweep.svg'), board: join(folder, 'mutants.html') };
  before(async function () {
    await viewer.start(this);
    writeFileSync(files.page, sweepPage(SWEEP));
    writeFileSync(files.svg, sweepSvgFile(SWEEP));
    await faultline('mutants', '--only', MUTANTS.join(), '--runs', '1', '--plot', files.board);
  });
  after(async () => {
    await viewer.stop();
    rmSync(folder, { recursive: true });
  });

  /** Opens a plot, asks for its look, and closes it. */
  async function lookOf(file: string, { width, dark }: { readonly width: number; readonly dark: boolean }): Promise<Look> {
    const { page, offences } = await viewer.open(file, { width, dark, isEmpty: true });
    const look = await page.evaluate<Look>(LOOK);
    expect(offences).to.deep.equal([]);
    await page.close();
    return look;
  }

  for (const { says, ...window } of WINDOWS) {
    for (const kind of ['page', 'svg', 'board'] as const) {
      it(`can be read (${kind}, ${says})`, async () => {
        const { width, ground, marks, labels, faint, misplaced } = await lookOf(files[kind], window);
        expect({ faint, misplaced }).to.deep.equal({ faint: [], misplaced: [] });
        expect(width).to.be.at.most(window.width);
        expect(window.dark ? ground < 0.1 : ground > 0.9).to.equal(true);
        if (kind === 'board') {
          expect(marks).to.equal(MUTANTS.length);
          for (const id of MUTANTS) expect(labels.filter((label) => label.startsWith(id))).to.have.length(1);
        } else {
          expect(marks).to.equal(SWEEP.points.length + OUTCOMES.length);
          expect(labels).to.include.members(['Failures', 'Assemblies', 'Faults', ...THRESHOLDS.map(String), '999999', '900000']);
          for (const name of ['a', 'b']) expect(labels.filter((label) => label.startsWith(`${name}</title>`))).to.have.length.at.least(3);
        }
      });
    }
  }

  for (const kind of ['page', 'svg'] as const) {
    it(`shows hostile strings as text (${kind})`, async () => {
      const { page, offences } = await viewer.open(files[kind], { isEmpty: true });
      expect(await page.locator('script, img').count()).to.equal(0);
      expect(await page.evaluate("'pwned' in window")).to.equal(false);
      expect(await page.title()).to.equal(`Sweep of ${EVIL_NAME}`);
      expect(await page.locator('title').allTextContents()).to.include(`a${EVIL}`);
      expect(offences).to.deep.equal([]);
      await page.close();
    });
  }
});
