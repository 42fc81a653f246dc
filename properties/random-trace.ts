/**
 * Random small traces: a few processes, two programs whose segments start and end in mid-page, a file that can change.
 *
 * An arbitrary draws plain choices; `traceOf` turns them into ops, so that leaving a choice out keeps the rest meaningful.
 * Parameters are small, so that regions, counts and address-space ids run out quickly.
 */
import fc from 'fast-check';
import type { FileSpec, KernelSpec, TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { GeneratedTrace } from './replay-properties.ts';

const PAGE = 4096;
const ARENA = 0x20_0000;
const ARENA_PAGES = 24;
const IMAGE = 0x1_0000;
/** No image reaches this far; where the heap begins depends on the image. */
const HEAP = 0x2_0000;
const STACK_TOP = 0xa_0000_0000;

interface Choice {
  readonly kind: (typeof KINDS)[number];
  readonly who: number;
  /** Which place, the newest first. */
  readonly where: number;
  readonly page: number;
  readonly length: number;
  readonly offset: number;
  readonly flag: number;
}

const KINDS = [
  'touch',
  'touch',
  'touch',
  'touch',
  'touch',
  'mmap',
  'mmap',
  'fixed',
  'munmap',
  'mprotect',
  'mremap',
  'brk',
  'madvise',
  'fork',
  'fork',
  'vfork',
  'exit',
  'exec',
  'exec',
  'copyOut',
  'copyIn',
  'write',
  'truncate',
  'read',
  'sync',
  'msync',
  'mincore',
  'reclaim',
  'pin',
  'unpin',
  'inject',
] as const;

const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(7),
  where: fc.nat(11),
  page: fc.nat(ARENA_PAGES - 1),
  length: fc.constantFrom(1, 1, 2, 3, 4, 8, 9),
  offset: fc.constantFrom(0, 1, 0x1f0, 0xbf0, 0xc20, 0xff8, 0xfff),
  flag: fc.nat(15),
});

const parameters: fc.Arbitrary<Omit<KernelSpec, 'name'>> = fc.record({
  assembleThreshold: fc.constantFrom(0, 1, 2, 5, 600),
  frames: fc.constantFrom(400, 900),
  hugePages: fc.constantFrom(4, 8),
  faultAroundPages: fc.constantFrom(1, 2, 16),
  refcountMax: fc.constantFrom(2, 5, 65535),
  asids: fc.constantFrom(2, 3, 4096),
  singlesMax: fc.constantFrom(1, 8),
  zeroedMax: fc.constantFrom(0, 4),
  tlbEntries: fc.constantFrom(4, 64),
});

/** Segments as (page, start in page, file bytes, memory bytes beyond, rights), laid out upwards without sharing a byte. */
const segment = fc.record({
  gapPages: fc.nat(2),
  start: fc.constantFrom(0, 0x10, 0xbf0, 0xff0),
  fileBytes: fc.constantFrom(0x1f0, 0x800, 0x1000, 0x1410, 0x3000),
  zeroBytes: fc.constantFrom(0, 0, 0x40, 0x1000, 0x2345),
  flags: fc.constantFrom('r', 'rx', 'rw', 'rw'),
});

/** @param isFaulty - with injected failures of frames and stores */
export const randomTrace = (isFaulty: boolean, opsMax = 60): fc.Arbitrary<GeneratedTrace> =>
  fc
    .tuple(
      parameters,
      fc.array(segment, { minLength: 1, maxLength: 4, size: 'max' }),
      fc.array(segment, { minLength: 1, maxLength: 3, size: 'max' }),
      fc.array(choice, { maxLength: opsMax, size: 'max' }),
    )
    .map(([kernel, first, second, choices]) => {
      const files = [image('/a', first), image('/b', second), { path: '/m', size: 0x2345, content: { seed: 'm' } }];
      const header: TraceHeader = { faultline: 1, kernel: { name: 'kevlar', cpus: 1, ...kernel }, files };
      return { header, ops: opsOf(choices.filter((one) => isFaulty || one.kind !== 'inject')) };
    });

type Shape = typeof segment extends fc.Arbitrary<infer S> ? S : never;

/**
 * A program of these segments, upwards in memory and in the file. Each file offset is congruent to its address; without a
 * gap a segment may begin in the file page in which the one before it ends, which is the hazard.
 */
function image(path: string, shapes: readonly Shape[]): FileSpec {
  let [vaddr, fileEnd] = [IMAGE, 0];
  const segments = shapes.map(({ gapPages, start, fileBytes, zeroBytes, flags }, i) => {
    if (i > 0) vaddr = atOrAfter(vaddr + gapPages * PAGE, start);
    const offset = i === 0 ? 0 : atOrAfter(gapPages === 0 ? fileEnd : Math.ceil(fileEnd / PAGE) * PAGE, start);
    const filesz = i === 0 ? Math.max(fileBytes, 0x400) : fileBytes;
    const memsz = filesz + zeroBytes;
    const one = { vaddr, offset, filesz, memsz, flags };
    [vaddr, fileEnd] = [vaddr + memsz, offset + filesz];
    return one;
  });
  return { path, size: fileEnd, segments, content: { seed: path } };
}

/** The first place from `from` on that lies `start` bytes into a page. */
function atOrAfter(from: number, start: number): number {
  const wanted = Math.floor(from / PAGE) * PAGE + start;
  return wanted >= from ? wanted : wanted + PAGE;
}

/** Places where something is or was mapped: [first page, pages]. Ops choose among them, the newest most often. */
class Places {
  private readonly ranges: (readonly [start: number, pages: number])[] = [
    [STACK_TOP - 3 * PAGE, 4],
    [IMAGE, 10],
    [IMAGE, 6],
  ];

  add(start: number, pages: number): void {
    this.ranges.push([start, pages]);
  }

  /** The place that a choice means: usually one of the last three. */
  of({ where }: Choice): readonly [start: number, pages: number] {
    const { length } = this.ranges;
    return this.ranges[length - 1 - (where < 9 ? where % Math.min(3, length) : where % length)]!;
  }

  addressOf(choice: Choice): number {
    const [start, pages] = this.of(choice);
    // Now and then just outside.
    return start + ((choice.page % (pages + 1)) - (choice.page === 23 ? 1 : 0)) * PAGE + choice.offset;
  }
}

function opsOf(choices: readonly Choice[]): readonly Op[] {
  const live = [1];
  const places = new Places();
  let nextPid = 2;
  const ops: Op[] = [{ pid: 1, op: 'exec', path: '/a' }];
  for (const one of choices) {
    const pid = live[one.who % live.length]!;
    const op = opOf(one, pid, nextPid, places);
    if (op.op === 'exit') {
      if (live.length === 1) continue;
      live.splice(live.indexOf(pid), 1);
    }
    if (op.op === 'fork' || op.op === 'vfork') {
      if (live.length > 4) continue;
      live.push(nextPid++);
    }
    if (op.op === 'mmap' && op.addr !== 0) places.add(op.addr, Math.ceil(op.length / PAGE));
    if (op.op === 'brk' && op.addr !== 0) places.add(HEAP, 12);
    ops.push(op);
  }
  return ops;
}

const PROTS = ['rw', 'rw', 'r', 'rx', 'none', 'rwx', 'w', 'rw'] as const;
const ADVICE = ['dontneed', 'dontneed', 'free', 'normal'] as const;

function opOf(one: Choice, pid: number, child: number, places: Places): Op {
  const { kind, page, length, offset, flag } = one;
  const addr = places.addressOf(one);
  const [placeStart, placePages] = places.of(one);
  const start = Math.floor(addr / PAGE) * PAGE;
  const bytes = length * PAGE;
  // Half of the range ops take a whole place, the others a part.
  const range = flag < 8 ? { addr: placeStart, length: placePages * PAGE } : { addr: start, length: bytes };
  const prot = PROTS[flag % 8]!;
  const arena = kind === 'fixed' && flag >= 6 ? Math.max(PAGE, start) : ARENA + (flag % 3 === 0 ? page : page - (page % 4)) * PAGE;
  switch (kind) {
    case 'touch':
      return { pid, op: 'touch', addr, access: (['r', 'w', 'w', 'x'] as const)[flag % 4]!, width: ([1, 8, 2, 4] as const)[flag >> 2]! };
    case 'mmap':
    case 'fixed': {
      const file = flag % 3 === 0 ? { path: flag % 2 === 0 ? '/m' : '/a', offset: (page % 4) * PAGE } : {};
      const sharing = flag % 4 === 1 || flag === 6 ? 'shared' : 'private';
      return {
        pid,
        op: 'mmap',
        addr: flag === 2 && kind === 'mmap' ? 0 : arena,
        length: bytes - (flag === 3 ? 1 : 0),
        prot,
        flags: [
          sharing,
          ...('path' in file ? [] : ['anonymous' as const]),
          ...(kind === 'fixed' ? ['fixed' as const] : []),
          ...(flag === 9 ? ['populate' as const] : []),
        ],
        ...file,
      };
    }
    case 'munmap':
      return { pid, op: 'munmap', ...range };
    case 'mprotect':
      return { pid, op: 'mprotect', ...range, prot: PROTS[page % 8]! };
    case 'mremap':
      return {
        pid,
        op: 'mremap',
        addr: placeStart,
        length: Math.min(placePages, length) * PAGE,
        newLength: (1 + (flag % 11)) * PAGE,
        flags: flag % 2 === 0 ? ['mayMove'] : flag % 5 === 0 ? ['mayMove', 'fixed'] : [],
        newAddr: ARENA + ((page + flag) % ARENA_PAGES) * PAGE,
      };
    case 'brk':
      return { pid, op: 'brk', addr: flag === 0 ? 0 : HEAP + (page % 14) * PAGE + offset };
    case 'madvise':
      return { pid, op: 'madvise', ...range, advice: ADVICE[flag % 4]! };
    case 'fork':
      return { pid, op: 'fork', child };
    case 'vfork':
      return { pid, op: 'vfork', child };
    case 'exit':
      return { pid, op: 'exit', status: 0 };
    case 'exec':
      return { pid, op: 'exec', path: flag % 3 === 0 ? '/b' : '/a', argv: ['x'.repeat(flag)] };
    case 'copyOut':
      return { pid, op: 'copyOut', addr, length: length * 700 };
    case 'copyIn':
      return { pid, op: 'copyIn', addr, length: length * 700 };
    case 'write':
      return { pid, op: 'write', path: flag === 0 ? '/a' : '/m', offset: (page % 5) * 0x900 + offset, length: length * 300 };
    case 'truncate':
      return { pid, op: flag % 2 === 0 ? 'truncate' : 'resize', path: '/m', size: (page % 5) * 0x900 + offset };
    case 'read':
      return { pid, op: 'read', path: '/m', offset, length: bytes };
    case 'sync':
      return { pid, op: 'sync' };
    case 'msync':
      return { pid, op: 'msync', addr: start, length: bytes };
    case 'mincore':
      return { pid, op: 'mincore', addr: start, length: bytes };
    case 'reclaim':
      return { pid, op: 'reclaim', pages: length };
    case 'pin':
      return { pid, op: 'pin', id: flag, addr, access: flag % 2 === 0 ? 'r' : 'w' };
    case 'unpin':
      return { pid, op: 'unpin', id: flag };
    case 'inject':
      return {
        pid,
        op: 'inject',
        fault: (['noFrame', 'shortRead', 'eio'] as const)[flag % 3]!,
        at: length,
        ...(flag % 3 === 1 ? { bytes: offset } : {}),
      };
  }
}
