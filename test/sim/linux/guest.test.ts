/**
 * C programs that ask what a system call does, run twice: on the small Linux, and on a Linux that we did not write.
 *
 * signals.c has RISC-V instructions in it and runs under qemu; the others are compiled for this machine too and asked of its own
 * kernel, because qemu's user mode does not do vfork, posix_spawn and /proc/self/exe as Linux does.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runLive } from '../../helpers/live.ts';
import { compile, emulate, skipUnlessQemu, workDirectory } from '../../helpers/qemu.ts';

const NATIVE_COMPILER = 'cc';

const sourceOf = (name: string): string => join(import.meta.dirname, 'guest', `${name}.c`);

/** What the program prints on the small Linux, everything about memory checked at the end. */
function onOurs(name: string): string {
  const outcome = runLive(new Uint8Array(readFileSync(compile(name, [sourceOf(name)]))), { args: [] });
  expect(outcome).to.include({ result: 'ended', status: 0 });
  expect(outcome.findings).to.deep.equal([]);
  expect(outcome.unknownCalls).to.deep.equal([]);
  return outcome.stdout;
}

function onThisMachine(context: Mocha.Context, name: string): string {
  const path = join(workDirectory(), `${name}-native`);
  const compiled = process.platform === 'linux' && spawnSync(NATIVE_COMPILER, ['-O1', '-w', '-o', path, sourceOf(name)]).status === 0;
  if (!compiled) {
    console.log('skipped: needs Linux with a C compiler (apt-get install gcc libc6-dev)');
    context.skip();
  }
  const { stdout, status } = spawnSync(path, { cwd: mkdtempSync(join(workDirectory(), 'here-')), encoding: 'utf8' });
  expect(status).to.equal(0);
  return stdout;
}

describe('the small Linux, asked by a C program', () => {
  before(function () {
    skipUnlessQemu(this);
  });

  it('does with signals what qemu does (frames, masks, restarts, stops, deaths)', () => {
    expect(onOurs('signals')).to.equal(new TextDecoder().decode(emulate(compile('signals', [sourceOf('signals')])).stdout));
  });

  for (const name of ['processes', 'files']) {
    it(`does with ${name} what the Linux of this machine does`, function () {
      expect(onOurs(name)).to.equal(onThisMachine(this, name));
    });
  }
});
