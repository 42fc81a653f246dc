/** Recordings of other tools: each sample imports and replays, and those of one workload agree. */
import { expect } from 'chai';
import { createDigester } from '../../../sim/digest.ts';
import { replay } from '../../../sim/replay.ts';
import type { Format } from '../../../traces/import/importer.ts';
import type { ImportedProcess } from '../../../traces/import/process-table.ts';
import { asWritten, importSample, SAMPLES } from '../../helpers/recordings.ts';

describe('importing the samples', () => {
  for (const [format, name] of SAMPLES) {
    it(`makes a trace of ${name} that replays as recorded`, async () => {
      const trace = asWritten(importSample(format, name).trace);
      const result = replay(trace, { check: 'changes', digester: await createDigester() });
      expect([result.verdict, result.divergence, result.findings]).to.deep.equal(['held', undefined, []]);
      expect(result.ops).to.equal(trace.ops.length);
    });

    it(`makes the same trace of ${name} each time`, () => {
      expect(importSample(format, name)).to.deep.equal(importSample(format, name));
    });
  }

  it('turns every recorded page fault into an access that must succeed', () => {
    const { trace, report } = importSample('perf', 'perf-script.full.txt.gz');
    const faults = trace.ops.filter((op) => op.op === 'touch');
    expect(faults).to.have.length(report.read['page_fault_user']!);
    expect(new Set(faults.map(({ result }) => result))).to.deep.equal(new Set([0]));
  });

  it('names what is missing, with the option that supplies it', () => {
    const { report } = importSample('strace', 'strace-f.full.txt');
    expect(report.missing).to.deep.equal([
      'the layout of /bin/busybox (give --binary /bin/busybox=FILE): the pages it used stand in for it',
    ]);
  });

  it('maps files where the recording tells their paths', () => {
    const { trace } = importSample('plugin', 'qemu-plugin-x86_64-dynamic-ls.jsonl.gz');
    const mapped = new Set(trace.ops.flatMap((op) => (op.op === 'mmap' && op.path !== undefined ? [op.path] : [])));
    expect([...mapped].sort()).to.deep.equal([
      '/etc/ld.so.cache',
      '/lib/x86_64-linux-gnu/libc.so.6',
      '/lib/x86_64-linux-gnu/libpcre2-8.so.0',
      '/lib/x86_64-linux-gnu/libselinux.so.1',
    ]);
  });
});

describe('recordings of one workload', () => {
  /** Calls that the C library makes otherwise on another architecture, or that the tool cannot see. */
  const APART = new Set(['execve', 'arch_prctl', 'riscv_hwprobe', 'rt_sigprocmask', 'time', 'clock_gettime', 'ioctl', 'getcwd']);

  /** A shell that finds PWD in its environment looks whether that is here; one that does not asks with getcwd. */
  function withoutPwd(calls: readonly string[]): string[] {
    const at = calls.indexOf('uname') + 1;
    return calls.filter((name, index) => index < at || index > at + 1 || name !== 'newfstatat');
  }

  /** The tree of processes in order of birth, each with its calls. */
  function shape(processes: readonly ImportedProcess[]): object[] {
    return processes.map(({ pid, parent, calls }) => ({
      pid,
      parent,
      calls: withoutPwd(calls)
        .map((name) => (name === 'fstat' ? 'newfstatat' : name))
        .filter((name) => !APART.has(name)),
    }));
  }

  const of = (format: Format, name: string): object[] => shape(importSample(format, name).processes);
  const STRACE = of('strace', 'strace-f.full.txt');

  it('have the same process tree and calls under strace, raw and with names', () => {
    expect(of('strace', 'strace-f-raw.full.txt')).to.deep.equal(STRACE);
  });

  it('have the same process tree and calls under strace and the plugin (x86-64, riscv64)', () => {
    expect(of('plugin', 'ls-sort-head.riscv64.qemu.jsonl.gz')).to.deep.equal(STRACE);
  });

  it('have the same process tree and calls under strace and lackey', () => {
    expect(of('lackey', 'lackey-reduced.jsonl.gz')).to.deep.equal(STRACE);
  });

  it('have the same process tree and calls under strace and perf, from the exec on', () => {
    const { processes } = importSample('perf', 'perf-script.full.txt.gz');
    const tree = processes.map(({ pid, parent }) => [pid, parent]);
    expect(tree).to.deep.equal(STRACE.map((process) => [(process as ImportedProcess).pid, (process as ImportedProcess).parent]));
    expect(shape(processes).slice(1)).to.deep.equal(STRACE.slice(1));
  });

  it('have the same process tree and calls with execs, under strace and the plugin', () => {
    expect(of('plugin', 'ls-sort-head-exec.riscv64.qemu.jsonl.gz')).to.deep.equal(of('strace', 'strace-f-exec.full.txt'));
  });
});
