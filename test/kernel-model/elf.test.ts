import { expect } from 'chai';
import fc from 'fast-check';
import {
  checkImage,
  isElf,
  MACHINE_RISCV,
  MACHINE_X86_64,
  parseElf,
  PF_R,
  PF_W,
  PF_X,
  type ElfProblem,
  type Image,
  type Segment,
} from '../../kernel-model/elf.ts';
import { USER_END } from '../../kernel-model/units.ts';

const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;

interface ProgramHeader extends Segment {
  readonly type: number;
}

/** An ELF header with its program headers, written field by field. */
function build(image: Omit<Image, 'segments' | 'interp' | 'phnum'>, headers: readonly ProgramHeader[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const u64 = (start: number, value: number): void => view.setBigUint64(start, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, image.type === 'exec' ? 2 : 3, true);
  view.setUint16(18, image.machine, true);
  view.setUint32(20, 1, true);
  u64(24, image.entry);
  u64(32, image.phoff);
  view.setUint16(52, 64, true);
  view.setUint16(54, image.phentsize, true);
  view.setUint16(56, headers.length, true);
  for (const [i, header] of headers.entries()) {
    const start = image.phoff + i * 56;
    if (start + 56 > bytes.length) continue;
    view.setUint32(start, header.type, true);
    view.setUint32(start + 4, header.flags, true);
    u64(start + 8, header.offset);
    u64(start + 16, header.vaddr);
    u64(start + 32, header.fileBytes);
    u64(start + 40, header.memoryBytes);
  }
  return bytes;
}

const HEAD = { type: 'exec', machine: MACHINE_RISCV, entry: 0x10000, phoff: 64, phentsize: 56 } as const;
const TEXT: Segment = { vaddr: 0x10000, offset: 0, fileBytes: 0x1bf0, memoryBytes: 0x1bf0, flags: PF_R | PF_X };
const DATA: Segment = { vaddr: 0x12bf0, offset: 0x1bf0, fileBytes: 0x400, memoryBytes: 0x900, flags: PF_R | PF_W };
const load = (segment: Segment): ProgramHeader => ({ ...segment, type: PT_LOAD });
const imageOf = (...segments: readonly Segment[]): Image => ({ ...HEAD, phnum: segments.length, segments, interp: undefined });
const isProblem = (result: Image | ElfProblem): result is ElfProblem => 'message' in result;
const fieldOf = (result: Image | ElfProblem | undefined): string => (result !== undefined && isProblem(result) ? result.field : 'none');

const someNumber = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 0xfff, 0x1000, 2 ** 32, 2 ** 47 - 1, 2 ** 47, Number.MAX_SAFE_INTEGER));
const someHeader: fc.Arbitrary<ProgramHeader> = fc.record({
  type: fc.constantFrom(PT_LOAD, PT_LOAD, PT_INTERP, PT_GNU_STACK),
  vaddr: someNumber,
  offset: someNumber,
  fileBytes: someNumber,
  memoryBytes: someNumber,
  flags: fc.nat(7),
});

/** Segments as a linker lays them out: ascending, offsets congruent, starts and ends in the middle of a page. */
const someLayout: fc.Arbitrary<readonly Segment[]> = fc
  .array(fc.record({ gap: fc.nat(0x3000), fileBytes: fc.integer({ min: 1, max: 0x5000 }), zeros: fc.nat(0x2000), flags: fc.nat(7) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => {
    let [vaddr, offset] = [0x10000, 0];
    return parts.map(({ gap, fileBytes, zeros, flags }) => {
      const start = vaddr + gap;
      offset += (((start - offset) % 0x1000) + 0x1000) % 0x1000;
      const segment = { vaddr: start, offset, fileBytes, memoryBytes: fileBytes + zeros, flags };
      vaddr = start + segment.memoryBytes;
      offset += fileBytes;
      return segment;
    });
  });

describe('parseElf', () => {
  it('answers to any bytes with an image or a problem', () => {
    const header = fc.constant(build(HEAD, [load(TEXT), load(DATA)]));
    const hostile = fc
      .tuple(header, fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 12 }), fc.nat(4096))
      .map(([bytes, pokes, end]) => {
        const copy = bytes.slice();
        for (const [index, byte] of pokes) copy[index] = byte;
        return copy.subarray(0, end);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), hostile), fc.nat(0x3000), (bytes, fileBytes) => {
        const result = parseElf(bytes, fileBytes);
        if (isProblem(result)) {
          expect(result.message).to.not.equal('');
        } else {
          expect(result.phoff + result.phnum * result.phentsize).to.be.at.most(Math.min(bytes.length, fileBytes, 4096));
          checkImage(result, fileBytes, USER_END);
        }
      }),
    );
  });

  it('reads back what a header was built from', () => {
    const someHead = fc.record({
      type: fc.constantFrom('exec', 'dyn'),
      machine: fc.constantFrom(MACHINE_X86_64, MACHINE_RISCV, 0, 0xffff),
      entry: someNumber,
      phoff: fc.integer({ min: 64, max: 4096 - 17 * 56 }),
    });
    fc.assert(
      fc.property(someHead, fc.array(someHeader, { maxLength: 16 }), (head, others) => {
        const headers = [load(TEXT), ...others];
        const interp = headers.find(({ type }) => type === PT_INTERP);
        expect(parseElf(build({ ...head, phentsize: 56 }, headers), 0x3000)).to.deep.equal({
          ...head,
          phnum: headers.length,
          phentsize: 56,
          segments: headers.filter(({ type }) => type === PT_LOAD).map(({ type: _, ...segment }) => segment),
          interp: interp && { offset: interp.offset, lengthBytes: interp.fileBytes },
        });
      }),
    );
  });

  it('reads a view into a larger buffer', () => {
    const large = new Uint8Array(8192);
    large.set(build(HEAD, [load(TEXT)]), 123);
    expect(parseElf(large.subarray(123, 123 + 4096), 4096)).to.deep.equal(imageOf(TEXT));
  });

  it('takes program headers that end with the first page, and none that end past it', () => {
    const phoff = 4096 - 2 * 56;
    expect(parseElf(build({ ...HEAD, phoff }, [load(TEXT), load(DATA)]), 0x3000)).to.include({ phoff, phnum: 2 });
    expect(fieldOf(parseElf(build({ ...HEAD, phoff: phoff + 1 }, [load(TEXT), load(DATA)]), 0x3000))).to.equal('e_phoff');
    expect(fieldOf(parseElf(build(HEAD, [load(TEXT)]), 64 + 55))).to.equal('e_phoff');
  });

  it('names the field that is wrong', () => {
    const damaged = (index: number, ...values: readonly number[]): string => {
      const bytes = build(HEAD, [load(TEXT)]);
      bytes.set(values, index);
      return fieldOf(parseElf(bytes, 0x3000));
    };
    expect(fieldOf(parseElf(new Uint8Array(63), 63))).to.equal('e_ident');
    expect(damaged(0, 0)).to.equal('e_ident');
    expect(damaged(4, 1)).to.equal('e_ident');
    expect(damaged(5, 2)).to.equal('e_ident');
    expect(damaged(16, 1)).to.equal('e_type');
    expect(damaged(31, 0x80)).to.equal('e_entry');
    expect(damaged(39, 0x80)).to.equal('e_phoff');
    expect(damaged(54, 0)).to.equal('e_phentsize');
    expect(damaged(56, 0, 0)).to.equal('e_phnum');
    expect(damaged(56, 0xff, 0xff)).to.equal('e_phoff');
    expect(damaged(64, PT_INTERP)).to.equal('e_phnum');
    for (const [field, start] of Object.entries({ p_offset: 8, p_vaddr: 16, p_filesz: 32, p_memsz: 40 })) {
      expect(damaged(64 + start + 7, 0x80)).to.equal(`phdr[0].${field}`);
    }
  });
});

describe('isElf', () => {
  it('looks at the magic alone', () => {
    expect(isElf(build(HEAD, []))).to.equal(true);
    expect(isElf(new TextEncoder().encode('#!/bin/sh\n'))).to.equal(false);
    expect(isElf(Uint8Array.of(0x7f, 0x45, 0x4c))).to.equal(false);
  });
});

describe('checkImage', () => {
  const check = (...segments: readonly Segment[]): string => fieldOf(checkImage(imageOf(...segments), 0x2000, USER_END));

  it('finds nothing in what a linker lays out, in any order of the headers', () => {
    fc.assert(
      fc.property(
        someLayout.chain((layout) => fc.shuffledSubarray([...layout], { minLength: 1 })),
        (segments) => {
          const fileBytes = Math.max(...segments.map((segment) => segment.offset + segment.fileBytes));
          expect(checkImage(imageOf(...segments), fileBytes, USER_END)).to.equal(undefined);
        },
      ),
    );
  });

  it('finds a segment that starts in another (by one byte or whole)', () => {
    fc.assert(
      fc.property(someLayout, fc.nat(), fc.nat(), (segments, place, depth) => {
        const victim = segments[place % segments.length]!;
        const vaddr = victim.vaddr + (depth % victim.memoryBytes);
        const intruder = { vaddr, offset: vaddr % 0x1000, fileBytes: 0, memoryBytes: 1, flags: 4 };
        expect(checkImage(imageOf(...segments, intruder), 2 ** 30, USER_END)?.message).to.include('lies in');
      }),
    );
  });

  it('lets two segments share a page, and an empty one lie anywhere', () => {
    expect(check(TEXT, { ...DATA, vaddr: 0x11bf0 })).to.equal('none');
    expect(check(TEXT, { ...TEXT, fileBytes: 0, memoryBytes: 0 })).to.equal('none');
  });

  it('names the field that is wrong', () => {
    expect(check(TEXT, DATA)).to.equal('none');
    expect(check(TEXT, { ...DATA, fileBytes: 0x901 })).to.equal('segments[1].p_filesz');
    expect(check({ ...TEXT, vaddr: USER_END - 0x1000 })).to.equal('segments[0].p_memsz');
    expect(check({ ...TEXT, vaddr: 0, memoryBytes: Number.MAX_SAFE_INTEGER })).to.equal('segments[0].p_memsz');
    expect(check(TEXT, { ...DATA, fileBytes: 0x411 })).to.equal('segments[1].p_offset');
    expect(check(TEXT, { ...DATA, vaddr: 0x12bf1 })).to.equal('segments[1].p_vaddr');
    expect(check(TEXT, { ...DATA, vaddr: 0x11bf0 - 0x1000 })).to.equal('segments[1].p_vaddr');
    expect(fieldOf(checkImage({ ...imageOf(TEXT), interp: { offset: 0x1ff0, lengthBytes: 0x11 } }, 0x2000, USER_END))).to.equal('interp');
  });
});
