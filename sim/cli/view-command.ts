/** `faultline view`: puts a trace into the viewer's page, writes it as one HTML file, and opens it in the browser. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeHeader, encodeOp, type Trace } from '../../traces/codec.ts';
import { Replay } from '../replay.ts';
import { SILENT_DIGESTER } from '../viewer/silent-digester.ts';
import type { CommandDefinition } from './context.ts';
import { modulePath } from './kernel-module.ts';
import { kernelScript } from './kernel-script.ts';
import { jsonOption, kernelName, suppliedFile, wholeNumber } from './options.ts';
import { packageFile } from './package-files.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { writeWhole } from './whole-file.ts';
import { readTrace } from './trace-file.ts';

interface ViewFlags {
  readonly out?: string;
  readonly kernel?: string;
  readonly against?: string;
  readonly threshold?: number;
  readonly op?: number;
  readonly file?: ReadonlyMap<string, Uint8Array>;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  faultline view traces/regressions/assembly-copies-whole-page.jsonl
  faultline view t.jsonl --out t.html                          write only; the file needs no server and no network
  faultline view t.jsonl --kernel kevlar@m9.8 --threshold 0
  faultline view t.jsonl --kernel kevlar@m9.8 --against kevlar  two kernels side by side
  faultline view t.jsonl --kernel mine.ts --against kevlar     a kernel of your own: its module goes into the page
  faultline view --out viewer.html                             an empty page, on which traces can be dropped

In the page ? shows the keys. Exit codes: 0 written, 1 usage or malformed trace.`;

export const defineView: CommandDefinition = (program, { terminal }) => {
  program
    .command('view')
    .description('look at a trace in the browser, as one HTML file')
    .argument('[trace]', 'trace file: .jsonl, .jsonl.gz, .jsonl.zst, or - for standard input')
    .option('-o, --out <file>', 'write the page to this file, and do not open it')
    .option('-k, --kernel <kernel>', 'kernel instead of the trace’s own; faultline kernels lists them', kernelName)
    .option('--against <kernel>', 'a second kernel, shown beside the first', kernelName)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page', wholeNumber)
    .option('--op <op>', 'the op to open at, counted from 0', wholeNumber)
    .option('--file <sha256=path>', 'content of a file that the trace names by digest; may be repeated', suppliedFile)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined, flags: ViewFlags) => {
      await view(path, flags, terminal);
    });
};

async function view(path: string | undefined, flags: ViewFlags, terminal: Terminal): Promise<void> {
  const page = viewerPage();
  const trace = path === undefined ? undefined : await readTrace(path);
  terminal.throwIfInterrupted(() => 'while reading the trace');
  if (trace !== undefined) checkRunnable(trace, flags);
  const name = path === undefined ? '' : path === '-' ? 'standard input' : basename(path);
  const html = await withKernels(trace === undefined ? page : withTrace(page, trace, name, flags), flags);
  const out = flags.out === undefined ? join(await mkdtemp(join(tmpdir(), 'faultline-')), 'view.html') : resolve(flags.out);
  await writeWhole(out, html);
  const isOpened = flags.out === undefined && (await openInBrowser(out, flags.op));
  if (flags.json === true)
    await terminal.write(
      `${JSON.stringify({ file: out, bytes: Buffer.byteLength(html), ops: trace?.ops.length ?? null, opened: isOpened })}\n`,
    );
  else await terminal.writeLines([`${out}${flags.op === undefined ? '' : `#op=${flags.op}`}`]);
  if (flags.out === undefined && !isOpened) terminal.remark('No browser could be started: open the file yourself.');
}

/** The page as the build made it. @throws UsageError if it was not built */
function viewerPage(): string {
  try {
    return readFileSync(packageFile('dist/viewer/page.html'), 'utf8');
  } catch {
    throw new UsageError('the viewer is not built: run `npm run build` first');
  }
}

/** Says here what the page would have to say later. @throws ReplayError, TraceError */
function checkRunnable({ header }: Trace, { kernel, against, threshold, file }: ViewFlags): void {
  const parameters = threshold === undefined ? {} : { assembleThreshold: threshold };
  for (const name of against === undefined ? [kernel] : [kernel, against])
    new Replay(header, { kernel: name, parameters, check: 'none', supplied: file, digester: SILENT_DIGESTER });
}

function withTrace(page: string, { header, ops }: Trace, name: string, { kernel, against, threshold, op, file }: ViewFlags): string {
  const supplied =
    file === undefined
      ? undefined
      : Object.fromEntries([...file].map(([digest, bytes]) => [digest, Buffer.from(bytes).toString('base64')]));
  const lines = [encodeHeader(header), ...ops.map(encodeOp), ''].join('\n');
  const options = JSON.stringify({ name, kernel, against, threshold, op, supplied });
  return page
    .replace('/*options*/', () => options.replaceAll('<', '\\u003c'))
    .replace('/*trace*/', () => gzipSync(lines, { level: 9 }).toString('base64'));
}

/** The page with the users' own kernels that flags name. @throws UsageError that begins with a module's path */
async function withKernels(page: string, { kernel, against }: ViewFlags): Promise<string> {
  const paths = new Set([kernel, against].flatMap((name) => (name === undefined ? [] : (modulePath(name) ?? []))));
  const scripts = await Promise.all([...paths].map((path) => kernelScript(path)));
  // Inside a script element nothing may look like its end, or like the start of a comment.
  const text = scripts.join('').replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  return page.replace('/*kernels*/', () => text);
}

const OPENERS: Partial<Readonly<Record<NodeJS.Platform, readonly string[]>>> = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] };

/** Asks the system to show the file. @returns whether it could be asked */
function openInBrowser(path: string, op: number | undefined): Promise<boolean> {
  const [command = 'xdg-open', ...args] = OPENERS[process.platform] ?? [];
  const url = `file://${path}${op === undefined ? '' : `#op=${op}`}`;
  return new Promise((settle) => {
    const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
    child.once('error', () => settle(false));
    child.once('spawn', () => {
      child.unref();
      settle(true);
    });
  });
}
