/** The viewer's page in a real browser: every view, by keyboard, with good, damaged and hostile traces. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { shows, Viewer } from '../helpers/browser.ts';

const SHRUNK = 'traces/regressions/assembly-copies-whole-page.jsonl';
const RECONSTRUCTED = 'traces/reconstructed/exec-127-tail.jsonl';
const RECORDED = 'traces/recorded/suite20-0x400000.jsonl.gz';
/** Copies the whole page out of the cache, as kevlar@m9.8 did; and a text that could end the script it stands in. */
const EAGER = `
import { defineKernel, Rules } from 'faultline';
class Eager extends Rules {
  override assemblySource(): 'cachedPage' { return 'cachedPage'; }
}
export const kernel = defineKernel({ name: 'eager', says: '</script><!--', rules: Eager });
`;
const FILE_BYTES_MAX = 2 ** 20;

describe('the viewer', function () {
  this.timeout(180_000);
  const viewer = new Viewer();
  before(async function () {
    await viewer.start(this);
  });
  after(() => viewer.stop());

  describe('with a shrunk trace', () => {
    let page: Page;
    let offences: readonly string[];
    before(async () => {
      const file = await viewer.write(SHRUNK);
      expect(statSync(file).size).to.be.at.most(FILE_BYTES_MAX);
      ({ page, offences } = await viewer.open(file));
      await shows(page, 2);
    });
    after(async () => {
      expect(offences).to.deep.equal([]);
      await page.close();
    });

    it('opens at the failure and says what it is', async () => {
      expect(await page.locator('.verdict.failed').innerText()).to.equal('failed: zero-gap at op 2');
      expect(await page.locator('.findings pre').first().innerText()).to.contain('where there must be 0x0');
    });

    it('shows each page of the huge page, the wrong ones marked and explained', async () => {
      expect(await page.getByRole('gridcell').count()).to.equal(4);
      expect(await page.locator('.cell.wrong').count()).to.equal(2);
      expect(await page.locator('.cell.chosen').getAttribute('aria-label')).to.match(
        /page 2, 0x12000.*wrong bytes, the first at 0x121f0.*assembly from frame/s,
      );
    });

    it('shows the bytes, the first difference in view', async () => {
      const mark = page.locator('.hex mark').first();
      expect(await mark.innerText()).to.match(/^20 /);
      const isInView = await page.evaluate(`(() => {
        const mark = document.querySelector('.hex mark');
        const [own, box] = [mark.getBoundingClientRect(), mark.closest('.hex').getBoundingClientRect()];
        return own.top >= box.top && own.bottom <= box.bottom;
      })()`);
      expect(isInView).to.equal(true);
    });

    it('shows VMAs, what changed, frames, holders and the cache', async () => {
      const space = await page.locator('.space.panel').innerText();
      expect(space)
        .to.match(/0x121f0-0x13000\s+rwxp\s+\[pad\]/)
        .and.to.contain('− 0xa00000000-0xa00001000 r--p /bin/two+0x2000');
      expect(await page.locator('.vmas > li.new').count()).to.equal(5);
      const frames = await page.locator('.frames.panel').innerText();
      expect(frames).to.contain('pid 1 at 0x12000, r-x').and.to.contain('page cache: 1 page').and.to.contain('huge-page cache: 1 block');
    });

    it('is moved by keyboard alone', async () => {
      await page.keyboard.press('Home');
      await shows(page, -1);
      await page.keyboard.press('ArrowRight');
      await shows(page, 0);
      await page.keyboard.press('f');
      await shows(page, 1);
      await page.keyboard.press('a');
      await shows(page, 2);
      await page.keyboard.press('ArrowLeft');
      await shows(page, 1);
      expect(page.url()).to.match(/#op=1$/);
      await page.keyboard.press('x');
      await shows(page, 2);
      await page.keyboard.press('Home');
      await page.keyboard.press('Space');
      await shows(page, 2);
      await page.keyboard.press('?');
      expect(await page.getByRole('dialog').innerText()).to.contain('next fault');
      await page.keyboard.press('Escape');
      expect(await page.getByRole('dialog').count()).to.equal(0);
    });

    it('follows wrong bytes to the op that cached them', async () => {
      await page.keyboard.press('x');
      await shows(page, 2);
      await page.locator('.cell.chosen').focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('.cell.chosen[aria-label^="page 3"]').waitFor();
      await page.keyboard.press('Enter');
      await shows(page, 1);
      expect(await page.locator('.op-list .current').innerText()).to.contain('touch r 0xa00000000');
    });

    it('names everything that can be focused', async () => {
      const nameless = await page.evaluate(`[...document.querySelectorAll('button, input, select, canvas, [tabindex="0"]')]
        .filter((element) => {
          const texts = [element.getAttribute('aria-label'), element.textContent, element.closest('label')?.textContent];
          return texts.every((text) => (text ?? '').trim() === '');
        })
        .map((element) => element.outerHTML.slice(0, 100))`);
      expect(nameless).to.deep.equal([]);
    });
  });

  it('goes to the op of its link, and follows the link when it changes', async () => {
    const { page } = await viewer.open(await viewer.write(SHRUNK), { link: '#op=0' });
    await shows(page, 0);
    await page.evaluate(`location.hash = '#op=1'`);
    await shows(page, 1);
    await page.close();
  });

  it('shows two kernels side by side, and where they part', async () => {
    const { page, offences } = await viewer.open(await viewer.write(RECONSTRUCTED, '--against', 'kevlar'));
    await page.locator('.partings').waitFor();
    expect(await page.locator('.side').count()).to.equal(2);
    expect(await page.locator('.partings').innerText()).to.match(/first do different things at: op \d+ event/);
    expect(await page.locator('.side-title').allInnerTexts()).to.deep.equal(['A kevlar@m9.8, threshold 128', 'B kevlar, threshold 128']);
    expect(offences).to.deep.equal([]);
    await page.close();
  });

  describe('with a kernel of a module', () => {
    let folder: string;
    // In the repository, so that the name of the package leads to it.
    before(() => {
      mkdirSync('findings', { recursive: true });
      folder = mkdtempSync('findings/view-');
    });
    after(() => rmSync(folder, { recursive: true }));

    it('runs it, and what is taken back of it', async () => {
      const path = join(folder, 'eager.ts');
      writeFileSync(path, EAGER);
      const { page, offences } = await viewer.open(
        await viewer.write(SHRUNK, '--kernel', path, '--against', `${path}~Eager.assemblySource`),
      );
      expect(await page.locator('.verdict.failed').innerText()).to.equal('failed: zero-gap at op 2');
      expect(await page.locator('.partings').innerText()).to.contain('op 2');
      expect(await page.locator('.cell.wrong').count()).to.be.greaterThan(0);
      expect(await page.locator('.side').nth(1).locator('.cell.wrong').count()).to.equal(0);
      expect(offences).to.deep.equal([]);
      await page.close();
    });
  });

  for (const dark of [false, true]) {
    it(`fits a window of 400 pixels (${dark ? 'dark' : 'light'})`, async () => {
      const { page } = await viewer.open(await viewer.write(RECONSTRUCTED), { width: 400, dark });
      expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(400);
      await page.close();
    });
  }

  it('opens a recorded BusyBox, reaches any op, and of many asked for shows the newest', async () => {
    const { page, offences } = await viewer.open(
      await viewer.write(RECORDED, '--kernel', 'kevlar@m9.8', '--threshold', '0', '--op', '783'),
    );
    await shows(page, 783);
    expect(await page.locator('.cell').count()).to.equal(512);
    expect(await page.locator('.cell.wrong').count()).to.be.greaterThan(0);
    await page.getByText('ops run in').waitFor();
    for (const op of [46_000, 12, 30_123]) {
      await page.evaluate(`location.hash = '#op=${op}'`);
      await shows(page, op);
    }
    // Asked for a hundred moments at once, it shows the newest and few of the others.
    await page.evaluate(`(() => {
      const panels = document.querySelector('.panels');
      window.shown = new Set();
      new MutationObserver(() => shown.add(panels.dataset.op)).observe(panels, { attributeFilter: ['data-op'] });
      for (let i = 0; i < 100; i++) document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
    })()`);
    await shows(page, 30_023);
    expect(await page.evaluate('shown.size')).to.be.at.most(10);
    expect(offences).to.deep.equal([]);
    await page.close();
  });

  describe('with a dropped file', () => {
    const drop = async (page: Page, name: string, bytes: Uint8Array): Promise<void> => {
      await page.evaluate(`(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(${JSON.stringify([...bytes])})], ${JSON.stringify(name)}));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
      })()`);
    };
    let page: Page;
    before(async () => {
      ({ page } = await viewer.open(await viewer.write(), { isEmpty: true }));
    });
    after(() => page.close());
    const plain = readFileSync(SHRUNK);

    it('says what is wrong with a damaged one, by line and field', async () => {
      await drop(page, 'bad.jsonl', Buffer.from(plain.toString().replace('"access":"r"', '"access":"q"')));
      await page.getByText(/bad\.jsonl:3: field `access`/).waitFor();
      await drop(page, 'cut.jsonl.gz', gzipSync(plain).subarray(0, 200));
      await page.getByText(/cut\.jsonl\.gz is damaged gzip data/).waitFor();
    });

    it('shows it, plain and gzip', async () => {
      await drop(page, 'plain.jsonl', plain);
      await shows(page, 2);
      await drop(page, 'packed.jsonl.gz', gzipSync(readFileSync(RECONSTRUCTED)));
      await page.getByText('failed: zero-gap at op 4').waitFor();
      expect(await page.title()).to.equal('packed.jsonl.gz · faultline');
    });
  });

  it('shows hostile strings as text', async () => {
    const evil = '</script><img src=x onerror="window.pwned=1">';
    const [header = '', ...ops] = readFileSync(SHRUNK, 'utf8').trimEnd().split('\n');
    const hostile = [
      header.replaceAll('/bin/two', JSON.stringify(`/bin/${evil}`).slice(1, -1)),
      ...ops.map((line) =>
        line
          .replaceAll('/bin/two', JSON.stringify(`/bin/${evil}`).slice(1, -1))
          .replace(/("op":"exec".*)\}$/, `$1,"argv":[${JSON.stringify(evil)}]}`),
      ),
    ];
    const file = join(tmpdir(), `<b>${process.pid}.jsonl`);
    writeFileSync(file, hostile.join('\n') + '\n');
    const { page, offences } = await viewer.open(await viewer.write(file));
    await shows(page, 2);
    expect(await page.locator('img, b:has-text("jsonl")').count()).to.equal(0);
    expect(await page.evaluate("'pwned' in window")).to.equal(false);
    expect(await page.locator('.space.panel').innerText()).to.contain(evil);
    expect(offences).to.deep.equal([]);
    await page.close();
  });
});
