/** The wrong decisions: each overrides the one rule that it names, and any set of them makes a kernel. */
import { expect } from 'chai';
import fc from 'fast-check';
import { INVARIANTS } from '../../kernel-model/invariants/index.ts';
import { rulesOf } from '../../kernel-model/kernels.ts';
import { UNMODELLED_BUGS } from '../../kernel-model/mutants/unmodelled.ts';
import { MUTANTS } from '../../kernel-model/mutants.ts';
import type { Mutant } from '../../kernel-model/mutants/mutant.ts';
import { Rules } from '../../kernel-model/rules.ts';
import { named } from '../helpers/model.ts';

/** What the checker finds itself, besides the invariants of one state. */
const FOUND_BY_CHECKER = [
  ...['content-ref', 'zero-gap', 'fork-isolation', 'outcome-ref', 'fault-progress', 'vma-map-ref', 'error-atomic'],
  ...['dirty-durable', 'no-leak', 'warm-exec-monotone', 'kernel-bug'],
];

/** The documented bugs that one CPU can show, with or without an injected fault: tiers 1, 2 and 5 of the bug zoo. */
const BUGS_ON_ONE_CPU = [
  'vma-split-keeps-offset',
  'cache-partial-page-poison',
  'assembly-boundary-overcopy',
  'dirty-frame-in-zero-pool',
  'dontneed-noop',
  'ro-write-livelock',
  'brk-extends-over-neighbour',
  'shared-unmap-drops-dirty',
  'writeback-grows-file',
  'elf-segments-all-rwx',
  'brk-by-vma-index',
  'brk-mmap-same-window',
  'ro-private-write-cows',
  'elf-vma-not-page-aligned',
  'stack-grows-into-neighbour',
  'zeroing-runs-backward',
  'huge-refcount-head-only',
  'huge-map-past-vma',
  'fixed-map-inside-huge',
  'buddy-merges-pooled-frame',
  'writable-vma-feeds-cache',
  'gap-page-upgraded-writable',
  'directory-inherits-leaf-limits',
  'growing-file-zero-tail',
  'dirty-pipe-merge-flag',
  'shadow-entry-clobber',
  'fork-without-flush',
  'cow-sole-owner-noop',
  'refork-loses-cow',
  'leaf-table-refcount-uninit',
  'shared-anon-cowed-on-fork',
  'teardown-frees-cached-frame',
  'teardown-skipped-inflates',
  'refcount-narrow-wraps',
  'copyout-bypasses-cow',
  'stale-prefault-template',
  'cow-reuse-despite-pin',
  'pin-then-fork-desync',
  'short-read-cached-full',
  'writeback-error-swallowed',
  'oom-in-fault-panics',
  'fork-oom-half-done',
  'map-batch-partial-failure',
];

const ownMethods = (rules: typeof Rules): readonly string[] =>
  Object.getOwnPropertyNames(rules.prototype).filter((name) => name !== 'constructor');

describe('MUTANTS', () => {
  it('has ids of its own for each, in words and hyphens', () => {
    const ids = MUTANTS.map(({ id }) => id);
    expect(new Set(ids)).to.have.property('size', ids.length);
    for (const id of ids) expect(id).to.match(/^[a-z]+(-[a-z]+)*$/);
  });

  for (const mutant of MUTANTS) {
    it(`${mutant.id} overrides ${mutant.rule}, and nothing else`, () => {
      expect(ownMethods(Rules)).to.include(mutant.rule);
      expect(ownMethods(mutant.apply(Rules))).to.deep.equal([mutant.rule]);
      expect(Object.keys(new (mutant.apply(Rules))())).to.deep.equal([]);
    });
  }

  it('says of each where it is from, what it does, and which invariants see it', () => {
    const known = [...INVARIANTS.map(({ id }) => id), ...FOUND_BY_CHECKER];
    for (const { says, source, section, brokenBy, id } of MUTANTS) {
      expect(says.length, id).to.be.above(10);
      expect(source, id).to.match(/Kevlar|Linux|FreeBSD|xv6|nanvix/);
      if (section !== undefined) expect(section, id).to.match(/^\d+b?$/);
      expect(known, id).to.include.members([...brokenBy]);
      expect(new Set(brokenBy)).to.have.property('size', brokenBy.length);
    }
  });

  it('needs only what is there, and says why a decision cannot be seen', () => {
    for (const { id, needs, unseen, brokenBy } of MUTANTS) {
      if (needs !== undefined) expect(MUTANTS.map((mutant) => mutant.id)).to.include(needs, id);
      if (brokenBy.length === 0) expect(unseen, id).to.equal('costs speed only');
    }
  });

  it('is there for each documented bug, or what the model lacks for it is said', () => {
    const modelled = new Set(MUTANTS.flatMap(({ zoo = [] }) => zoo));
    for (const { id, says, source, lacks } of UNMODELLED_BUGS) {
      expect(modelled.has(id), id).to.equal(false);
      for (const text of [says, source, lacks]) expect(text.length, id).to.be.above(10);
    }
    expect([...modelled, ...UNMODELLED_BUGS.map(({ id }) => id)].sort()).to.deep.equal([...BUGS_ON_ONE_CPU].sort());
  });

  it('is there for each number of Kevlar’s latent bugs (1 to 15)', () => {
    const sections = new Set(MUTANTS.map(({ section }) => section?.replace('b', '')));
    for (let section = 1; section <= 15; section++) expect([...sections]).to.include(String(section));
  });
});

describe('a kernel of several mutants', () => {
  const rule =
    (name: keyof Rules): ((mutant: Mutant) => boolean) =>
    (mutant) =>
      mutant.rule === name;

  it('has the rules of all of them, and the right ones for the rest', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...MUTANTS], { maxLength: 6 }), (mutants) => {
        const kernel = named(['kevlar', ...mutants.map(({ id }) => id)].join('+'));
        expect(kernel.mutants).to.deep.equal(mutants);
        const rules = rulesOf(kernel);
        for (const name of ownMethods(Rules) as (keyof Rules)[]) {
          const isRight = rules[name] === Rules.prototype[name];
          expect(isRight, name).to.equal(!mutants.some(rule(name)));
        }
      }),
    );
  });

  it('asks the later of two that override one rule, which asks the earlier', () => {
    const grants = (name: string): readonly boolean[] => {
      const rules = rulesOf(named(name));
      return (['mprotect', 'refresh'] as const).map((why) => rules.mayGrantWrite({ others: 1, why }));
    };
    expect(grants('kevlar')).to.deep.equal([false, false]);
    expect(grants('kevlar+mprotect-grants-write')).to.deep.equal([true, false]);
    expect(grants('kevlar+refresh-grants-write')).to.deep.equal([false, true]);
    expect(grants('kevlar+refresh-grants-write+mprotect-grants-write')).to.deep.equal([true, true]);
    const source = (name: string): string =>
      rulesOf(named(name)).assemblySource({ start: 0x100, length: 1, extent: 4096, writable: false, shared: false });
    expect(source('kevlar+assembly-copies-whole-page+assembly-trusts-cached-range')).to.equal('cachedRange');
    expect(source('kevlar+assembly-trusts-cached-range+assembly-copies-whole-page')).to.equal('cachedPage');
  });
});
