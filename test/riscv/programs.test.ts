/**
 * C programs, compiled for riscv64 with a static glibc, print in a live machine what they print under qemu, and end the same way.
 *
 * Everything takes part: the hart, the calls of the small Linux, the kernel model, and the checker, which must find nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { CheckMode } from '../../sim/check/checker.ts';
import { standardTree } from '../../sim/linux/fs/standard-tree.ts';
import { LINUX_DEFAULTS, LinuxSystem, type RunResult } from '../../sim/linux/system.ts';
import { LiveMachine, type EngineName, type LiveResult } from '../../sim/live.ts';
import { compile, emulate, skipUnlessQemu } from '../helpers/qemu.ts';

const FOLDER = new URL('programs/', import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.slice(0, -'.c'.length))
  .sort();
const FRAMES = 65_536;
const SECONDS_MAX = 120;

interface How {
  readonly engine: EngineName;
  readonly check: CheckMode;
  /** Longer programs are left out: this is slow. */
  readonly instructionsMax: number;
}

const HOW: readonly How[] = [
  { engine: 'wasm', check: 'none', instructionsMax: 2e9 },
  { engine: 'wasm', check: 'changes', instructionsMax: 5e6 },
  { engine: 'interpreter', check: 'none', instructionsMax: 5e5 },
];

interface Run {
  readonly stdout: string;
  readonly result: RunResult | undefined;
  readonly live: LiveResult;
  readonly retired: number;
}

function runLive(path: string, { engine, check, instructionsMax }: How): Run {
  const machine = new LiveMachine({ kernel: 'kevlar', check, engine, parameters: { frames: FRAMES } });
  const nothing = new Uint8Array(0);
  const tree = standardTree({ busybox: nothing, applets: [], hostname: LINUX_DEFAULTS.hostname, time: LINUX_DEFAULTS.bootTime });
  tree.addFile('/bin/program', readFileSync(path), 0o755);
  const chunks: Uint8Array[] = [];
  const system = new LinuxSystem({
    ...LINUX_DEFAULTS,
    machine: machine.machine,
    hart: machine.hart,
    tree,
    stdout: (bytes) => void chunks.push(bytes.slice()),
    stderr: () => undefined,
  });
  expect(system.start('/bin/program', ['program'], ['PATH=/bin', 'HOME=/root'])).to.equal(0);
  system.endInput();
  const result = machine.guarded(() => system.run(instructionsMax));
  return { stdout: Buffer.concat(chunks).toString(), result, live: machine.finish(), retired: machine.hart.retired };
}

describe('programs', () => {
  before(function () {
    skipUnlessQemu(this);
  });

  for (const name of NAMES) {
    it(`${name}.c prints what it prints under qemu`, function () {
      this.timeout(SECONDS_MAX * 1000);
      const program = compile(name, [new URL(`${name}.c`, FOLDER).pathname], ['-lm']);
      const expected = emulate(program);
      expect(expected.exitCode, 'under qemu').to.equal(0);
      let retired = 0;
      for (const how of HOW) {
        if (retired > how.instructionsMax) continue;
        const run = runLive(program, how);
        const title = `${how.engine}, checks ${how.check}`;
        expect(run.stdout, title).to.equal(Buffer.from(expected.stdout).toString());
        expect(run.result, title).to.deep.equal({ why: 'ended', status: 0, signal: undefined });
        expect(
          run.live.findings.map(({ kind, id, message }) => `${kind} ${id}: ${message}`),
          title,
        ).to.deep.equal([]);
        expect(run.live.leakedFrames, title).to.equal(0);
        if (retired > 0) expect(run.retired, `${title}: instructions retired`).to.equal(retired);
        retired = run.retired;
      }
    });
  }
});
