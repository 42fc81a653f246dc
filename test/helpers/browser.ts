/** A headless browser for tests of the viewer's page, if the machine has one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { chromium, type Browser, type Page } from 'playwright-core';
import { faultline } from './command-line.ts';

const CANDIDATES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const BROWSER_PATH = CANDIDATES.find((path) => path !== undefined && existsSync(path));

/** The page under test, and everything that it did which it must not. */
export interface OpenPage {
  readonly page: Page;
  /** Requests beside the page itself, and errors. */
  readonly offences: readonly string[];
}

/** One browser and one folder for the pages of a suite. */
export class Viewer {
  private browser: Browser | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'faultline-view-'));
  private count = 0;

  /** Builds the page and starts the browser; skips the suite where there is none. */
  async start(context: Context): Promise<void> {
    if (BROWSER_PATH === undefined) {
      process.stderr.write('no browser was found (apt-get install chromium, or CHROMIUM=PATH): the tests of the page are skipped\n');
      context.skip();
    }
    execFileSync(process.execPath, ['scripts/build-viewer.mjs']);
    this.browser = await chromium.launch({ executablePath: BROWSER_PATH, args: ['--no-sandbox'] });
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Makes a page as the command line does. @returns its path */
  async write(...args: readonly string[]): Promise<string> {
    const file = join(this.folder, `${this.count++}.html`);
    const { code, err } = await faultline('view', ...args, '--out', file);
    if (code !== 0) throw new Error(err);
    return file;
  }

  /** Opens a file, and waits for its trace if it has one. */
  async open(file: string, { link = '', width = 1280, dark = false, isEmpty = false } = {}): Promise<OpenPage> {
    const page = await this.browser!.newPage({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
    const offences: string[] = [];
    page.on('pageerror', (error) => offences.push(String(error.stack)));
    page.on('console', (message) => offences.push(message.text()));
    page.on('request', (request) => {
      if (!/^(file|blob|data):/.test(request.url())) offences.push(request.url());
    });
    await page.goto(`file://${file}${link}`);
    if (!isEmpty) await page.locator('.panels').waitFor();
    return { page, offences };
  }
}

/** Waits until the moment of an op is shown. */
export const shows = (page: Page, op: number): Promise<void> => page.locator(`.panels[data-op="${op}"]`).waitFor();
