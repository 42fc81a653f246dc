/** The importer of page-touch recordings: its ops, and that the committed recordings are what it makes of the raw ones. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { importRecording, traceName, traceText } from '../../../scripts/import-recordings.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import type { Trace } from '../../../traces/codec.ts';
import { importPagetrace, QEMU_STACK_END } from '../../../traces/import/pagetrace.ts';
import { formatOp } from '../../../traces/notation.ts';
import type { Op, OpName, OpOf } from '../../../traces/op.ts';
import { fixture } from '../../helpers/recordings.ts';

const root = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname;
const RAW = (name: string): string => root(`test/fixtures/${name}.riscv64.qemu.jsonl.gz`);

const OPTIONS = {
  file: 'raw.jsonl',
  path: '/bin/sh',
  size: 0x4000,
  segments: [
    { vaddr: 0x10000, offset: 0, filesz: 0x1440, memsz: 0x1440, flags: 'rx' as const },
    { vaddr: 0x12c20, offset: 0x1c20, filesz: 0x100, memsz: 0x2000, flags: 'rw' as const },
  ],
  seed: 's',
  kernel: { name: 'kevlar' },
  compress: true,
};

const ARGS = ['0x0', '0x0', '0x0', '0x0', '0x0', '0x0'];
const args = (...some: string[]): string[] => [...some, ...ARGS].slice(0, 6);
const image = { t: 'image', pid: 70, target: 'riscv64', api: 1 };
const enter = (pid: number, nr: number, ...some: string[]) => ({ t: 'enter', pid, nr, args: args(...some) });
const exit = (pid: number, nr: number, ret: number | string) => ({ t: 'exit', pid, nr, ret });
const touch = (pid: number, page: string, a = 'r') => ({ t: 'touch', pid, page, a });

/** The ops of some records after the first image's two, in notation. */
function imported(records: readonly unknown[], change: Partial<typeof OPTIONS & { rebase: number; marks: string[] }> = {}): string[] {
  return importPagetrace([image, ...records], { ...OPTIONS, ...change })
    .ops.slice(2)
    .map(formatOp);
}

describe('importPagetrace', () => {
  it('begins with an exec of the program, and knows its stack and the signal trampoline above', () => {
    const { header, ops } = importPagetrace([image], OPTIONS);
    expect(ops.map(formatOp)).to.deep.equal(['p1 exec /bin/sh stack=0x4000801000', 'p1 mmap 0x0 4096 rx private,anonymous = 0x4000801000']);
    expect(header.files[0]).to.include({ path: '/bin/sh', size: 0x4000, immutable: true });
  });

  it('places a touch at the first byte of its page that a segment has', () => {
    expect(imported([touch(70, '0x12000', 'w'), touch(70, '0x11000', 'x'), touch(70, '0x16000')])).to.deep.equal([
      'p1 touch w 0x12c20',
      'p1 touch x 0x11000',
      'p1 touch r 0x16000',
    ]);
  });

  it('prefers a segment that allows the access where two share a page', () => {
    const segments = [OPTIONS.segments[0]!, { ...OPTIONS.segments[1]!, vaddr: 0x11c20 }];
    expect(imported([touch(70, '0x11000', 'w'), touch(70, '0x11000', 'x')], { segments })).to.deep.equal([
      'p1 touch w 0x11c20',
      'p1 touch x 0x11000',
    ]);
  });

  it('joins touches of one kind on consecutive pages, in order and from a page start', () => {
    const pages = ['0x12000', '0x13000', '0x14000', '0x15000', '0x15000', '0x16000'].map((page) => touch(70, page));
    expect(imported(pages)).to.deep.equal(['p1 touch r 0x12c20', 'p1 touch r 0x13000+3', 'p1 touch r 0x15000+2']);
    expect(imported(pages, { compress: false })).to.have.length(6);
  });

  it("places a fork at the child's first record if that comes before the parent's return", () => {
    expect(
      imported([
        enter(70, 220, '0x1200011', '0x0', '0x0', '0x0', '0x13000'),
        { t: 'child', pid: 90, ppid: 70 },
        exit(90, 220, 0),
        touch(90, '0x13000', 'w'),
        exit(70, 220, 90),
      ]),
    ).to.deep.equal(['p1 fork p2', 'p2 copyOut 0x13000 4', 'p2 touch w 0x13000']);
  });

  it("places a fork at the parent's return if that comes first", () => {
    expect(
      imported([
        enter(70, 220, '0x4111'),
        exit(70, 220, 90),
        touch(70, '0x13000', 'w'),
        { t: 'child', pid: 90, ppid: 70 },
        exit(90, 220, 0),
      ]),
    ).to.deep.equal(['p1 vfork p2', 'p1 touch w 0x13000']);
  });

  it('marks the forks of the first process', () => {
    const fork = (child: number) => [enter(70, 220, '0x11'), exit(70, 220, child)];
    expect(imported([...fork(80), ...fork(81), ...fork(82)], { marks: ['cp', 'mv ls'] })).to.deep.equal([
      'p1 mark cp',
      'p1 fork p2',
      'p1 mark "mv ls"',
      'p1 fork p3',
      'p1 fork p4',
    ]);
  });

  it('tells exits, deaths without a word, and who was waited for', () => {
    const fork = (child: number) => [enter(70, 220, '0x11'), exit(70, 220, child)];
    const wait = (child: number) => [enter(70, 260, '0xffffffffffffffff', '0x13008'), exit(70, 260, child)];
    expect(
      imported([
        ...fork(80),
        enter(80, 94, '0x2'),
        { t: 'end', pid: 80 },
        ...wait(80),
        ...fork(81),
        { t: 'end', pid: 81 },
        ...fork(82),
        ...wait(82),
        ...wait(-10),
      ]),
    ).to.deep.equal([
      'p1 fork p2',
      'p2 exit 2',
      'p1 wait p2 = 2',
      'p1 copyOut 0x13008 4',
      'p1 fork p3',
      'p3 exit',
      'p1 fork p4',
      'p4 exit signal=SIGKILL',
      'p1 wait p4 = 4',
      'p1 copyOut 0x13008 4',
      'p1 wait = ECHILD',
    ]);
  });

  it('tells memory calls with their results', () => {
    expect(
      imported([
        enter(70, 214),
        exit(70, 214, 0x15000),
        enter(70, 222, '0x0', '0x11000', '0x3', '0x22', '0xffffffffffffffff'),
        exit(70, 222, '274886303744'),
        enter(70, 222, '0x0', '0x1000', '0x1', '0x2', '0x3'),
        exit(70, 222, -12),
        enter(70, 226, '0x12000', '0x1000', '0x1'),
        exit(70, 226, 0),
        enter(70, 216, '0x4000802000', '0x1000', '0x2000', '0x1'),
        exit(70, 216, 0x4000900000),
        enter(70, 233, '0x4000802000', '0x1000', '0x4'),
        exit(70, 233, 0),
        enter(70, 215, '0x4000802000', '0x10000'),
        exit(70, 215, 0),
        enter(70, 215, '0xffffffffffff0000', '0x10000'),
        exit(70, 215, -22),
      ]),
    ).to.deep.equal([
      'p1 brk 0x0 = 0x15000',
      'p1 mmap 0x0 69632 rw private,anonymous = 0x4000802000',
      'p1 mmap 0x0 4096 r private,anonymous = ENOMEM',
      'p1 mprotect 0x12000 4096 r = 0',
      'p1 mremap 0x4000802000 4096 8192 mayMove = 0x4000900000',
      'p1 madvise 0x4000802000 4096 dontneed = 0',
      'p1 munmap 0x4000802000 65536 = 0',
    ]);
  });

  it("derives the kernel's copies from arguments and results", () => {
    const open = { ...enter(70, 56, '0xffffffffffffff9c', '0x13000'), path: '/etc/x' };
    expect(
      imported([
        open,
        exit(70, 56, -2),
        enter(70, 63, '0x3', '0x13000', '0x400'),
        exit(70, 63, 100),
        enter(70, 63, '0x3', '0x13000', '0x400'),
        exit(70, 63, 0),
        enter(70, 64, '0x1', '0x13100', '0x5'),
        exit(70, 64, 5),
        enter(70, 64, '0x1', '0x13100', '0x5'),
        exit(70, 64, -32),
        enter(70, 160, '0x4000800840'),
        exit(70, 160, 0),
        enter(70, 135, '0x2', '0x0', '0x4000800838', '0x8'),
        exit(70, 135, 0),
        enter(70, 172),
        exit(70, 172, 70),
      ]),
    ).to.deep.equal([
      'p1 copyIn 0x13000 7',
      'p1 copyOut 0x13000 100',
      'p1 copyIn 0x13100 5',
      'p1 copyOut 0x4000800840 390',
      'p1 copyOut 0x4000800838 8',
    ]);
  });

  it('moves the program, its heap and the buffers in them, and nothing else', () => {
    expect(
      imported(
        [
          touch(70, '0x12000', 'w'),
          touch(70, '0x4000800000', 'w'),
          enter(70, 214, '0x15800', '0x10000'),
          exit(70, 214, 0x15800),
          enter(70, 63, '0x3', '0x13000', '0x400'),
          exit(70, 63, 0x400),
        ],
        { rebase: 0x400000 },
      ),
    ).to.deep.equal(['p1 touch w 0x402c20', 'p1 touch w 0x4000800000', 'p1 brk 0x405800 = 0x405800', 'p1 copyOut 0x403000 1024']);
    const { header } = importPagetrace([image, touch(70, '0x11000', 'x')], { ...OPTIONS, rebase: 0x400000 });
    expect(header.files[0]!.segments!.map(({ vaddr, offset }) => [vaddr, offset])).to.deep.equal([
      [0x400000, 0],
      [0x402c20, 0x1c20],
    ]);
    expect(header.files[0]!.entry).to.equal(0x401000);
  });

  // prettier-ignore
  const WRONG: readonly (readonly [record: unknown, says: string])[] = [
    [null, 'raw.jsonl:2: is no JSON object'],
    [{ t: 'tuoch', pid: 70 }, 'raw.jsonl:2: field `t`: "tuoch" is no kind of record'],
    [{ t: 'touch', page: '0x0', a: 'r' }, 'field `pid`'],
    [touch(71, '0x0'), 'field `pid`: process 71 has no image'],
    [touch(70, '12'), 'field `page`: is "12"'],
    [touch(70, '0x0', 'q'), 'field `a`: "q"'],
    [{ t: 'child', pid: 90, ppid: 70 }, 'field `ppid`: no process is forking'],
    [exit(70, 63, 0), 'field `nr`: returns from call 63, but the process is in none'],
    [{ t: 'enter', pid: 70, nr: 63, args: [] }, 'field `args`: must be a list of six'],
  ];
  for (const [record, says] of WRONG) {
    it(`refuses ${JSON.stringify(record)}`, () => {
      expect(() => importPagetrace([image, record], OPTIONS)).to.throw(says);
    });
  }
});

const RECORDINGS = [
  { name: 'suite20', rebase: undefined },
  { name: 'suite20', rebase: 0x400000 },
  { name: 'ls-sort-head', rebase: undefined },
  { name: 'ls-sort-head-exec', rebase: undefined },
];

describe('traces/recorded', () => {
  for (const { name, rebase } of RECORDINGS) {
    const path = root(`traces/recorded/${traceName(RAW(name), rebase)}`);
    it(`holds what the importer makes of the raw recording (${traceName(RAW(name), rebase)})`, () => {
      const text = traceText(importRecording(RAW(name), rebase));
      expect(gunzipSync(readFileSync(path)).toString() === text, 'fresh: else run scripts/import-recordings.ts').to.equal(true);
    });

    it(`touches only what its process has mapped (${traceName(RAW(name), rebase)})`, async () => {
      expect(touchesOutside(await readTrace(path))).to.deep.equal([]);
    });
  }

  it('holds what the importer makes of the recording of a dynamic ls (ls-dynamic.jsonl.gz)', () => {
    const raw = fixture('qemu-plugin-x86_64-dynamic-ls.jsonl.gz');
    const stored = gunzipSync(readFileSync(root(`traces/recorded/${traceName(raw)}`))).toString();
    expect(traceName(raw)).to.equal('ls-dynamic.jsonl.gz');
    expect(traceText(importRecording(raw)) === stored, 'fresh: else run scripts/import-recordings.ts').to.equal(true);
  });

  it('has the counts of suite20', async () => {
    const { ops } = await readTrace(root('traces/recorded/suite20.jsonl.gz'));
    const all = <Name extends OpName>(name: Name): OpOf<Name>[] => ops.filter((op): op is Op & OpOf<Name> => op.op === name);
    expect(all('exec')).to.have.length(45);
    expect(new Set(ops.map(({ pid }) => pid))).to.have.property('size', 71);
    expect(all('fork')).to.have.length(70);
    expect(all('exit')).to.have.length(71);
    expect(all('mark')).to.have.length(20);
    expect(all('touch').reduce((sum, { pages = 1 }) => sum + pages, 0)).to.equal(47439);
    expect(all('brk')).to.have.length(225);
    expect(all('mprotect')).to.have.length(45);
    expect([...all('mmap'), ...all('munmap')]).to.have.length(45 + 6);
  });

  it('has the calls of suite20', () => {
    const lines = gunzipSync(readFileSync(RAW('suite20')))
      .toString()
      .split('\n');
    expect(lines.filter((line) => line.startsWith('{"t":"enter"'))).to.have.length(2356);
  });
});

interface Space {
  heapEnd: number;
  readonly maps: { start: number; end: number }[];
}

/** Touches of no segment's page, no heap, no mapping and no stack, in notation. What the recorded kernel let pass, ours must too. */
function touchesOutside({ header, ops }: Trace): string[] {
  const image = header.files[0]!.segments!.map(({ vaddr, memsz }) => ({ start: vaddr - (vaddr % 4096), end: vaddr + memsz }));
  const heapStart = Math.max(...image.map(({ end }) => end));
  const stack = { start: QEMU_STACK_END - 8 * 2 ** 20, end: QEMU_STACK_END };
  const spaces = new Map<number, Space>();
  const outside: string[] = [];
  for (const op of ops) {
    const space = spaces.get(op.pid);
    if (op.op === 'exec') spaces.set(op.pid, { heapEnd: heapStart, maps: [] });
    else if (op.op === 'fork') spaces.set(op.child, { heapEnd: space!.heapEnd, maps: [...space!.maps] });
    else if (op.op === 'brk') space!.heapEnd = op.result as number;
    else if (op.op === 'mmap') space!.maps.push({ start: op.result as number, end: (op.result as number) + op.length });
    else if (op.op === 'touch') {
      const end = op.addr + ((op.pages ?? 1) - 1) * 4096 + 1;
      const ranges = [
        ...image,
        { start: heapStart - (heapStart % 4096), end: Math.ceil(space!.heapEnd / 4096) * 4096 },
        ...space!.maps,
        stack,
      ];
      const isInside = ranges.some((range) => range.start <= op.addr && end <= range.end);
      const isAcross = op.pages !== undefined && op.addr < heapStart && end <= space!.heapEnd;
      if (!isInside && !isAcross) outside.push(formatOp(op));
    }
  }
  return outside;
}
