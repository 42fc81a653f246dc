/** What an exec lays out, beside a byte-by-byte reading of the segments: who covers which byte, and with what behind it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { kevlarDesign, type Design } from '../../../kernel-model/design.ts';
import type { Image, Segment } from '../../../kernel-model/elf.ts';
import type { ExecPlan, ExecRequest } from '../../../kernel-model/exec-request.ts';
import { planKevlarExec } from '../../../kernel-model/kevlar/exec-layout.ts';
import { ceilToPage, floorToPage, PAGE_BYTES } from '../../../kernel-model/units.ts';
import { checkVmaSet, VmaSet, type Vma } from '../../../kernel-model/vma.ts';
import { fileOf } from '../../helpers/model.ts';
import { runs } from '../../helpers/seed.ts';

const FILE = fileOf('/bin/program', 0x10_0000, true);
const LOADER = fileOf('/lib/loader', 0x1_0000, true);
const RWX = 7;

/** Segments as a linker lays them out, ascending, and some that share pages, in any order of the headers. */
const someLayout: fc.Arbitrary<readonly Segment[]> = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.nat(0x400), fc.nat(0x6000)),
      fileBytes: fc.oneof(fc.nat(0x300), fc.nat(0x5000)),
      zeros: fc.oneof(fc.constant(0), fc.nat(0x4000)),
      flags: fc.nat(7),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => {
    let address = 0x10000;
    return parts.map(({ gap, fileBytes, zeros, flags }): Segment => {
      const vaddr = address + gap;
      const memoryBytes = Math.max(1, fileBytes + zeros);
      address = vaddr + memoryBytes;
      return { vaddr, offset: vaddr - 0x10000, fileBytes, memoryBytes, flags };
    });
  })
  .chain((segments) => fc.shuffledSubarray([...segments], { minLength: segments.length, maxLength: segments.length }));

const imageOf = (type: Image['type'], segments: readonly Segment[]): Image => ({
  type,
  machine: 243,
  entry: segments[0]!.vaddr,
  phoff: 64,
  phnum: segments.length,
  phentsize: 56,
  segments,
  interp: undefined,
});

const LOADER_IMAGE = imageOf('dyn', [{ vaddr: 0x1234, offset: 0x1234, fileBytes: 0x2000, memoryBytes: 0x2100, flags: 5 }]);

function plan(design: Design, image: Image, more: Partial<ExecRequest> = {}): ExecPlan | string {
  return planKevlarExec(design, {
    program: { file: FILE, image },
    interpreter: undefined,
    argv: ['program'],
    env: [],
    random: new Uint8Array(16).fill(0xaa),
    ...more,
  });
}

function planned(design: Design, image: Image, more: Partial<ExecRequest> = {}): ExecPlan {
  const made = plan(design, image, more);
  if (typeof made === 'string') throw new Error(made);
  return made;
}

const protOf = (flags: number): number => (flags & 4 ? 1 : 0) | (flags & 2 ? 2 : 0) | (flags & 1 ? 4 : 0);
const byteDesign = kevlarDesign(512, 'byte');
const pageDesign = kevlarDesign(512, 'page');

const containing = (vmas: readonly Vma[], address: number): Vma | undefined =>
  vmas.find((vma) => vma.start <= address && address < vma.end);

/** Addresses where anything can begin or end, and those beside them. */
function edges(segments: readonly Segment[], low: number, high: number): readonly number[] {
  const bounds = segments.flatMap(({ vaddr, memoryBytes }) => [vaddr, vaddr + memoryBytes]);
  const pages = bounds.flatMap((bound) => [floorToPage(bound), ceilToPage(bound)]);
  return [...bounds, ...pages].flatMap((edge) => [edge - 1, edge, edge + 1]).filter((edge) => low <= edge && edge < high);
}

/** What must lie at an address of the image: a segment, a pad, or nothing between two segments of one page. */
function expectedAt(segments: readonly Segment[], address: number): Segment | 'pad' | 'nothing' {
  const own = segments.find(({ vaddr, memoryBytes }) => vaddr <= address && address < vaddr + memoryBytes);
  if (own !== undefined) return own;
  const page = floorToPage(address);
  const onPage = segments.filter(({ vaddr, memoryBytes }) => vaddr < page + PAGE_BYTES && page < vaddr + memoryBytes);
  const isBetween = onPage.some(({ vaddr }) => vaddr > address) && onPage.some(({ vaddr }) => vaddr < address);
  return isBetween ? 'nothing' : 'pad';
}

describe('planKevlarExec', () => {
  for (const type of ['exec', 'dyn'] as const) {
    it(`covers each byte of a segment by its VMA, and what is left of its pages by pads (${type}, to the byte)`, () => {
      fc.assert(
        fc.property(someLayout, (segments) => {
          const { vmas } = planned(byteDesign, imageOf(type, segments));
          const low = floorToPage(Math.min(...segments.map(({ vaddr }) => vaddr)));
          const high = ceilToPage(Math.max(...segments.map(({ vaddr, memoryBytes }) => vaddr + memoryBytes)));
          const base = type === 'exec' ? 0 : byteDesign.placementStart - low;
          for (const address of edges(segments, low, high)) {
            const found = containing(vmas, base + address);
            const expected = expectedAt(segments, address);
            if (expected === 'nothing') expect(found).to.equal(undefined);
            else if (expected === 'pad') expect(found).to.include({ role: 'pad', prot: RWX, backing: undefined });
            else {
              const { vaddr, memoryBytes, fileBytes, offset, flags } = expected;
              expect(found).to.include({
                role: 'segment',
                start: base + vaddr,
                end: base + vaddr + memoryBytes,
                prot: protOf(flags),
                shared: false,
              });
              expect(found!.backing).to.deep.equal(fileBytes === 0 ? undefined : { file: FILE, offset, fileBytes });
            }
          }
        }),
        { numRuns: runs(120) },
      );
    });
  }

  it('lists stack, heap, segments in header order, then pads, none of them overlapping', () => {
    fc.assert(
      fc.property(fc.constantFrom('exec', 'dyn'), someLayout, (type, segments) => {
        const { vmas, heapStart } = planned(byteDesign, imageOf(type, segments));
        const set = new VmaSet();
        for (const vma of vmas) set.add(vma);
        expect(checkVmaSet(set)).to.equal(undefined);
        const roles = vmas.map(({ role }) => role);
        expect(roles.slice(0, 2)).to.deep.equal(['stack', 'heap']);
        expect(roles.slice(2, 2 + segments.length)).to.deep.equal(segments.map(() => 'segment'));
        expect(roles.slice(2 + segments.length).every((role) => role === 'pad')).to.equal(true);
        expect(vmas[0]).to.include({ start: byteDesign.stackTop - byteDesign.stackBytes, end: byteDesign.stackTop, prot: 3 });
        expect(vmas[1]).to.include({ start: heapStart, end: heapStart });
        const base = type === 'exec' ? 0 : byteDesign.placementStart - floorToPage(Math.min(...segments.map(({ vaddr }) => vaddr)));
        expect(vmas.slice(2, 2 + segments.length).map(({ start }) => start)).to.deep.equal(segments.map(({ vaddr }) => base + vaddr));
      }),
      { numRuns: runs(60) },
    );
  });

  it('rounds segments out to pages and moves the file offset back, unless two of them share a page (page-aligned)', () => {
    fc.assert(
      fc.property(someLayout, (segments) => {
        const pagesOf = ({ vaddr, memoryBytes }: Segment): [number, number] => [floorToPage(vaddr), ceilToPage(vaddr + memoryBytes)];
        const isShared = segments.some((a) =>
          segments.some((b) => a !== b && pagesOf(a)[0] < pagesOf(b)[1] && pagesOf(b)[0] < pagesOf(a)[1]),
        );
        const made = plan(pageDesign, imageOf('exec', segments));
        if (isShared) expect(made).to.equal('ENOEXEC');
        if (isShared || typeof made === 'string') return;
        for (const segment of segments) {
          const vma = containing(made.vmas, segment.vaddr)!;
          expect([vma.start, vma.end]).to.deep.equal(pagesOf(segment));
          if (segment.fileBytes === 0) expect(vma.backing).to.equal(undefined);
          else expect(vma.backing!.offset + segment.vaddr - vma.start).to.equal(segment.offset);
          if (segment.fileBytes > 0) expect(vma.start + vma.backing!.fileBytes).to.equal(segment.vaddr + segment.fileBytes);
        }
        expect(
          made.vmas.filter(({ role }) => role === 'pad').every(({ start, end }) => start % PAGE_BYTES === 0 && end % PAGE_BYTES === 0),
        ).to.equal(true);
      }),
      { numRuns: runs(120) },
    );
  });

  it('puts the heap behind a fixed image, and behind the interpreter of one that is not', () => {
    const segment = { vaddr: 0x10010, offset: 0x10, fileBytes: 0x100, memoryBytes: 0x2000, flags: 5 };
    const interpreter = { file: LOADER, image: LOADER_IMAGE };
    const fixed = planned(byteDesign, imageOf('exec', [segment]), { interpreter });
    expect(fixed.heapStart).to.equal(0x13000);
    expect(fixed.entry).to.equal(byteDesign.placementStart - 0x1000 + 0x1234);
    const moved = planned(byteDesign, imageOf('dyn', [segment]), { interpreter });
    expect(moved.heapStart).to.equal(byteDesign.placementStart + 0x3000 + 0x3000);
    expect(moved.vmas.some(({ start, role }) => role === 'segment' && start === byteDesign.placementStart + 0x3000 + 0x234)).to.equal(true);
    expect(moved.placementNext).to.be.at.least(moved.heapLimit);
  });

  it('refuses a segment at address 0, above user space, and an image that meets the stack', () => {
    const at = (vaddr: number): ExecPlan | string =>
      plan(byteDesign, imageOf('exec', [{ vaddr, offset: 0, fileBytes: 1, memoryBytes: 0x1000, flags: 5 }]));
    expect(at(0)).to.equal('ENOEXEC');
    expect(at(byteDesign.stackTop - byteDesign.stackBytes)).to.equal('E2BIG');
    expect(at(2 ** 47 - 0x1000)).to.equal('E2BIG');
    expect(at(byteDesign.stackTop - byteDesign.stackBytes - 0x1000)).to.equal('E2BIG');
    expect(typeof at(0x1000)).to.equal('object');
  });
});

describe('the initial stack', () => {
  const segment = { vaddr: 0x10000, offset: 0, fileBytes: 0x1000, memoryBytes: 0x1000, flags: 5 };
  const someText = fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => text.replaceAll('\0', '.'));

  it('begins with argc, argv and envp, whose pointers reach the strings, and a vector of pairs', () => {
    fc.assert(
      fc.property(fc.array(someText, { maxLength: 6 }), fc.array(someText, { maxLength: 6 }), (argv, env) => {
        const { stackPointer, stackPages } = planned(byteDesign, imageOf('exec', [segment]), { argv, env });
        const start = stackPages[0]!.address;
        expect(stackPages.map(({ address }) => address)).to.deep.equal(stackPages.map((_, i) => start + i * PAGE_BYTES));
        expect(stackPages.at(-1)!.address).to.equal(byteDesign.stackTop - PAGE_BYTES);
        const bytes = new Uint8Array(stackPages.length * PAGE_BYTES);
        stackPages.forEach((page, i) => bytes.set(page.bytes, i * PAGE_BYTES));
        const view = new DataView(bytes.buffer);
        const word = (index: number): number => Number(view.getBigUint64(stackPointer - start + index * 8, true));
        const text = (address: number): string => {
          const from = address - start;
          return new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)));
        };
        expect(stackPointer % 16).to.equal(0);
        expect(word(0)).to.equal(argv.length);
        expect(argv.map((_, i) => text(word(1 + i)))).to.deep.equal(argv);
        expect(word(1 + argv.length)).to.equal(0);
        expect(env.map((_, i) => text(word(2 + argv.length + i)))).to.deep.equal(env);
        expect(word(2 + argv.length + env.length)).to.equal(0);
        const vector = new Map<number, number>();
        for (let at = 3 + argv.length + env.length; word(at) !== 0; at += 2) vector.set(word(at), word(at + 1));
        expect([vector.get(6), vector.get(5), vector.get(33)]).to.deep.equal([PAGE_BYTES, 1, byteDesign.vdso]);
        expect(bytes.subarray(vector.get(25)! - start, vector.get(25)! - start + 16)).to.deep.equal(new Uint8Array(16).fill(0xaa));
        expect([...stackPages.at(-1)!.bytes]).to.deep.equal([...FILE.read(0, PAGE_BYTES)]);
      }),
      { numRuns: runs(30) },
    );
  });

  it('answers E2BIG to strings that do not fit', () => {
    expect(plan(byteDesign, imageOf('exec', [segment]), { argv: ['x'.repeat(0x2_1000)] })).to.equal('E2BIG');
  });
});
