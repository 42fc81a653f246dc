/** strace's text: interrupted calls, values, and the forms of a line. */
import { expect } from 'chai';
import fc from 'fast-check';
import { ReportBook } from '../../../traces/import/report.ts';
import type { Recorded } from '../../../traces/import/recorded.ts';
import { StraceReader } from '../../../traces/import/strace.ts';
import { numberOf, pathBehind, splitArguments, stringOf, stringsOf } from '../../../traces/import/strace-values.ts';
import { formatOp } from '../../../traces/notation.ts';
import { importText } from '../../helpers/recordings.ts';

const LINES = [
  'close(4)                          = 0',
  'mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7ffff7ff3000',
  'newfstatat(3, "", {st_mode=S_IFDIR|0755, st_size=4096, ...}, AT_EMPTY_PATH) = 0',
  'write(1</tmp/a, b>, "x), y = 3 <unfinished\\n"..., 111) = 111',
  'ioctl(0, TIOCGWINSZ, 0x7fffffffe3f0) = -1 ENOTTY (Inappropriate ioctl for device)',
  'wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 19325',
  'execve("/bin/busybox", ["/bin/busybox", "a, b"], ["PATH=/bin"]) = 0',
];

function records(lines: readonly string[]): Recorded[] {
  const reader = new StraceReader('x86_64', new ReportBook());
  return lines.flatMap((line, index) => [...reader.read(line, index + 1)]);
}

describe('strace', () => {
  it('says the same of a call on one line and of one that is cut anywhere', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LINES), fc.double({ min: 0, max: 1, noNaN: true }), (line, part) => {
        const open = line.indexOf('(') + 1;
        const close = line.lastIndexOf(') ', line.lastIndexOf('= '));
        const cut = open + Math.floor(part * (close - open));
        const name = line.slice(0, open - 1);
        // strace cuts between arguments, never within a string: a cut there is no line of strace.
        fc.pre(
          splitArguments(line.slice(open, cut)).concat(splitArguments(line.slice(cut, close))).length > 0 &&
            !isInString(line.slice(open, cut)),
        );
        const whole = records([`7 ${line}`]).at(-1);
        const split = records([
          `7 ${line.slice(0, cut)} <unfinished ...>`,
          '8 getpid() = 8',
          `7 <... ${name} resumed>${line.slice(cut)}`,
        ]).at(-1);
        expect({ ...split, line: 0 }).to.deep.equal({ ...whole, line: 0 });
      }),
    );
  });

  it('reads numbers, products, flags by name with a rest in hex, and pointers that are not shown', () => {
    expect(
      ['-1', '0x10', '8192*1024', 'MAP_PRIVATE|MAP_FIXED|0x2000000', 'flags=CLONE_VM|SIGCHLD', 'NULL', '"x"', '{a=1}', '3</x>'].map(
        numberOf,
      ),
    ).to.deep.equal([-1, 16, 8388608, 0x2000012, 0x111, 0, 0, 0, 3]);
  });

  it('undoes escapes, and says what is cut', () => {
    expect(stringOf('"a\\n\\"\\303\\251\\x41"...')).to.deep.equal({ text: 'a\n"éA', isCut: true });
    expect(stringsOf('["a, b", "c"]')).to.deep.equal(['a, b', 'c']);
    expect(stringsOf('["a"..., ...]')).to.equal(undefined);
    expect(stringsOf('0x7ffc /* 53 vars */')).to.equal(undefined);
    expect(pathBehind('3</lib/libc.so.6>')).to.equal('/lib/libc.so.6');
  });

  it('begins with the exec, makes a child of a pid that is seen before its clone returns, and ends it by its last line', () => {
    const log = [
      '5 execve("/bin/sh", ["sh"], 0x7ffd /* 1 var */) = 0',
      '5 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>',
      '6 brk(NULL) = 0x5000000',
      '5 <... clone resumed>, child_tidptr=0x5ec690) = 6',
      '6 +++ killed by SIGSEGV (core dumped) +++',
      '5 wait4(-1, [{WIFSIGNALED(s)}], 0, NULL) = 6',
      '5 exit_group(3) = ?',
      '5 +++ exited with 3 +++',
    ].join('\n');
    expect(importText('strace', log).trace.ops.map(formatOp)).to.deep.equal([
      'p1 exec /bin/sh sh',
      'p1 fork p2',
      'p2 brk 0x0 = 0x5000000',
      'p2 exit signal=SIGSEGV',
      'p1 wait p2 = 2',
      'p1 exit 3',
    ]);
  });

  it('knows a pid that is used again, clone3, threads, and lines on standard error', () => {
    const log = [
      'execve("/bin/sh", ["sh"], []) = 0',
      'clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f, stack_size=0x9000}, 88) = 6',
      'strace: Process 6 attached',
      '[pid     6] exit_group(0) = ?',
      '[pid     6] +++ exited with 0 +++',
      'wait4(6, NULL, 0, NULL) = 6',
      'vfork() = 6',
      '[pid     6] exit_group(1) = ?',
      'clone(child_stack=0x7f00, flags=CLONE_VM|CLONE_FS|CLONE_THREAD, parent_tid=[9], tls=0x1, child_tidptr=0x2) = 9',
      '[pid     9] brk(NULL) = 0x5000000',
    ].join('\n');
    const { trace, report } = importText('strace', log);
    expect(trace.ops.map(formatOp)).to.deep.equal([
      'p1 exec /bin/sh sh env=-',
      'p1 vfork p2',
      'p2 exit 0',
      'p1 wait p2 = 2',
      'p1 vfork p3',
      'p3 exit 1',
      'p1 brk 0x0 = 0x5000000',
    ]);
    expect(report.assumed.map(({ what, lines }) => [what, lines])).to.deep.equal([['a thread is taken for its process', [9]]]);
    expect(report.skipped.map(({ what, lines }) => [what, lines])).to.deep.equal([['a remark of strace', [3]]]);
  });

  it('maps what successful calls speak of and nothing recorded maps, and says which line was first', () => {
    const log = ['5 execve("/bin/sh", ["sh"], []) = 0', '5 mprotect(0x5db000, 28672, PROT_READ) = 0'].join('\n');
    const { trace, report } = importText('strace', log);
    expect(trace.ops.map(formatOp).slice(1)).to.deep.equal([
      'p1 mmap 0x0 28672 rwx private,anonymous = 0x5db000',
      'p1 mprotect 0x5db000 28672 r = 0',
    ]);
    expect(report.assumed[0]!.lines).to.deep.equal([2]);
  });
});

/** Does the text end within a string, a structure or the path of a descriptor? */
function isInString(text: string): boolean {
  let isInside = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') isInside = !isInside;
  }
  return isInside || text.endsWith('\\');
}
