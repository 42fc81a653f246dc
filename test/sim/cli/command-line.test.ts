/** The command line: what each command prints, which code it exits with, and what it says about wrong input. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { KERNELS, MUTANTS } from '../../../kernel-model/index.ts';
import { packageFile } from '../../../sim/cli/package-files.ts';
import { runCommandLine } from '../../../sim/cli/program.ts';
import { Terminal } from '../../../sim/cli/terminal.ts';
import { writeTrace } from '../../../sim/cli/trace-file.ts';
import type { TraceHeader } from '../../../traces/header.ts';
import { parseNotation } from '../../../traces/notation.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Five ops after which kevlar@m9.8 shows 0x65 where there must be zero: the post's first wrong byte. */
const TAIL = join(ROOT, 'traces/reconstructed/exec-127-tail.jsonl');
const SUITE20 = join(ROOT, 'traces/recorded/suite20.jsonl.gz');

const HEADER: TraceHeader = { faultline: 1, kernel: { name: 'kevlar', frames: 256 }, files: [] };
const MAPPING = 'p1 mmap 0x0 8192 rw private,anonymous = 0xa00000000\np1 touch w 0xa00000000+2\n';

let folder = '';
const at = (name: string): string => join(folder, name);

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
async function faultline(...args: readonly string[]): Promise<Answer> {
  const [out, err] = [new PassThrough({ highWaterMark: 2 ** 26 }), new PassThrough({ highWaterMark: 2 ** 26 })];
  const code = await runCommandLine(args, new Terminal(out, err, new AbortController().signal));
  const text = (stream: PassThrough): string => String((stream.read() as Buffer | null) ?? '').replaceAll(`${folder}/`, '');
  return { code, out: text(out), err: text(err) };
}

async function traceFile(name: string, notation: string, more: Partial<TraceHeader> = {}): Promise<string> {
  await writeTrace(at(name), { ...HEADER, ...more }, parseNotation(notation));
  return at(name);
}

function textFile(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

describe('the command line', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  describe('replay', () => {
    it('exits with 0 when the trace holds', async () => {
      const { code, out, err } = await faultline('replay', await traceFile('held.jsonl', MAPPING));
      expect([code, err]).to.deep.equal([0, '']);
      expect(out).to.match(/^held\n {2}kernel {5}kevlar, threshold 128\n {2}ran {8}2 ops, 0 execs, 1 fault, 0 assemblies\n/);
    });

    it('exits with 3 and tells a wrong byte in full', async () => {
      const { code, out } = await faultline('replay', TAIL);
      expect(code).to.equal(3);
      expect(out).to.match(/^failed: reference zero-gap at op 4\n/);
      for (const fact of [
        'address    0x51c000, in VMA 0x51c000-0x51cbf0 rwxp pad',
        'expected   0x0, zero fill',
        'found      0x65',
        'from       file /bin/busybox at 0x11b000 (op 2), then assembly from frame',
        '0x51c000   00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  expected\n             65 ',
        'process    pid 2, running /bin/busybox since exec 2',
        'at op      4, p2 exec /bin/busybox',
        '--kernel kevlar --threshold 128',
      ])
        expect(out).to.include(fact);
    });

    it('exits with 2 when only an invariant is broken', async () => {
      const { code, out } = await faultline('replay', TAIL, '--kernel', 'kevlar+stack-executable');
      expect(code).to.equal(2);
      expect(out).to.match(/^failed: invariant prot-subset at op 0\n/);
    });

    it('exits with 4 when an answer differs from the recording', async () => {
      const { code, out } = await faultline('replay', await traceFile('differs.jsonl', `${MAPPING}p1 munmap 0xa00000000 4096 = EINVAL\n`));
      expect(code).to.equal(4);
      expect(out).to.match(/^diverged at op 2: munmap answered 0, the recording has EINVAL\n/);
    });

    it('exits with 5 at a limit', async () => {
      const { code, out } = await faultline('replay', await traceFile('held.jsonl', MAPPING), '--max-ops', '1');
      expect(code).to.equal(5);
      expect(out).to.match(/^limit: stopped after 1 op, without a failure so far\n/);
      expect((await faultline('replay', at('held.jsonl'), '--max-seconds', '0.000001')).code).to.equal(5);
    });

    it('prints one JSON document, its first keys fixed in order', async () => {
      const { code, out, err } = await faultline('replay', TAIL, '--json');
      expect([code, err]).to.deep.equal([3, '']);
      const document = JSON.parse(out) as Record<string, unknown>;
      expect(Object.keys(document).slice(0, 10)).to.deep.equal([
        'verdict',
        'failure',
        'kernel',
        'threshold',
        'ops',
        'faults',
        'assemblies',
        'digest',
        'elapsedMs',
        'opsPerSecond',
      ]);
      const failure = document['failure'] as Record<string, unknown>;
      expect(Object.keys(failure).slice(0, 8)).to.deep.equal(['kind', 'id', 'op', 'pid', 'addr', 'expected', 'actual', 'message']);
      expect(document).to.include({ verdict: 'failed', kernel: 'kevlar@m9.8', threshold: 128, assemblies: 1 });
      expect(failure).to.include({ kind: 'reference', id: 'zero-gap', op: 4, pid: 2, addr: '0x51c000', expected: '0x0', actual: '0x65' });
      expect(document['digest']).to.match(/^[0-9a-f]{16}$/);
    });

    it('says null where there is no failure', async () => {
      const { out } = await faultline('replay', TAIL, '--kernel', 'kevlar', '--json');
      expect(JSON.parse(out)).to.include({ verdict: 'held', failure: null, divergence: null, checks: null });
    });

    it('says whether the header’s expectation is met', async () => {
      const expects = {
        kernel: { name: 'kevlar+stack-executable', frames: 1024 },
        expect: { verdict: 'failed', kind: 'invariant', id: 'prot-subset' },
      } as const;
      const image = { path: '/a', size: 4096, type: 'exec', entry: 0x10000, content: { seed: 'a' } } as const;
      const files: TraceHeader['files'] = [{ ...image, segments: [{ vaddr: 0x10000, offset: 0, filesz: 4096, memsz: 4096, flags: 'rx' }] }];
      const path = await traceFile('expects.jsonl', 'p1 exec /a\n', { ...expects, files });
      const asExpected = await faultline('replay', path);
      expect(asExpected.code).to.equal(2);
      expect(asExpected.out).to.include('\nfails as expected: invariant prot-subset\n');
      const onRight = await faultline('replay', path, '--kernel', 'kevlar');
      expect(onRight.code).to.equal(0);
      expect(onRight.out).to.include('\nno longer fails: the header expects invariant prot-subset\n');
    });

    it('stops before --until, and stops nothing with --keep-going', async () => {
      expect((await faultline('replay', TAIL, '--until', '4')).out).to.include('  ran        4 ops');
      expect((await faultline('replay', TAIL, '--keep-going')).out).to.include('  ran        9 ops');
    });

    it('writes events as JSONL, and in Kevlar’s form', async () => {
      await faultline('replay', TAIL, '--check', 'none', '--events', at('events.jsonl'));
      const events = readFileSync(at('events.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string });
      expect(events.find(({ type }) => type === 'huge_page_verify_fail')).to.include({
        sub_page: 284,
        first_diff: 0,
        expected: '0x0',
        actual: '0x65',
      });
      const { out, err } = await faultline('replay', TAIL, '--check', 'none', '--events', '-', '--events-form', 'kevlar');
      expect(out).to.match(/^(DBG \{"type":.*\}\n)+$/);
      expect(out).to.include('"sub_page":284,"first_diff":0,"expected":0x0,"actual":0x65');
      expect(err).to.match(/^held\n/);
    });

    it('runs everything twice', async () => {
      const { code, out } = await faultline('replay', TAIL, '--twice', '--keep-going');
      expect(code).to.equal(3);
      expect(out).to.include('twice the same: every event and answer of 9 ops, and the state');
    });

    it('takes the content of files by digest', async () => {
      const bytes = Buffer.alloc(4096, 7);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const path = await traceFile(
        'digest.jsonl',
        'p1 mmap 0x0 4096 r private path=/f offset=0x0 = 0xa00000000\np1 touch r 0xa00000000\n',
        {
          files: [{ path: '/f', size: 4096, content: { sha256 } }],
        },
      );
      expect((await faultline('replay', path, '--file', `${sha256}=${textFile('f', bytes)}`)).code).to.equal(0);
      const missing = await faultline('replay', path);
      expect([missing.code, missing.err]).to.deep.equal([
        1,
        `faultline: /f: field \`content.sha256\`: the trace holds only the digest of this file (supply the file with sha256 ${sha256}: --file SHA256=PATH)\n`,
      ]);
      const wrong = await faultline('replay', path, '--file', `${sha256}=${textFile('g', 'no')}`);
      expect(wrong.code).to.equal(1);
      expect(wrong.err).to.include('has the digest');
    });
  });

  describe('wrong input', () => {
    const header = (kernel: string, files: string): string => `{"faultline":1,"kernel":${kernel},"files":${files}}\n`;
    const segments =
      '[{"vaddr":"0x1000","offset":"0x0","filesz":"0x1000","memsz":"0x1000","flags":"r"},{"vaddr":"0x1800","offset":"0x0","filesz":"0x800","memsz":"0x800","flags":"r"}]';
    const good = header('{"name":"kevlar"}', '[]');

    const FILES: readonly (readonly [name: string, content: string | Uint8Array, says: RegExp])[] = [
      ['null.jsonl', `${good}null\n`, /^null\.jsonl:2: begins with "null", but must be a JSON object/],
      ['unknown.jsonl', `${good}{"pid":1,"op":"fly"}\n`, /^unknown\.jsonl:2: field `op`: /],
      ['negative.jsonl', `${good}{"pid":1,"op":"munmap","addr":"0x0","length":-1}\n`, /^negative\.jsonl:2: field `length`: /],
      ['half.jsonl', `${good}{"pid":1,"op":"mu`, /^half\.jsonl:2: is no whole record/],
      [
        'frames.jsonl',
        header('{"name":"kevlar","frames":1000000000000}', '[]'),
        /^frames\.jsonl:1: field `kernel\.frames`: 1000000000000 frames are more than the limit/,
      ],
      [
        'overlap.jsonl',
        header('{"name":"kevlar"}', `[{"path":"/a","size":8192,"segments":${segments},"content":{"seed":"a"}}]`),
        /^overlap\.jsonl:1: field `files\[0\]\.segments\[1\]\.vaddr`: the segment overlaps segments\[0\]/,
      ],
      ['cut.jsonl.gz', gzipSync(good.repeat(50)).subarray(0, 40), /^cut\.jsonl\.gz/],
      ['empty.jsonl', '', /^empty\.jsonl: is empty/],
      ['kernel.jsonl', header('{"name":"minix"}', '[]'), /^there is no kernel "minix"; there is kevlar, /],
    ];
    for (const [name, content, says] of FILES) {
      it(`is one line and exit 1, in replay and in validate (${name})`, async () => {
        const path = textFile(name, content);
        for (const command of [['replay'], ...(name === 'kernel.jsonl' ? [] : [['trace', 'validate']])]) {
          const { code, out, err } = await faultline(...command, path);
          expect([code, out]).to.deep.equal([1, '']);
          expect(err.replace(/^faultline: /, '')).to.match(says);
          expect(err.trimEnd().split('\n')).to.have.length(1);
        }
      });
    }

    it('is a missing file, a folder, an events file that cannot be', async () => {
      expect(await faultline('replay', at('none'))).to.deep.equal({
        code: 1,
        out: '',
        err: 'faultline: none: there is no such file (check the path)\n',
      });
      expect((await faultline('sweep', folder)).err).to.include('is a directory (name a file in it)');
      expect((await faultline('replay', TAIL, '--events', at('no/where'))).err).to.equal(
        'faultline: no/where: cannot be written: ENOENT (name a file in a folder that exists)\n',
      );
    });

    it('is a flag or a command that does not exist, with the one that was meant', async () => {
      for (const [args, meant] of [
        [['repaly', TAIL], 'replay'],
        [['replay', TAIL, '--kernl', 'kevlar'], '--kernel'],
        [['trace', 'inof', TAIL], 'info'],
      ] as const) {
        const { code, err } = await faultline(...args);
        expect(code).to.equal(1);
        expect(err).to.include(`(Did you mean ${meant}?)`);
      }
    });

    it('is a value that a flag does not take', async () => {
      for (const [flag, value, says] of [
        ['--until', '-1', 'It must be a whole number from 0.'],
        ['--kernel', 'kevlr', 'It names no kernel: there is no kernel "kevlr"'],
        ['--kernel', 'kevlar+nonsense', 'there is no wrong decision "nonsense"'],
        ['--check', 'some', 'Allowed choices are every, changes, end, none.'],
        ['--frames', '4', 'parameter frames: 4 is not a whole number from 8'],
        ['--file', 'abc=def', 'It must be SHA256=PATH'],
      ] as const) {
        const { code, err } = await faultline('replay', TAIL, `${flag}=${value}`);
        expect(code, flag).to.equal(1);
        expect(err).to.include(says);
      }
      expect((await faultline('replay', TAIL, '--events', '-', '--json')).code).to.equal(1);
    });
  });

  describe('sweep', () => {
    const args = ['sweep', TAIL, '--kernels', 'kevlar@m9.8,kevlar@m9.8.1,kevlar', '--thresholds', '128,600'];

    it('prints a row for each kernel and threshold', async () => {
      const { code, out } = await faultline(...args);
      expect(code).to.equal(3);
      expect(out.split('\n').slice(0, 7)).to.deep.equal([
        'kernel        thr verdict checks asm faults op pid address  first failure',
        'kevlar@m9.8   128 failed       -   1    129  4   2 0x51c000 zero-gap',
        'kevlar@m9.8   600 failed       -   0    129  0   - -        (prot-subset)',
        'kevlar@m9.8.1 128 failed       -   1    129  0   - -        (prot-subset)',
        'kevlar@m9.8.1 600 failed       -   0    129  0   - -        (prot-subset)',
        'kevlar        128 held         -   0    129  -   - -        -',
        'kevlar        600 held         -   0    129  -   - -        -',
      ]);
      expect(await faultline(...args)).to.deep.include({ code, out });
    });

    it('prints an array of replay documents', async () => {
      const { out } = await faultline(...args, '--json');
      const documents = JSON.parse(out) as { kernel: string; threshold: number; verdict: string }[];
      expect(documents.map(({ kernel, threshold, verdict }) => [kernel, threshold, verdict])).to.deep.equal([
        ['kevlar@m9.8', 128, 'failed'],
        ['kevlar@m9.8', 600, 'failed'],
        ['kevlar@m9.8.1', 128, 'failed'],
        ['kevlar@m9.8.1', 600, 'failed'],
        ['kevlar', 128, 'held'],
        ['kevlar', 600, 'held'],
      ]);
    });
  });

  describe('kernels', () => {
    it('names every kernel and every wrong decision', async () => {
      const { code, out } = await faultline('kernels');
      expect(code).to.equal(0);
      for (const { name } of KERNELS) expect(out).to.include(`${name}\n`);
      for (const { id } of MUTANTS) expect(out).to.include(`${id}\n`);
      expect(Math.max(...out.split('\n').map((line) => line.length))).to.be.at.most(80);
      const { kernels, decisions } = JSON.parse((await faultline('kernels', '--json')).out) as Record<string, unknown[]>;
      expect([kernels!.length, decisions!.length]).to.deep.equal([KERNELS.length, MUTANTS.length]);
    });
  });

  describe('trace', () => {
    it('info counts what a recording holds', async () => {
      const { out } = await faultline('trace', 'info', SUITE20, '--json');
      const summary = JSON.parse(out) as {
        ops: number;
        processes: number;
        touchedPages: number;
        opsByKind: Record<string, number>;
        marks: string[];
      };
      expect(summary).to.include({ ops: 46974, processes: 71, touchedPages: 47439 });
      expect(summary.opsByKind).to.include({ exec: 45, fork: 70 });
      expect(summary.marks).to.have.length(20);
      expect((await faultline('trace', 'info', SUITE20)).out).to.include('  processes  71, execs 45\n');
    });

    it('validate says how much was read', async () => {
      expect((await faultline('trace', 'validate', TAIL)).out).to.match(/exec-127-tail\.jsonl: valid, 9 ops of 2 processes, 1 files\n$/);
    });

    it('notation prints ops that can be read back', async () => {
      const { out } = await faultline('trace', 'notation', await traceFile('held.jsonl', MAPPING));
      expect(out).to.equal(MAPPING);
      expect((await faultline('trace', 'notation', at('held.jsonl'), '--from', '1', '--count', '5')).out).to.equal(
        MAPPING.split('\n')[1] + '\n',
      );
    });

    it('diff names the first difference of traces and of events', async () => {
      const a = await traceFile('a.jsonl', MAPPING);
      const b = await traceFile('b.jsonl.gz', MAPPING.replace('+2', '+3'));
      expect(await faultline('trace', 'diff', a, a)).to.include({ code: 0, out: 'equal\n' });
      expect(await faultline('trace', 'diff', a, b)).to.include({
        code: 4,
        out: 'op 1 (line 3), field pages\n  a.jsonl: 2\n  b.jsonl.gz: 3\n',
      });
      const longer = await traceFile('c.jsonl', `${MAPPING}p1 exit 0\n`);
      expect((await faultline('trace', 'diff', a, longer)).out).to.equal(
        'op 2 (line 4)\n  a.jsonl: nothing\n  c.jsonl: {"pid":1,"op":"exit","status":0}\n',
      );
      for (const [name, threshold] of [
        ['e.jsonl', '128'],
        ['f.jsonl', '600'],
      ] as const) {
        await faultline('replay', TAIL, '--check', 'none', '--threshold', threshold, '--events', at(name));
      }
      expect((await faultline('trace', 'diff', at('e.jsonl'), at('f.jsonl'))).out).to.match(/^record \d+ \(line \d+\), field \w+\n/);
    });
  });

  it('prints what README.md shows', async () => {
    const [, session = ''] = /```console\n(.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
    const parts = session.split(/^\$ /m).slice(1);
    expect(parts).to.have.length(2);
    expect(session.trimEnd().split('\n').length).to.be.at.most(20);
    for (const part of parts) {
      const [, args = '', lines = '', shown = ''] = /^npx faultline (.*) \| head -n (\d+)\n(.*)$/s.exec(part) ?? [];
      const { out } = await faultline(...args.split(' ').map((word) => (word.startsWith('traces/') ? join(ROOT, word) : word)));
      expect(`${out.split('\n').slice(0, Number(lines)).join('\n')}\n`).to.equal(shown);
    }
  });

  it('has the files of the story', () => {
    for (const name of ['recorded/busybox-suite', 'reconstructed/busybox-102', 'reconstructed/fork-exec-stress']) {
      expect(existsSync(packageFile(`traces/${name}.jsonl.gz`))).to.equal(true);
    }
  });

  it('has help with examples for every command', async () => {
    for (const command of [
      ['replay'],
      ['sweep'],
      ['kernels'],
      ['story'],
      ['trace', 'info'],
      ['trace', 'validate'],
      ['trace', 'notation'],
      ['trace', 'diff'],
      [],
    ]) {
      const { code, out } = await faultline(...command, '--help');
      expect(code).to.equal(0);
      expect(out).to.include('Examples:');
    }
    expect((await faultline('--version')).out).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('the process', () => {
  /** Runs the real thing. */
  function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawn> {
    return spawn(process.execPath, ['--import', 'tsx/esm', join(ROOT, 'sim/cli/main.ts'), ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
  }
  async function output(child: ReturnType<typeof spawn>): Promise<Answer> {
    const texts = { out: '', err: '' };
    child.stdout!.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, ...texts };
  }

  it('exits with the run’s code, plain on a narrow terminal', async () => {
    const { code, out, err } = await output(start(['replay', TAIL], { COLUMNS: '40', NO_COLOR: '1' }));
    expect([code, err]).to.deep.equal([3, '']);
    expect(out).to.match(/^failed: reference zero-gap at op 4\n/);
    expect(out).not.to.include('\u001b');
  });

  it('shows a stack only when asked', async () => {
    const { code, err } = await output(start(['replay', 'nowhere'], { FAULTLINE_DEBUG: '1' }));
    expect(code).to.equal(1);
    expect(err).to.match(/\n {4}at /);
  });

  it('reads a trace from standard input', async () => {
    const child = start(['replay', '-', '--json', '--check', 'end']);
    child.stdin!.end(readFileSync(TAIL));
    expect(JSON.parse((await output(child)).out)).to.include({ verdict: 'failed' });
  });

  it('ends quietly when its reader goes away', async () => {
    const child = start(['trace', 'notation', SUITE20]);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { err } = await output(child);
    expect(err).to.equal('');
  });

  it('stops on Ctrl-C and says where it was', async () => {
    const child = start(['replay', SUITE20, '--check', 'every', '--events', '-']);
    child.stdout!.once('data', () => child.kill('SIGINT'));
    const { code, err } = await output(child);
    expect(code).to.equal(130);
    expect(err).to.match(/^faultline: interrupted at op \d+ on kevlar, threshold 128\n$/);
  });
});
