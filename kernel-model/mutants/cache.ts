/** Wrong decisions about the page cache: what enters it, who may use it, how it reaches the store. */
import { PAGE_BYTES } from '../units.ts';
import type { PageFill } from '../rules.ts';
import type { Mutant } from './mutant.ts';

/** What Kevlar took for cacheable: any file bytes at the start of a page of a VMA that is not writable. */
const startsWithFileBytes = (fill: PageFill): boolean => fill.start === 0 && fill.length > 0 && !fill.writable;

export const CACHE_MUTANTS: readonly Mutant[] = [
  {
    id: 'caches-partial-pages',
    rule: 'mayCache',
    says: 'a page that is file bytes up to the segment’s end and zeros behind it enters the page cache',
    source: 'Kevlar blog 159 (66afd2e)',
    section: '1',
    zoo: ['cache-partial-page-poison'],
    brokenBy: ['cache-truth', 'content-ref'],
    apply: (base) =>
      class extends base {
        override mayCache(fill: PageFill): boolean {
          return startsWithFileBytes(fill);
        }
      },
  },
  {
    id: 'fault-trusts-cached-page',
    rule: 'faultMayUseCache',
    says: 'a fault takes any cached page of its file page, whatever part the VMA wants',
    source: 'Kevlar blog 159 (66afd2e)',
    section: '1',
    zoo: ['cache-partial-page-poison'],
    brokenBy: ['zero-gap', 'content-ref'],
    apply: (base) =>
      class extends base {
        override faultMayUseCache(fill: PageFill): boolean {
          return startsWithFileBytes(fill);
        }
      },
  },
  {
    id: 'prefault-trusts-cached-page',
    rule: 'prefaultMayUseCache',
    says: 'exec maps any cached page of the file page, complete or not',
    source: 'Kevlar blog 159 (66afd2e)',
    section: '1',
    zoo: ['cache-partial-page-poison'],
    brokenBy: ['zero-gap', 'content-ref'],
    apply: (base) =>
      class extends base {
        override prefaultMayUseCache(): boolean {
          return true;
        }
      },
  },
  {
    id: 'caches-full-pages-only',
    rule: 'mayCache',
    says: 'only pages with 4096 file bytes are cached: right, but for the last page of a file',
    source: 'Kevlar blog 159 (66afd2e)',
    unseen: 'costs speed only',
    brokenBy: [],
    apply: (base) =>
      class extends base {
        override mayCache(fill: PageFill): boolean {
          return startsWithFileBytes(fill) && fill.length === PAGE_BYTES;
        }
      },
  },
  {
    id: 'caches-writable-pages',
    rule: 'mayCache',
    says: 'the page that a writable private mapping read enters the page cache, and its stores with it',
    source: 'Kevlar blog 074, change 1',
    zoo: ['writable-vma-feeds-cache'],
    brokenBy: ['cache-no-writable-alias', 'cache-truth'],
    apply: (base) =>
      class extends base {
        override mayCache(fill: PageFill): boolean {
          return super.mayCache({ ...fill, writable: false });
        }
      },
  },
  {
    id: 'cache-takes-no-reference',
    rule: 'cacheTakesReference',
    says: 'the cache holds a page that a fault mapped without counting itself: the last process to go frees it',
    source: 'Kevlar blogs 075 (experiment 4) and 096',
    zoo: ['teardown-frees-cached-frame'],
    brokenBy: ['refcount-exact', 'freed-unreachable', 'cache-truth'],
    apply: (base) =>
      class extends base {
        override cacheTakesReference(): boolean {
          return false;
        }
      },
  },
  {
    id: 'unmap-drops-dirty-page',
    rule: 'unmappedDirtyPage',
    says: 'munmap of a shared file mapping drops what was stored there',
    source: 'Kevlar blog 112, fix 4 (e282106)',
    zoo: ['shared-unmap-drops-dirty'],
    brokenBy: ['dirty-durable', 'content-ref'],
    apply: (base) =>
      class extends base {
        override unmappedDirtyPage(): 'drop' {
          return 'drop';
        }
      },
  },
  {
    id: 'write-back-grows-file',
    rule: 'writeBackBytes',
    says: 'write-back stores the whole last page, and the file grows to its end',
    source: 'Kevlar b65859a; Linux 5e929b33c393',
    zoo: ['writeback-grows-file'],
    brokenBy: ['dirty-durable', 'outcome-ref', 'content-ref', 'cache-truth'],
    apply: (base) =>
      class extends base {
        override writeBackBytes(): number {
          return PAGE_BYTES;
        }
      },
  },
  {
    id: 'growth-keeps-zero-tail',
    rule: 'growthReachesCache',
    says: 'a file grows from outside, and its cached last page keeps the zeros behind the old end',
    source: 'Linux fuse, a growing file read through its cache; FreeBSD fusefs D24012',
    zoo: ['growing-file-zero-tail'],
    brokenBy: ['cache-truth', 'content-ref', 'dirty-durable'],
    apply: (base) =>
      class extends base {
        override growthReachesCache(): boolean {
          return false;
        }
      },
  },
];
