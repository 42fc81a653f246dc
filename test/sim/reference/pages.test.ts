/** Kept pages of the reference, beside a second reference that is asked byte by byte: they never differ. */
import { expect } from 'chai';
import fc from 'fast-check';
import { vaddr } from '../../../kernel-model/index.ts';
import { ReferencePages } from '../../../sim/reference/pages.ts';
import { Reference } from '../../../sim/reference/reference.ts';
import { configOf, fileOf } from '../../helpers/model.ts';
import { runs } from '../../helpers/seed.ts';

const PAGE = 4096;
const AT = 0x4000_0000;
const PAGES = 2;
const PIDS = [1, 2] as const;
const { design } = configOf();

interface Place {
  readonly pid: number;
  readonly page: number;
  readonly offset: number;
}
const place = fc.record({ pid: fc.constantFrom(...PIDS), page: fc.nat(PAGES - 1), offset: fc.nat(PAGE - 1) });
const pages = fc.integer({ min: 1, max: PAGES });

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('store'), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('load'), at: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('map'),
      at: place,
      pages,
      prot: fc.nat(7),
      shared: fc.boolean(),
      path: fc.constantFrom(undefined, '/f', '/i'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unmap'), at: place, pages }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('fork', 'vfork'), at: place, child: fc.constantFrom(...PIDS) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

const filesOf = (): ConstructorParameters<typeof Reference>[1] =>
  new Map([fileOf('/f', 3 * PAGE - 5), fileOf('/i', 2 * PAGE + 9, true)].map((file) => [file.path, file]));

const addressOf = ({ page, offset }: Place): number => AT + page * PAGE + offset;

/** One of the references, changed by an op. */
function change(reference: Reference, one: Step): void {
  const { pid } = one.at;
  const start = AT + one.at.page * PAGE;
  if (one.kind === 'map' && 'prot' in one) {
    const end = vaddr(start + one.pages * PAGE);
    reference.map(pid, { start: vaddr(start), end, prot: one.prot, shared: one.shared, path: one.path, offset: 0 });
  } else if (one.kind === 'unmap' && 'pages' in one) reference.unmap(pid, start, start + one.pages * PAGE);
  else if ('child' in one && one.child !== pid) {
    if (one.kind === 'fork') reference.fork(pid, one.child);
    else reference.vfork(pid, one.child);
  }
}

describe('ReferencePages', () => {
  it('says what the reference says, whatever was stored and mapped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const [kept, plain] = [new Reference(design, filesOf()), new Reference(design, filesOf())];
        for (const reference of [kept, plain]) for (const pid of PIDS) reference.spawn(pid);
        const view = new ReferencePages(kept);
        for (const one of steps) {
          const address = addressOf(one.at);
          if ('bytes' in one) {
            // As a machine: a store that happened was allowed, and lies within a page.
            const length = Math.min(one.bytes.length, PAGE - one.at.offset);
            if (plain.access(one.at.pid, address, 'store') !== 'ok') continue;
            view.store(one.at.pid, address, length, one.bytes, 0);
            plain.store(one.at.pid, address, one.bytes.subarray(0, length));
          } else if (one.kind === 'load') {
            const page = view.page(one.at.pid, address);
            if (page === undefined) continue;
            expect(page.isReadable).to.equal(plain.access(one.at.pid, address, 'load') === 'ok');
            expect(page.bytes).to.deep.equal(plain.page(one.at.pid, page.start));
          } else {
            change(kept, one);
            change(plain, one);
            view.forget();
          }
        }
        for (const pid of PIDS)
          for (let i = 0; i < PAGES; i++) expect(kept.page(pid, AT + i * PAGE)).to.deep.equal(plain.page(pid, AT + i * PAGE));
      }),
      { numRuns: runs(100) },
    );
  });
});
