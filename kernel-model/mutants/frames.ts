/** Wrong decisions about frames: how they are counted, freed, pooled and merged. */
import type { Rules } from '../rules.ts';
import type { Mutant } from './mutant.ts';

export const FRAME_MUTANTS: readonly Mutant[] = [
  {
    id: 'refcount-wraps',
    rule: 'refOverflow',
    says: 'a full reference count goes back to zero',
    source: 'Linux CVE-2019-11487 (8fde12ca79af); Kevlar at bc4a42d',
    section: '13',
    zoo: ['refcount-narrow-wraps'],
    brokenBy: ['refcount-exact', 'freed-unreachable'],
    apply: (base) =>
      class extends base {
        override refOverflow(): 'wrap' {
          return 'wrap';
        }
      },
  },
  {
    id: 'no-teardown',
    rule: 'teardown',
    says: 'the end of an address space gives nothing back',
    source: 'Kevlar blogs 071 and 096',
    section: '13',
    zoo: ['teardown-skipped-inflates'],
    brokenBy: ['refcount-exact', 'no-leak'],
    apply: (base) =>
      class extends base {
        override teardown(): boolean {
          return false;
        }
      },
  },
  {
    id: 'mremap-resets-refs',
    rule: 'refsAfterMove',
    says: 'mremap sets the reference count of a moved page to 1',
    source: 'Kevlar 006f2ee',
    section: '14',
    brokenBy: ['refcount-exact', 'fork-isolation'],
    apply: (base) =>
      class extends base {
        override refsAfterMove(): number {
          return 1;
        }
      },
  },
  {
    id: 'huge-refs-base-only',
    rule: 'hugeRefs',
    says: 'only the first sub-frame of a huge page is counted',
    source: 'Kevlar blog 074, change 3',
    section: '15',
    zoo: ['huge-refcount-head-only'],
    brokenBy: ['refcount-exact', 'freed-unreachable'],
    apply: (base) =>
      class extends base {
        override hugeRefs(): number {
          return 1;
        }
      },
  },
  {
    id: 'freed-frame-in-zero-pool',
    rule: 'mayPoolAsZeroed',
    says: 'a freed frame enters the pool of zeroed ones as it is',
    source: 'Kevlar blogs 042 (attempt 4) and 043 (section 4)',
    zoo: ['dirty-frame-in-zero-pool'],
    brokenBy: ['fresh-zero', 'zero-gap', 'content-ref', 'metadata-live'],
    apply: (base) =>
      class extends base {
        override mayPoolAsZeroed(): boolean {
          return true;
        }
      },
  },
  {
    id: 'merges-pooled-frame',
    rule: 'mayMerge',
    says: 'a freed block merges with a buddy that lies in the pool of single frames, which is then given out twice',
    source: 'Kevlar blog 111, bug 1 (98b8eb0)',
    zoo: ['buddy-merges-pooled-frame'],
    brokenBy: ['alloc-wellformed', 'freed-unreachable'],
    apply: (base) =>
      class extends base {
        override mayMerge(buddy: Parameters<Rules['mayMerge']>[0]): boolean {
          return super.mayMerge(buddy) || (buddy.order === 0 && buddy.use === 'single');
        }
      },
  },
];
