/**
 * Assembly of the BusyBox image as the post tells it: what Kevlar's own verifiers say of it, kernel by kernel.
 *
 * Process 1 reads pages, so that they are cached; the next exec counts them, and assembles at 128.
 */
import { expect } from 'chai';
import type { EventOf } from '../../kernel-model/index.ts';
import { BUSYBOX } from '../../scripts/suite-files.ts';
import type { FileSpec, SegmentSpec } from '../../traces/header.ts';
import { BINARY, DATA_HEAD, execIn, IMAGE, Scene, TAIL, warm } from './scene.ts';

/** What the verifiers said of the scene's only assembly: of the block, then of the pages of that exec. */
function verdicts(scene: Scene): { block: EventOf<'page_verify_ok'>; pages: EventOf<'page_verify_ok'> } {
  const end = scene.events.findIndex(({ type }) => type === 'assembly_end');
  const after = scene.events.slice(end).filter((event) => event.type === 'page_verify_ok');
  return { block: after[0]!, pages: after[1]! };
}

/** BusyBox with one segment changed. */
const busyboxWith = (index: number, change: Partial<SegmentSpec>): FileSpec => ({
  ...BUSYBOX,
  segments: BUSYBOX.segments!.map((segment, i) => (i === index ? { ...segment, ...change } : segment)),
});

const TEXT = 1;
const DATA = 3;
/** The tail of the constants in file page 0x11b. */
const TAIL_BYTES = 0x1f0;

describe('assembly with 127 pages and the tail of the constants cached', () => {
  const scene = (kernel: string): Scene => new Scene(kernel).run(warm(127), TAIL, execIn(2));

  it('counts exactly 128 pages', () => {
    for (const kernel of ['kevlar@m9.8', 'kevlar@m9.8-half', 'kevlar@m9.8.1']) {
      expect(scene(kernel).all('assembly_begin')[0], kernel).to.include({ huge_base: IMAGE, cached: 128, threshold: 128 });
    }
  });

  it('copies the tail over the start of .data (kevlar@m9.8: byte 0 is 0x65, not 0x0)', () => {
    const ran = scene('kevlar@m9.8');
    expect(ran.all('huge_page_verify_fail')).to.have.length(1);
    expect(ran.all('huge_page_verify_fail')[0]).to.include({
      huge_base: IMAGE,
      sub_page: DATA_HEAD,
      first_diff: 0,
      expected: 0x0,
      actual: 0x65,
      vma_start: 0x51cbf0,
      pid: 2,
      vma_type: 'file_rw',
    });
    expect(verdicts(ran).block).to.include({ verified: 288, failed: 1 });
  });

  it('takes zeros behind the tail for .data (kevlar@m9.8-half: byte 3056 is 0x0, not 0xc0)', () => {
    const ran = scene('kevlar@m9.8-half');
    expect(ran.all('huge_page_verify_fail')).to.have.length(1);
    expect(ran.all('huge_page_verify_fail')[0]).to.include({ pid: 2, sub_page: DATA_HEAD, first_diff: 3056, expected: 0xc0, actual: 0x0 });
    expect(verdicts(ran).block).to.include({ verified: 288, failed: 1 });
  });

  it('is right with the whole fix: 289 pages (kevlar@m9.8.1)', () => {
    const ran = scene('kevlar@m9.8.1');
    expect(ran.all('huge_page_verify_fail')).to.deep.equal([]);
    expect(ran.all('assembly_end')[0]).to.include({ populated: 289 });
    expect(verdicts(ran).block).to.include({ verified: 289, failed: 0 });
  });

  it('passes verify-pages with 285 pages either way: it never looks where .data begins', () => {
    for (const kernel of ['kevlar@m9.8', 'kevlar@m9.8-half', 'kevlar@m9.8.1']) {
      expect(verdicts(scene(kernel)).pages, kernel).to.include({ verified: 285, failed: 0 });
    }
  });

  it('is verified while exec still builds the new address space', () => {
    const types = scene('kevlar@m9.8').events.map(({ type }) => type);
    const order = ['assembly_begin', 'huge_page_verify_fail', 'page_verify_ok', 'process_exec'] as const;
    const places = order.map((type) => types.indexOf(type, types.indexOf('assembly_begin')));
    expect(places).to.deep.equal([...places].sort((a, b) => a - b));
    expect(types.slice(places[1], places[3]).filter((type) => type === 'page_verify_ok')).to.have.length(2);
  });

  it('does not begin where partial pages are not cached: two of the 128 are (kevlar)', () => {
    expect(scene('kevlar').all('assembly_begin')).to.deep.equal([]);
    const ran = new Scene('kevlar').run(warm(129), TAIL, execIn(2));
    expect(ran.all('assembly_begin')[0]).to.include({ cached: 128 });
    expect(verdicts(ran).block).to.include({ verified: 289, failed: 0 });
  });

  it('fails if a program looks: the first pointer of .data is the tail’s (kevlar@m9.8)', () => {
    const ran = scene('kevlar@m9.8');
    const bytes = ran.kernel.memory.page(ran.frameAt(2, 0x51cbf0));
    expect([...bytes.subarray(0, TAIL_BYTES)]).to.deep.equal([...BINARY.subarray(0x11b000, 0x11b000 + TAIL_BYTES)]);
    expect(bytes.subarray(TAIL_BYTES).every((byte) => byte === 0)).to.equal(true);
  });
});

describe('assembly', () => {
  it('does not begin with 127 cached pages; exec maps those that lie whole in their VMA', () => {
    const ran = new Scene('kevlar@m9.8.1').run(warm(126), TAIL, execIn(2));
    expect(ran.all('assembly_begin')).to.deep.equal([]);
    const mapped = ran.all('page_mapped').filter(({ why }) => why === 'prefault');
    // Page 0 is a header of 0x190 bytes, the tail ends in mid-page.
    expect(mapped.map(({ vaddr }) => (vaddr - IMAGE) / 0x1000)).to.deep.equal(Array.from({ length: 125 }, (_, i) => i + 1));
    expect(ran.entryAt(2, 0x51b000)).to.equal(0);
  });

  it('never begins at threshold 600, with every page cached', () => {
    const ran = new Scene('kevlar@m9.8', { assembleThreshold: 600 }).run(warm(284), execIn(2), execIn(3));
    expect(ran.all('assembly_begin')).to.deep.equal([]);
  });

  it('does not begin at threshold 0 while nothing at all is cached', () => {
    const ran = new Scene('kevlar@m9.8', { assembleThreshold: 0 }).run('p1 exec /bin/busybox', execIn(2));
    expect(ran.all('assembly_begin')).to.deep.equal([]);
    ran.run('p2 touch r 0x401000', execIn(3));
    expect(ran.all('assembly_begin')[0]).to.include({ cached: 1, threshold: 0 });
  });

  it('is right while the tail is not cached (kevlar@m9.8)', () => {
    const ran = new Scene('kevlar@m9.8').run(warm(130), execIn(2));
    expect(verdicts(ran)).to.deep.include({ block: { type: 'page_verify_ok', pid: verdicts(ran).block.pid, verified: 289, failed: 0 } });
  });

  const SIZES: readonly (readonly [filesz: number, subPages: number, pages: number])[] = [
    [0x3410, 288, 284],
    [0x3411, 289, 285],
    [0x4410, 289, 285],
    [0x4411, 290, 285],
  ];
  for (const [filesz, subPages, pages] of SIZES) {
    it(`fills ${subPages} pages and verify-pages sees ${pages} when .data has 0x${filesz.toString(16)} bytes`, () => {
      const ran = new Scene('kevlar@m9.8.1', {}, busyboxWith(DATA, { filesz })).run(warm(130), TAIL, execIn(2));
      expect(verdicts(ran).block).to.include({ verified: subPages, failed: 0 });
      expect(verdicts(ran).pages).to.include({ verified: pages, failed: 0 });
    });
  }

  it('would let verify-pages see 286 pages if the text ended with its page', () => {
    const ran = new Scene('kevlar@m9.8.1', {}, busyboxWith(TEXT, { filesz: 0xe9000, memsz: 0xe9000 })).run(warm(130), TAIL, execIn(2));
    expect(verdicts(ran).block).to.include({ verified: 289, failed: 0 });
    expect(verdicts(ran).pages).to.include({ verified: 286, failed: 0 });
  });
});

describe('page-aligned VMAs', () => {
  /** First byte of file page 0x11b that the tail leaves out. */
  const BEHIND_TAIL = BINARY[0x11b000 + TAIL_BYTES]!;

  it('open the fixed bug again: the start of .data counts as a whole page (kevlar@719f0c0, page 284 from byte 496)', () => {
    const ran = new Scene('kevlar@719f0c0').run(warm(127), TAIL, execIn(2));
    // The start of .data shares the tail's file page, so that one counts twice.
    expect(ran.all('assembly_begin')[0]).to.include({ cached: 129 });
    expect(ran.all('huge_page_verify_fail')).to.have.length(1);
    expect(ran.all('huge_page_verify_fail')[0]).to.include({
      sub_page: DATA_HEAD,
      first_diff: TAIL_BYTES,
      expected: BEHIND_TAIL,
      actual: 0,
    });
    expect(verdicts(ran).block).to.include({ verified: 288, failed: 1 });
    expect(verdicts(ran).pages).to.include({ verified: 288, failed: 1 });
  });

  it('need no assembly for it: exec maps the tail where .data begins (kevlar@719f0c0, threshold 600)', () => {
    const ran = new Scene('kevlar@719f0c0', { assembleThreshold: 600 }).run(warm(0x10), TAIL, execIn(2));
    expect(ran.all('assembly_begin')).to.deep.equal([]);
    expect(ran.all('page_verify_fail')).to.have.length(1);
    expect(ran.all('page_verify_fail')[0]).to.include({
      vaddr: 0x51c000,
      first_diff: TAIL_BYTES,
      expected: BEHIND_TAIL,
      actual: 0,
      file_offset: 0x11b000,
      vma_start: 0x51c000,
    });
  });

  it('are right when only full pages are cached (kevlar@66afd2e, with assembly and without)', () => {
    const assembled = new Scene('kevlar@66afd2e').run(warm(129), TAIL, execIn(2));
    expect(assembled.all('assembly_begin')[0]).to.include({ cached: 128 });
    expect(verdicts(assembled).block).to.include({ verified: 289, failed: 0 });
    expect(verdicts(assembled).pages).to.include({ verified: 289, failed: 0 });
    const mapped = new Scene('kevlar@66afd2e', { assembleThreshold: 600 }).run(warm(129), TAIL, execIn(2));
    expect(mapped.all('page_verify_fail')).to.deep.equal([]);
    expect(mapped.entryAt(2, 0x51c000)).to.equal(0);
  });
});
