/**
 * The address space that exec makes, beside that of the kernel of this machine: programs of our own tell what they find before
 * anything else has run. Position-dependent, position-independent, and with an interpreter.
 *
 * Needs Linux on x86-64, a C compiler and setarch (util-linux); skips with the reason otherwise.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { File, linuxDesign, loadRequest, planExec, protName, type ExecPlan } from '../../kernel-model/index.ts';

const SOURCE = new URL('exec-layout.c', import.meta.url).pathname;
const FLAGS = ['-O1', '-nostdlib', '-ffreestanding', '-fno-stack-protector'];

interface Told {
  readonly vmas: readonly string[];
  readonly words: readonly string[];
}

/** Why the kernel of this machine cannot be asked. */
function missing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `it is ${process.platform} on ${process.arch}, not Linux on x86-64`;
  try {
    execFileSync('setarch', ['-R', 'true'], { stdio: 'ignore' });
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'there is no cc or no setarch (apt install gcc util-linux)';
  }
  return undefined;
}

const hex = (value: number): string => value.toString(16);

/** What a program says of itself, run without randomisation. */
function told(path: string): Told {
  const text = execFileSync('setarch', ['-R', path, 'first', 'second'], { env: { A: '1', LONG: 'x'.repeat(100) } }).toString();
  const lines = text.trimEnd().split('\n');
  const isVma = (line: string): boolean => /^[0-9a-f]+-/.test(line);
  const vmas = lines.filter(isVma).filter((line) => !line.includes('[vsyscall]'));
  return { vmas: vmas.map(shortened), words: lines.filter((line) => !isVma(line)).map((line) => line.replace(/ 0+(?=.)/, ' ')) };
}

/** `400000-401000 r--p 0` of a line of maps. */
function shortened(line: string): string {
  const [range, rights, offset] = line.split(/\s+/);
  return `${range!.replace(/(^|-)0+/g, '$1')} ${rights!} ${hex(parseInt(offset!, 16))}`;
}

/** The same of a plan. */
function planned(path: string, interpreter: string | undefined): Told {
  const files = [path, ...(interpreter === undefined ? [] : [interpreter])].map((name) => new File(name, [], readFileSync(name), true));
  const design = linuxDesign(512);
  const argv = [path, 'first', 'second'];
  const request = loadRequest(new Map(files.map((file) => [file.path, file])), design.userEnd, path, argv, [
    'A=1',
    `LONG=${'x'.repeat(100)}`,
  ]);
  const plan = typeof request === 'string' ? request : planExec(design, request);
  if (typeof plan === 'string') throw new Error(plan);
  const vmas = plan.vmas.map(({ start, end, prot, backing }) => {
    const rights = ['r', 'w', 'x'].map((right) => (protName(prot).includes(right) ? right : '-')).join('');
    const offset = backing === undefined || backing.file.path === '[vdso]' ? 0 : backing.offset;
    return `${hex(start)}-${hex(end)} ${rights}p ${hex(offset)}`;
  });
  return { vmas, words: wordsOf(plan) };
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'phdr'],
  [7, 'base'],
  [9, 'entry'],
  [15, 'platform'],
  [25, 'random'],
  [31, 'path'],
  [33, 'vdso'],
]);

/** What the stack of a plan says, as the program says it. */
function wordsOf({ stackPointer, stackPages }: ExecPlan): readonly string[] {
  const first = stackPages[0]!.address;
  const bytes = Buffer.concat(stackPages.map((page) => page.bytes));
  let at = stackPointer - first;
  const next = (): number => {
    at += 8;
    return Number(bytes.readBigUInt64LE(at - 8));
  };
  const words = [`argc ${hex(next())}`];
  for (const name of ['argv', 'env']) for (let pointer = next(); pointer !== 0; pointer = next()) words.push(`${name} ${hex(pointer)}`);
  for (let key = next(); key !== 0; key = next()) {
    const [name, value] = [NAMES.get(key), next()];
    if (name !== undefined) words.push(`${name} ${hex(value)}`);
  }
  return words;
}

describe('exec on linux, beside the kernel of this machine', function () {
  const reason = missing();
  let folder = '';

  before(function () {
    if (reason === undefined) {
      folder = mkdtempSync(join(tmpdir(), 'faultline-exec-'));
      return;
    }
    console.log(`    skipped: ${reason}`);
    this.skip();
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  const build = (name: string, ...flags: readonly string[]): string => {
    const path = join(folder, name);
    execFileSync('cc', [...FLAGS, ...flags, '-o', path, SOURCE]);
    return path;
  };

  function expectSame(path: string, interpreter?: string): void {
    const [real, model] = [told(path), planned(path, interpreter)];
    expect(model.vmas).to.deep.equal(real.vmas);
    expect([...model.words].sort()).to.deep.equal([...real.words].sort());
  }

  it('lays out a program at fixed addresses', () => {
    expectSame(build('fixed', '-static', '-no-pie'));
  });

  it('lays out a program at fixed addresses whose segments share pages of the file', () => {
    expectSame(build('packed', '-static', '-no-pie', '-Wl,-z,noseparate-code'));
  });

  it('lays out a position-independent program without an interpreter', () => {
    expectSame(build('static-pie', '-static-pie', '-fPIE'));
  });

  it('lays out a position-independent program and its interpreter', () => {
    const loader = build('loader', '-static-pie', '-fPIE');
    expectSame(build('dynamic', '-pie', '-fPIE', `-Wl,--dynamic-linker=${loader}`), loader);
  });
});
