/** Tracepoints, lackey's logs and Kevlar's events: the forms of their lines, and what becomes of them. */
import { expect } from 'chai';
import { eventAsKevlarLine } from '../../../kernel-model/index.ts';
import { createDigester } from '../../../sim/digest.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { replay, type ReplayResult } from '../../../sim/replay.ts';
import { RecordingImporter, type Format } from '../../../traces/import/importer.ts';
import { formatOp } from '../../../traces/notation.ts';
import { asWritten, importText } from '../../helpers/recordings.ts';

const ops = (format: Format, lines: readonly string[]): string[] => importText(format, lines.join('\n')).trace.ops.map(formatOp);

async function replayed(format: Format, lines: readonly string[]): Promise<ReplayResult> {
  const trace = asWritten(importText(format, lines.join('\n')).trace);
  return replay(trace, { check: 'changes', digester: await createDigester() });
}

describe('perf script', () => {
  const EXEC = '  a b] [7] 10 [001] 1.5: sched:sched_process_exec: filename=/bin/x y pid=10 old_pid=10';
  const FAULT = '    busy box    10 [000]     2.000001: exceptions:page_fault_user: address=0x404010 ip=0x404010 error_code=0x14';

  it('finds the pid behind a name that holds spaces, brackets and numbers', () => {
    expect(ops('perf', [EXEC, FAULT])).to.deep.equal([
      'p1 exec "/bin/x y"',
      'p1 mmap 0x0 4096 rwx private,anonymous = 0x404000',
      'p1 touch x 0x404010 = 0',
    ]);
  });

  it('puts the lines of several CPUs into the order of time, and says what was lost', () => {
    const { trace, report } = importText('perf', [FAULT, 'LOST 12 events', 'junk', EXEC].join('\n'));
    expect(trace.ops.map(({ op }) => op)).to.deep.equal(['exec', 'mmap', 'touch']);
    expect(report.skipped.map(({ lines }) => lines)).to.deep.equal([[2], [3]]);
  });

  it('reads arguments in hex and results in decimal, and makes the kernel’s faults copies', () => {
    const lines = [
      EXEC,
      'x 10 [000] 2.1: raw_syscalls:sys_enter: NR 9 (0, 2000, 3, 22, ffffffff, 0)',
      'x 10 [000] 2.2: raw_syscalls:sys_exit: NR 9 = 139640850317312',
      'x 10 [000] 2.3: exceptions:page_fault_kernel: address=0x7f00ab478010 ip=_copy_to_user error_code=0x2',
      'x 10 [000] 2.4: exceptions:page_fault_kernel: address=0xffff888000000010 ip=memcpy error_code=0x2',
    ];
    expect(ops('perf', lines).slice(1)).to.deep.equal([
      'p1 mmap 0x0 8192 rw private,anonymous = 0x7f00ab478000',
      'p1 copyOut 0x7f00ab478010 1',
    ]);
  });
});

describe('lackey', () => {
  /** Two logs of one run. */
  function importLogs(parent: readonly string[], child: readonly string[]): string[] {
    const importer = new RecordingImporter({ format: 'lackey', file: 'log.17', layouts: { named: new Map() }, kernel: { name: 'kevlar' } });
    for (const [file, lines] of [
      ['log.17', parent],
      ['log.19', child],
    ] as const)
      // prettier-ignore
      for (const [index, line] of lines.entries()) importer.add(line, index + 1, file);
    const { trace } = importer.finish();
    return trace.ops.filter(({ op }) => op !== 'mmap').map(formatOp);
  }

  it('joins one log a process: the child runs while its parent waits', () => {
    expect(
      importLogs(
        [
          '==17== Lackey, an example Valgrind tool',
          'I  0040efff,2',
          ' M 1ffeffff08,8',
          'SYSCALL[17,1](56) sys_clone ( 1200011, 0x0, 0x0, 0x4000690, 0x0 )   clone(fork): process 17 created child 19',
          ' --> [pre-success] Success(0x13) ',
          ' S 00600000,4',
          'SYSCALL[17,1](61) sys_wait4 ( 4294967295, 0x0, 0, 0x0 ) --> [async] ... ',
          'SYSCALL[17,1](61) ... [async] --> Success(0x13) ',
          'SYSCALL[17,1](231) exit_group( 0 ) --> [pre-success] Success(0x0) ',
        ],
        ['==19== x', ' L 00600000,4', 'SYSCALL[19,1](231) exit_group( 5 ) --> [pre-success] Success(0x0) '],
      ),
    ).to.deep.equal([
      'p1 exec /unknown stack=0x1fff001000',
      'p1 touch x 0x40e000+2',
      'p1 touch r 0x1ffefff000',
      'p1 touch w 0x1ffefff000',
      'p1 fork p2',
      'p1 touch w 0x600000',
      'p2 copyOut 0x4000690 4',
      'p2 touch r 0x600000',
      'p2 exit 5',
      'p1 wait p2 = 2',
      'p1 exit 0',
    ]);
  });

  it('reads errors, pointers with a text behind them, and hex without 0x', () => {
    const { processes, trace } = importText(
      'lackey',
      [
        'SYSCALL[17,1](257) sys_openat ( 4294967196, 0x5b6899(/etc/x), 591872 ) --> [async] ... ',
        'SYSCALL[17,1](257) ... [async] --> Failure(0x2) ',
        'SYSCALL[17,1](12) sys_brk ( 0x0 ) --> [pre-success] Success(0x4000000) ',
        'SYSCALL[17,1](158) arch_prctl ( 4098, 40003c0 ) --> [pre-success] Success(0x0) ',
      ].join('\n'),
    );
    expect(processes[0]!.calls).to.deep.equal(['openat', 'brk', 'arch_prctl']);
    expect(trace.ops.map(formatOp).slice(2)).to.deep.equal(['p1 copyIn 0x5b6899 7', 'p1 brk 0x0 = 0x4000000']);
  });
});

describe('Kevlar’s events', () => {
  const EXEC = 'boot DBG {"type":"process_exec","pid":1,"argv0":"/bin/x","entry":0x10000}';
  const fault = (vaddr: string, rest: string): string =>
    `DBG {"type":"page_fault","pid":1,"vaddr":${vaddr},"ip":0x10002,"reason":"demand_page","resolved":true${rest}}`;

  it('become touches that must succeed within their VMA, and others that must not', async () => {
    const lines = [
      EXEC,
      fault('0x10010', ''),
      fault('0x5b6899', ',"vma_start":0x585000,"vma_end":0x5db000,"vma_type":"file"'),
      'DBG {"type":"page_fault","pid":1,"vaddr":0x60000000,"ip":0x10002,"reason":"no_vma","resolved":false}',
      'DBG {"type":"signal","pid":1,"signal":11,"signal_name":"SIGSEGV","action":"terminate","ip":0x0}',
      'DBG {"type":"process_exit","pid":1,"status":139,"by_signal":true}',
    ];
    expect(ops('kevlar', lines)).to.deep.equal([
      'p1 exec /bin/x',
      'p1 mmap 0x0 352256 rwx private,anonymous = 0x585000',
      'p1 touch x 0x10010 = 0',
      'p1 touch r 0x5b6899 = 0',
      'p1 touch r 0x60000000 = SIGSEGV',
      'p1 exit signal=SIGSEGV',
    ]);
    expect(await replayed('kevlar', lines)).to.include({ verdict: 'held' });
  });

  it('are expectations: a kernel that answers otherwise diverges there', async () => {
    const trace = asWritten(importText('kevlar', [EXEC, fault('0x10010', '')].join('\n')).trace);
    const other = { ...trace, ops: trace.ops.map((op) => (op.op === 'touch' ? { ...op, addr: 0x50000000 } : op)) };
    const result = replay(other, { check: 'end', digester: await createDigester() });
    expect([result.verdict, result.divergence]).to.deep.equal(['diverged', { op: 1, name: 'touch', recorded: 0, actual: 'SIGSEGV' }]);
  });

  it('of a replay import again, and the same processes live in the new trace', async () => {
    const trace = await readTrace(new URL('../../../traces/recorded/ls-sort-head-exec.jsonl.gz', import.meta.url).pathname);
    const log: string[] = [];
    replay(trace, { check: 'none', digester: await createDigester(), onEvent: (event) => void log.push(eventAsKevlarLine(event)) });
    const { processes } = importText('kevlar', log.join('\n'));
    expect(processes.map(({ pid, parent }) => [pid, parent])).to.deep.equal([
      [1, undefined],
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(await replayed('kevlar', log)).to.include({ verdict: 'held' });
  });
});
