/** `faultline mutants`: the kill matrix as text and as JSON, the same for the same seed, and what it refuses. */
import { expect } from 'chai';
import { MUTANTS } from '../../../kernel-model/index.ts';
import { faultline } from '../../helpers/command-line.ts';

interface Document {
  readonly kernel: string;
  readonly seeds: number;
  readonly notDeterministic: readonly string[];
  readonly rows: readonly {
    readonly mutant: string;
    readonly killed: number;
    readonly killedBy: readonly string[];
    readonly shortestOps: number;
    readonly hunts: readonly { readonly asked: number }[];
  }[];
  readonly notHunted: readonly { readonly mutant: string; readonly rule: string; readonly asked: boolean; readonly reason: string }[];
  readonly right: readonly { readonly killedBy: unknown; readonly runs: number }[];
}

const EASY = 'segments-all-rwx,no-teardown';

describe('faultline mutants', () => {
  it('prints what kills each mutant, and that the right kernel holds', async () => {
    const { code, out, err } = await faultline('mutants', '--only', EASY);
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^mutant +killed by +seeds +runs +seconds +slowest +shortest +rule\nsegments-all-rwx +vma-map-ref +1\/1 /);
    expect(out).to.match(/\nno-teardown +refcount-exact +1\/1 /);
    expect(out).to.match(/\nkevlar holds: \d+ runs?, no false alarm\n$/);
    expect(out).to.not.include('Survivors');
  });

  it('gives the same document for the same seed, but for the times', async () => {
    const documents = await Promise.all(
      ['x', 'x', 'y'].map(
        async (seed) => JSON.parse((await faultline('mutants', '--only', EASY, '--seed', seed, '--seeds', '2', '--json')).out) as Document,
      ),
    );
    const { notDeterministic, rows, right, seeds } = documents[0]!;
    const timeless = documents.map((document) =>
      JSON.stringify(document, (key, value: unknown) => (notDeterministic.includes(key) ? 0 : value)),
    );
    expect(timeless[0]).to.equal(timeless[1]);
    expect(timeless[0]).to.not.equal(timeless[2]);
    expect(seeds).to.equal(2);
    expect(rows.map(({ mutant, killed }) => [mutant, killed])).to.deep.equal([
      ['segments-all-rwx', 2],
      ['no-teardown', 2],
    ]);
    expect(rows.map(({ shortestOps }) => shortestOps)).to.deep.equal([1, 1]);
    expect(right.map(({ killedBy }) => killedBy)).to.deep.equal([null, null]);
  });

  it('ends with 5 when a mutant survives, unless nothing can show it', async () => {
    const survivor = await faultline('mutants', '--only', 'huge-block-by-region', '--runs', '1');
    expect([survivor.code, survivor.out]).to.have.nested.property('[0]', 5);
    expect(survivor.out).to.include('\nSurvivors\n  huge-block-by-region: nothing found in 1 run of 1 seed\n');
    const unseen = await faultline('mutants', '--only', 'region-zero-not-assembled', '--runs', '2');
    expect(unseen.code).to.equal(0);
    expect(unseen.out).to.include('region-zero-not-assembled: costs speed only');
  });

  it('hunts on another right kernel', async () => {
    const { code, out } = await faultline('mutants', '--kernel', 'linux', '--only', `${EASY},heap-by-vma-index`, '--runs', '5');
    expect(code).to.equal(0);
    expect(out).to.match(/\nsegments-all-rwx +vma-map-ref +1\/1 +1 +\S+ +\S+ +1 /);
    expect(out).to.include('heap-by-vma-index: heapVma is never asked: no VMA is the heap');
    expect(out).to.match(/\nlinux holds: 5 runs, no false alarm\n$/);
  });

  it('leaves out what the kernel cannot show, with the reason', async () => {
    const { out } = await faultline('mutants', '--kernel', 'linux', '--runs', '1', '--json');
    const { kernel, rows, notHunted } = JSON.parse(out) as Document;
    expect(kernel).to.equal('linux');
    expect(rows.length + notHunted.length).to.equal(MUTANTS.length);
    expect(notHunted).to.deep.include({
      mutant: 'first-toucher-fills-page',
      rule: 'pageContent',
      asked: false,
      reason: 'VMAs begin and end at pages, so none has bytes of several',
    });
    expect(notHunted.filter(({ asked }) => asked).map(({ mutant }) => mutant)).to.have.members([
      'fault-around-crosses-region',
      'refresh-grants-write',
    ]);
    expect(rows.find(({ mutant }) => mutant === 'no-teardown')?.hunts.map(({ asked }) => asked)).to.deep.equal([1]);
  });

  it('refuses a kernel that is none, and one that decides wrong already', async () => {
    const none = await faultline('mutants', '--kernel', 'plan9');
    expect([none.code, none.err]).to.satisfy(([code, err]: [number, string]) => code === 1 && err.includes('there is no kernel "plan9"'));
    const wrong = await faultline('mutants', '--kernel', 'linux+no-teardown');
    expect(wrong.code).to.equal(1);
    expect(wrong.err).to.include('linux+no-teardown has 1 wrong decision already; right are kevlar, linux');
  });

  it('refuses an id that is none, no runs, and not to check', async () => {
    expect((await faultline('mutants', '--check', 'none')).code).to.equal(1);
    const unknown = await faultline('mutants', '--only', 'no-teardown,eats-memory');
    expect(unknown.code).to.equal(1);
    expect(unknown.err).to.include('"eats-memory"').and.to.include('faultline kernels');
    for (const flag of ['--runs', '--seeds', '--time']) expect((await faultline('mutants', flag, '0')).code, flag).to.equal(1);
  });
});
