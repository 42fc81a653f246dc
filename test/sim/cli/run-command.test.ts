/** `faultline run` and `record`: output, exit codes, crash reports, input, the guest's tree. The programs are our own few instructions. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { faultline, type Answer } from '../../helpers/command-line.ts';
import { BUSYBOXES, skipUnlessGuest } from '../../helpers/live.ts';
import { tinyElf, type TinyProgram } from '../../helpers/tiny-elf.ts';

const EXIT_GROUP = 94;
const WRITE = 64;
const READ = 63;
const HAZARD = join(import.meta.dirname, '../../..', BUSYBOXES[1]);

let folder = '';
const at = (name: string): string => join(folder, name);

function elf(source: string, more: Partial<TinyProgram> = {}): string {
  writeFileSync(at('program'), tinyElf({ source, ...more }));
  return at('program');
}

const run = (source: string, ...flags: readonly string[]): Promise<Answer> =>
  faultline('run', '--stdin', '/dev/null', ...flags, '--elf', elf(source, { data: 'hello\n' }));

const exit = (status: number): string => `li a0,${status}\ncall ${EXIT_GROUP}`;
const print = (fd: number): string => `li a0,${fd}\nli a1,0x20000\nli a2,6\ncall ${WRITE}`;

describe('faultline run', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-run-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('passes output on and exits as the program did', async () => {
    expect(await run(`${print(1)}\n${print(2)}\n${exit(7)}`)).to.deep.equal({ code: 7, out: 'hello\n', err: 'hello\n' });
  });

  for (const engine of ['wasm', 'interpreter']) {
    it(`runs on the ${engine} engine, checked`, async () => {
      expect(await run(`${print(1)}\n${exit(0)}`, '--engine', engine, '--check', 'every')).to.deep.equal({
        code: 0,
        out: 'hello\n',
        err: '',
      });
    });
  }

  it('tells a crash: signal, address, instructions around it, calls, VMAs', async () => {
    const { code, err } = await run(`${print(2)}\nli a5,64\nld a0,8(a5)\n${exit(0)}`);
    expect(code).to.equal(128 + 11);
    expect(err).to.match(
      /^hello\nprocess 1 \(program\) died of SIGSEGV at pc 0x10[0-9a-f]+, after \d+ instructions\n {2}it reached for 0x48\n/,
    );
    expect(err).to.match(/last system calls:\n {2}write\(1|last system calls:\n {2}write\(2, 0x20000, 6, .*\) = 6\n/);
    expect(err).to.match(/\n {2}0x10000-0x1[0-9a-f]+ r-xp .*program/);
    expect(err).to.match(/\n {4}0x[0-9a-f]+ {2}addi a5,zero,64\n {2}> 0x[0-9a-f]+ {2}ld a0,8\(a5\)\n {4}0x[0-9a-f]+ {2}addi a0,zero,0\n/);
  });

  it('says where it was when there is no code to show', async () => {
    const { code, err } = await run('li a0,0x5000\njalr zero,0(a0)');
    expect(code).to.equal(128 + 11);
    expect(err).to.match(/code:\n {2}> 0x5000 {2}is not mapped\n$/);
  });

  it('lists system calls that do not exist', async () => {
    const { code, err } = await run(`call 4000\ncall 4000\n${exit(0)}`);
    expect([code, err]).to.deep.equal([0, 'faultline: system calls that do not exist here: call 4000 (2 times)\n']);
  });

  it('stops at --max-instructions with 5', async () => {
    const { code, err } = await run('loop: jal zero,loop', '--max-instructions', '1000');
    expect([code, err]).to.deep.equal([5, 'faultline: stopped after 1000 instructions\n']);
  });

  it('prints every system call with --strace', async () => {
    const { err } = await run(`${print(1)}\n${exit(0)}`, '--strace');
    expect(err).to.match(/^\[1\] write\(1, 0x20000, 6, .*\) = 6\n/);
  });

  it('gives a file as standard input', async () => {
    writeFileSync(at('input'), 'from the host\n');
    const source = `li a0,0\nli a1,0x20000\nli a2,100\ncall ${READ}\naddi a2,a0,0\nli a0,1\ncall ${WRITE}\n${exit(0)}`;
    const answer = await faultline('run', '--stdin', at('input'), '--elf', elf(source));
    expect(answer).to.deep.equal({ code: 0, out: 'from the host\n', err: '' });
  });

  it('exits with 3 if a program saw a wrong byte, and tells where it is from', async function () {
    skipUnlessGuest(this, BUSYBOXES[1]);
    const flags = ['--guest', HAZARD, '--kernel', 'kevlar@m9.8', '--threshold', '0', '--check', 'changes', '--stdin', '/dev/null'];
    const { code, err } = await faultline('run', ...flags, '--', 'sh', '-c', 'echo a; cat /etc/passwd');
    expect(code).to.equal(3);
    expect(err).to.match(/\nfailed: reference \S+ at op \d+\n[^]*from +file \/bin\/busybox at 0x19e000 [^]*then assembly from frame/);
  });

  const WRONG: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ['no command', ['run', '--guest', '/dev/null'], /is no BusyBox with a shell/],
    ['a guest that is not there', ['run', '--guest', '/nonexistent', '--', 'ls'], /\/nonexistent: cannot be read: ENOENT/],
    ['a program that is not there', ['run', '--elf', '/nonexistent'], /\/nonexistent: cannot be read: ENOENT/],
    ['a folder that is not there', ['run', '--root', '/nonexistent', '--elf', '/bin/ls'], /cannot be copied for the guest: ENOENT/],
    ['a kernel that does not exist', ['run', '-k', 'vax', '--elf', '/bin/ls'], /names no kernel/],
  ];
  for (const [what, args, says] of WRONG) {
    it(`refuses ${what} with 1`, async () => {
      const { code, err } = await faultline(...args);
      expect(code).to.equal(1);
      expect(err)
        .to.match(says)
        .and.not.match(/defect/);
    });
  }

  it('refuses a program of another machine', async () => {
    writeFileSync(at('text'), 'hello');
    const { code, err } = await faultline('run', '--elf', at('text'));
    expect([code, err]).to.deep.equal([1, 'faultline: /usr/local/bin/text: cannot be run: ENOEXEC\n']);
  });

  it('copies a folder of the host into the guest’s tree', async function () {
    skipUnlessGuest(this);
    mkdirSync(at('root/data/deep'), { recursive: true });
    writeFileSync(at('root/data/deep/script'), '#!/bin/sh\necho "$0 ran"\n', { mode: 0o755 });
    symlinkSync('deep/script', at('root/data/link'));
    const { code, out } = await faultline('run', '--stdin', '/dev/null', '--root', at('root'), '--', 'sh', '-c', '/data/link; ls -F /data');
    expect([code, out]).to.deep.equal([0, '/data/link ran\ndeep/\nlink@\n']);
  });

  it('takes 128 and the signal as the exit code of a shell that was killed', async function () {
    skipUnlessGuest(this);
    const { code } = await faultline('run', '--stdin', '/dev/null', '--', 'sh', '-c', 'sh -c "kill -TERM \\$\\$"');
    expect(code).to.equal(128 + 15);
  });
});

describe('faultline record', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-record-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** `ran N ops, N execs, …` of a replay. */
  const figures = (out: string): string => /ran +\d+ ops, (.*)/.exec(out)![1]!;

  it('writes a trace that replays to the same faults, and exits as the program did', async () => {
    const source = `${print(1)}\nli a0,0\ncall 214\nli a5,0x21000\nsd a5,-8(a5)\nli a5,64\nld a0,0(a5)`;
    const trace = at('t.jsonl');
    const { code, err } = await faultline('record', '-o', trace, '--elf', elf(source, { data: 'hello\n', dataBytes: 8192 }));
    expect(code).to.equal(128 + 11);
    const ops = readFileSync(trace, 'utf8').trimEnd().split('\n').length - 1;
    expect(err).to.contain(`${trace}: ${ops} ops`);
    const replayed = await faultline('replay', trace, '--check', 'none');
    expect(replayed.code).to.equal(0);
    expect(figures(replayed.out)).to.match(/^1 exec, \d+ faults, 0 assemblies$/);
    expect(readFileSync(trace, 'utf8')).to.contain('"addr":"0x40","access":"r","result":"SIGSEGV"');
  });

  it('gives the same trace on both engines', async function () {
    skipUnlessGuest(this);
    const command = ['--stdin', '/dev/null', '--', 'sh', '-c', 'echo b a | tr " " "\\n" | sort; true & wait'];
    for (const engine of ['wasm', 'interpreter']) await faultline('record', '--engine', engine, '-o', at(`${engine}.jsonl`), ...command);
    expect(readFileSync(at('wasm.jsonl'), 'utf8')).to.equal(readFileSync(at('interpreter.jsonl'), 'utf8'));
  });

  it('has a run of the kernel with the bug fail in replay where it failed live', async function () {
    skipUnlessGuest(this, BUSYBOXES[1]);
    const flags = ['--guest', HAZARD, '--kernel', 'kevlar@m9.8', '--threshold', '0'];
    const trace = at('bug.jsonl');
    const live = await faultline('record', ...flags, '--stdin', '/dev/null', '-o', trace, '--', 'sh', '-c', 'echo a; cat /etc/passwd');
    expect(live.code).to.equal(128 + 11);
    const { code, out } = await faultline('replay', trace);
    expect(code).to.equal(3);
    expect(out).to.match(/^failed: reference /);
    expect((await faultline('replay', trace, '--kernel', 'kevlar', '--check', 'none')).out).to.match(/^(held|diverged)/);
  });
});
