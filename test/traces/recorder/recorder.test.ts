/** The recorder: the plugin under Debian's qemu-user, else valgrind's lackey; what they record imports and replays. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDigester } from '../../../sim/digest.ts';
import { replay } from '../../../sim/replay.ts';
import type { Imported } from '../../../traces/import/builder.ts';
import { RecordingImporter, type Format } from '../../../traces/import/importer.ts';
import { layoutOfElf, type ProgramLayout } from '../../../traces/import/layout.ts';
import { asWritten } from '../../helpers/recordings.ts';

const QEMU = 'qemu-x86_64';
const PLUGIN = new URL('../../../traces/recorder/pagetrace.c', import.meta.url).pathname;

/** Maps three pages and writes them, forks a child that writes one and exits with 3, waits, and exits with the status. */
const PROGRAM = `
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  char *map = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(map, 7, 3 * 4096);
  if (fork() == 0) { map[0] = 1; _exit(3); }
  int status;
  wait(&status);
  munmap(map, 3 * 4096);
  return WEXITSTATUS(status);
}
`;

let folder: string;
let layout: ProgramLayout | undefined;

/** Runs a tool. @returns why it cannot be had, or nothing */
function run(command: string, ...args: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) return `${command} is not there`;
  return status === 0 || status === 3 ? undefined : `${command} ends with ${String(status)}: ${stderr.slice(0, 200)}`;
}

function importFiles(format: Format, names: readonly string[]): Imported {
  const other = { path: '/program', layout: layout! };
  const importer = new RecordingImporter({ format, file: names[0]!, layouts: { named: new Map(), other }, kernel: { name: 'kevlar' } });
  for (const name of names) {
    const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    for (const [index, line] of lines.entries()) importer.add(line, index + 1, name);
  }
  return importer.finish();
}

async function expectTheProgram({ trace, processes }: Imported): Promise<void> {
  const { ops } = asWritten(trace);
  expect(processes.map(({ pid, parent }) => [pid, parent])).to.deep.equal([
    [1, undefined],
    [2, 1],
  ]);
  expect(processes[0]!.calls.filter((name) => ['mmap', 'clone', 'wait4', 'munmap', 'exit_group'].includes(name))).to.deep.equal([
    'mmap',
    'clone',
    'wait4',
    'munmap',
    'exit_group',
  ]);
  const map = ops.find((op) => op.op === 'mmap' && op.prot === 'rw' && op.length === 3 * 4096);
  const start = (map as { readonly result: number }).result;
  const written = (pid: number): Set<number> =>
    new Set(
      ops.flatMap((op) => {
        if (op.op !== 'touch' || op.pid !== pid || op.access !== 'w') return [];
        return Array.from({ length: op.pages ?? 1 }, (_, i) => op.addr - (op.addr % 4096) + i * 4096).filter(
          (page) => page >= start && page < start + 3 * 4096,
        );
      }),
    );
  expect([...written(1)].sort()).to.deep.equal([start, start + 4096, start + 8192]);
  expect([...written(2)]).to.deep.equal([start]);
  expect(ops.filter((op) => op.op === 'exit').map(({ pid, status }) => [pid, status])).to.deep.equal([
    [2, 3],
    [1, 3],
  ]);
  const result = replay({ header: trace.header, ops }, { check: 'changes', digester: await createDigester() });
  expect([result.verdict, result.divergence]).to.deep.equal(['held', undefined]);
}

describe('the recorder', () => {
  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'faultline-recorder-'));
    writeFileSync(join(folder, 'program.c'), PROGRAM);
    const problem = run('cc', '-O1', '-static', '-o', 'program', 'program.c');
    if (problem !== undefined) this.skip();
    const read = layoutOfElf(readFileSync(join(folder, 'program')), 'program', undefined);
    if (typeof read === 'string') throw new Error(read);
    layout = read;
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('records a program under qemu-user as a trace that replays (skipped without qemu-user that has plugins)', async function () {
    if (process.arch !== 'x64' || run(QEMU, '--version') !== undefined) return this.skip();
    if (!execFileSync(QEMU, ['-help'], { encoding: 'utf8' }).includes('-plugin')) return this.skip();
    expect(run('cc', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', 'libpagetrace.so', PLUGIN, '-lpthread')).to.equal(
      undefined,
    );
    expect(run(QEMU, '-plugin', './libpagetrace.so,out=recording.jsonl', './program')).to.equal(undefined);
    await expectTheProgram(importFiles('plugin', ['recording.jsonl']));
  });

  it('refuses options that it does not have (skipped without qemu-user that has plugins)', function () {
    if (process.arch !== 'x64' || !readdirSync(folder).includes('libpagetrace.so')) return this.skip();
    expect(run(QEMU, '-plugin', './libpagetrace.so,mode=all', './program')).to.include('mode=all is no option');
  });

  it('falls back to lackey (skipped without valgrind)', async function () {
    this.timeout(120_000);
    if (process.arch !== 'x64' || run('valgrind', '--version') !== undefined) return this.skip();
    const problem = run(
      'valgrind',
      ...['--tool=lackey', '--trace-mem=yes', '--trace-syscalls=yes', '--trace-children=yes', '--log-file=log.%p', './program'],
    );
    expect(problem).to.equal(undefined);
    await expectTheProgram(
      importFiles(
        'lackey',
        readdirSync(folder).filter((name) => name.startsWith('log.')),
      ),
    );
  });
});
