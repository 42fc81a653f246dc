/** Dynamic programs: an import names where its program and its interpreter were, and what is missing of them. */
import { expect } from 'chai';
import fc from 'fast-check';
import { LD_SO, LD_SO_PATH, LS } from '../../../scripts/recorded-layouts.ts';
import type { KernelEvent } from '../../../kernel-model/index.ts';
import { createDigester, type Digester } from '../../../sim/digest.ts';
import { replay, type ReplayResult } from '../../../sim/replay.ts';
import type { Trace } from '../../../traces/codec.ts';
import type { SegmentSpec } from '../../../traces/header.ts';
import type { Imported } from '../../../traces/import/builder.ts';
import { layoutOfElf, type ProgramLayout } from '../../../traces/import/layout.ts';
import { formatOp } from '../../../traces/notation.ts';
import { asWritten, importText } from '../../helpers/recordings.ts';
import { runs } from '../../helpers/seed.ts';
import { tinyElf } from '../../helpers/tiny-elf.ts';

const PAGE = 4096;
const PROGRAM_AT = 0x5555_5555_4000;
const INTERPRETER_AT = 0x4002_8270_0000;
const STACK_END = 0x40_0282_7000;

/** Segments in pages of their own, ascending, from an address and a place in the file that agree modulo the page. */
const segments = fc
  .array(
    fc.record({
      gapPages: fc.nat(2),
      lead: fc.nat(PAGE - 1),
      filesz: fc.integer({ min: 1, max: 3 * PAGE }),
      more: fc.oneof(fc.constant(0), fc.nat(3 * PAGE)),
      flags: fc.constantFrom<SegmentSpec['flags']>('r', 'rx', 'rw'),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn) => {
    let page = 0;
    return drawn.map(({ gapPages, lead, filesz, more, flags }): SegmentSpec => {
      const vaddr = (page + gapPages) * PAGE + lead;
      page = Math.ceil((vaddr + filesz + more) / PAGE);
      return { vaddr, offset: vaddr, filesz, memsz: filesz + more, flags };
    });
  });

/** A position-independent layout as `readelf` might show it; the headers have room in its file. */
const layouts = (recordedAt: number, interp?: string): fc.Arbitrary<ProgramLayout> =>
  segments.map((drawn) => ({
    size: Math.max(PAGE, ...drawn.map(({ offset, filesz }) => offset + filesz)),
    type: 'dyn',
    segments: drawn,
    entry: drawn[0]!.vaddr,
    seed: 's',
    recordedAt,
    ...(interp === undefined ? {} : { interp }),
  }));

/** A recording in which a program touches each page of an image in each way that its segment allows. */
function touchesOf({ segments: all, recordedAt = 0 }: ProgramLayout): string[] {
  const low = all[0]!.vaddr - (all[0]!.vaddr % PAGE);
  return all.flatMap(({ vaddr, memsz, flags }) => {
    const first = Math.floor(vaddr / PAGE);
    const pages = Math.ceil((vaddr + memsz) / PAGE) - first;
    return Array.from({ length: pages }, (_, i) => '0x' + ((first + i) * PAGE - low + recordedAt).toString(16)).flatMap((page) =>
      flags.split('').map((a) => JSON.stringify({ t: 'touch', pid: 7, page, a })),
    );
  });
}

const IMAGE = '{"t":"image","pid":7,"target":"x86_64","path":"/bin/p"}';

function importDynamic(program: ProgramLayout, interpreter: ProgramLayout | undefined, records: readonly string[]): Imported {
  const named = new Map([['/bin/p', program], ...(interpreter === undefined ? [] : [['/ld.so', interpreter] as const])]);
  return importText('plugin', [IMAGE, ...records].join('\n'), { layouts: { named }, stackEnd: STACK_END });
}

const KERNELS = ['linux', 'kevlar'];

describe('importing a dynamic program', () => {
  let digester: Digester;

  before(async () => {
    digester = await createDigester();
  });

  function replayed(trace: Trace, kernel: string): ReplayResult & { readonly signals: number } {
    let signals = 0;
    const onEvent = ({ type }: KernelEvent): void => void (signals += type === 'signal' ? 1 : 0);
    return { ...replay(asWritten(trace), { digester, kernel, check: 'changes', keepGoing: true, onEvent }), signals };
  }

  it('makes one trace for all designs: each page of both images is found where exec puts them, whatever their layouts', () => {
    fc.assert(
      fc.property(layouts(PROGRAM_AT, '/ld.so'), layouts(INTERPRETER_AT), (program, interpreter) => {
        const { trace, report } = importDynamic(program, interpreter, [...touchesOf(interpreter), ...touchesOf(program)]);
        expect(trace.ops.filter(({ op }) => op !== 'touch').map(({ op }) => op)).to.deep.equal(['exec']);
        expect(report.missing).to.deep.equal([]);
        for (const kernel of KERNELS) {
          const { verdict, divergence, findings, signals } = replayed(trace, kernel);
          expect([verdict, divergence, findings, signals]).to.deep.equal(['held', undefined, [], 0]);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it('says where the recording had both, without which no kernel finds the pages', () => {
    const { trace } = importDynamic({ ...LS, interp: '/ld.so' }, LD_SO, [...touchesOf(LD_SO), ...touchesOf(LS)]);
    const [exec, ...touches] = trace.ops;
    expect(formatOp(exec!)).to.equal('p1 exec /bin/p stack=0x4002827000 base=0x4000000000 interpBase=0x4002827000');
    const lost = { ...trace, ops: [{ pid: 1, op: 'exec' as const, path: '/bin/p' }, ...touches] };
    for (const kernel of KERNELS) expect(replayed(lost, kernel).signals).to.equal(touches.length);
  });

  it('never throws, whatever the numbers of a layout are', () => {
    const number = fc.oneof(fc.nat(3 * PAGE), fc.integer({ min: 0, max: 2 ** 46 }));
    const chaos = fc.array(fc.record({ vaddr: number, offset: number, filesz: number, memsz: number, flags: fc.constant<'rw'>('rw') }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(chaos, number, (drawn, entry) => {
        const interpreter: ProgramLayout = { size: PAGE, type: 'dyn', segments: drawn, entry, seed: 's', recordedAt: INTERPRETER_AT };
        const { trace } = importDynamic({ ...LS, interp: '/ld.so' }, interpreter, touchesOf(LS));
        expect(trace.ops[0]).to.include({ op: 'exec' });
      }),
    );
  });

  it('says which file is missing, and runs the program without', () => {
    const { trace, report } = importDynamic(LS, undefined, touchesOf(LD_SO));
    expect(report.missing).to.deep.equal([
      `the layout of ${LD_SO_PATH}, the interpreter of /bin/p (give --binary ${LD_SO_PATH}=FILE@0xBASE): the pages it used stand in for it`,
    ]);
    expect(trace.header.files.map(({ path, interp }) => [path, interp])).to.deep.equal([['/bin/p', undefined]]);
    expect(trace.ops.slice(0, 2).map(formatOp)).to.deep.equal([
      'p1 exec /bin/p stack=0x4002827000 base=0x4000000000',
      'p1 mmap 0x0 217088 rwx private,anonymous = 0x4002827000',
    ]);
    for (const kernel of KERNELS) expect(replayed(trace, kernel).signals).to.equal(0);
  });

  it('says that a file linked for a fixed address is no interpreter', () => {
    const { report } = importDynamic({ ...LS, interp: '/ld.so' }, { ...LD_SO, type: 'exec' }, []);
    expect(report.missing).to.deep.equal([
      'an interpreter for /bin/p (the file given for /ld.so is linked for a fixed address): the pages it used stand in for it',
    ]);
  });

  it('has a heap that begins right behind its program, however far it grows, and not the stack behind it', () => {
    const calls = ['0x0', '0x4000047000', '0x4002806000'].flatMap((addr) => [
      JSON.stringify({ t: 'enter', pid: 7, nr: 12, args: [addr, '0x0', '0x0', '0x0', '0x0', '0x0'] }),
      JSON.stringify({ t: 'exit', pid: 7, nr: 12, ret: addr === '0x0' ? 0x40_0002_6000 : Number(addr) }),
    ]);
    const touches = ['0x4000025000', '0x4000026000', '0x4002805000', '0x4002826000'].map((page) =>
      JSON.stringify({ t: 'touch', pid: 7, page, a: 'w' }),
    );
    const { trace } = importDynamic({ ...LS, interp: undefined }, undefined, [...calls, ...touches]);
    expect(trace.ops.slice(1).map(formatOp)).to.deep.equal([
      'p1 brk 0x0 = 0x4000026000',
      'p1 brk 0x4000047000 = 0x4000047000',
      'p1 brk 0x4002806000 = 0x4002806000',
      'p1 touch w 0x4000025000',
      'p1 touch w 0x4000026000',
      'p1 touch w 0x4002805000',
      'p1 touch w 0x4002826000',
    ]);
    for (const kernel of KERNELS) expect(replayed(trace, kernel)).to.include({ verdict: 'held', signals: 0 });
  });

  it('knows each of several position-independent programs by its own address', () => {
    const other: ProgramLayout = { ...LS, recordedAt: LS.recordedAt! + 0x1000_0000, interp: undefined };
    const named = new Map([
      ['/bin/p', { ...LS, interp: undefined }],
      ['/bin/q', other],
    ]);
    const touch = (page: number): string => JSON.stringify({ t: 'touch', pid: 7, page: `0x${page.toString(16)}`, a: 'r' });
    const lines = [IMAGE, touch(LS.recordedAt!), IMAGE.replace('/bin/p', '/bin/q'), touch(other.recordedAt!)];
    const { trace } = importText('plugin', lines.join('\n'), { layouts: { named } });
    expect(trace.ops.map(formatOp)).to.deep.equal([
      'p1 exec /bin/p base=0x4000000000',
      'p1 touch r 0x4000000000',
      'p1 exec /bin/q base=0x4010000000',
      'p1 touch r 0x4010000000',
    ]);
  });
});

describe('the layout of an ELF file', () => {
  const bytes = tinyElf({ source: 'ecall' });
  const independent = bytes.slice();
  independent[16] = 3;

  it('says what to add where the address of a position-independent one is needed', () => {
    expect(layoutOfElf(bytes, 'p', undefined)).to.deep.include({ type: 'exec', entry: 0x10000 });
    expect(layoutOfElf(independent, 'p', undefined)).to.include('as FILE@0xBASE, the address of its first line in /proc/PID/maps');
    expect(layoutOfElf(independent, 'p', PROGRAM_AT + 8)).to.include('is not the start of a page');
  });
});
