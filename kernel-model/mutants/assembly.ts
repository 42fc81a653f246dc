/** Wrong decisions of huge-page assembly. */
import { MEMORY_MODEL, type Mutant } from './mutant.ts';

export const ASSEMBLY_MUTANTS: readonly Mutant[] = [
  {
    id: 'assembly-copies-whole-page',
    rule: 'assemblySource',
    says: 'assembly copies all 4096 bytes of a cached page, also where the VMA starts in mid-page',
    source: 'Kevlar blog 075-huge-page-assembly-fix, bug 1 (bc4a42d)',
    section: '2',
    zoo: ['assembly-boundary-overcopy'],
    brokenBy: ['zero-gap', 'content-ref'],
    apply: (base) =>
      class extends base {
        override assemblySource(): 'cachedPage' {
          return 'cachedPage';
        }
      },
  },
  {
    id: 'assembly-trusts-cached-range',
    rule: 'assemblySource',
    says: 'assembly copies only the VMA’s part of a cached page, and trusts that the page holds it',
    source: 'Kevlar blog 075-huge-page-assembly-fix, bug 2 (the fix between)',
    section: '2',
    needs: 'caches-partial-pages',
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override assemblySource(): 'cachedRange' {
          return 'cachedRange';
        }
      },
  },
  {
    id: 'assembly-fills-first-vma',
    rule: 'assemblyFills',
    says: 'where two VMAs share a page assembly fills in the first one’s bytes only',
    source: MEMORY_MODEL,
    section: '6',
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override assemblyFills(): 'firstVma' {
          return 'firstVma';
        }
      },
  },
  {
    id: 'assembly-maps-beyond-vma',
    rule: 'assemblyMapping',
    says: 'an assembled block is always mapped by one huge leaf, past the image and into the heap',
    source: 'Kevlar blog 122 (coverage check in 75c8181)',
    section: '11',
    zoo: ['huge-map-past-vma'],
    brokenBy: ['pte-backed', 'outcome-ref', 'prot-subset'],
    apply: (base) =>
      class extends base {
        override assemblyMapping(): 'leaf' {
          return 'leaf';
        }
      },
  },
  {
    id: 'assembly-fills-foreign-page',
    rule: 'assemblyMayFillForeignPage',
    says: 'assembly leaves out the bytes that another file has in the same page',
    source: MEMORY_MODEL,
    section: '11',
    unseen: 'no page has bytes of two files: exec places each image at a page boundary',
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override assemblyMayFillForeignPage(): boolean {
          return true;
        }
      },
  },
  {
    id: 'region-zero-not-assembled',
    rule: 'mayAssembleRegionZero',
    says: 'the region at address 0 is never assembled, because 0 is no user address',
    source: MEMORY_MODEL,
    unseen: 'costs speed only',
    brokenBy: [],
    apply: (base) =>
      class extends base {
        override mayAssembleRegionZero(): boolean {
          return false;
        }
      },
  },
  {
    id: 'huge-block-by-region',
    rule: 'hugeBlockKey',
    says: 'a block is found again by file and region, although the file may lie elsewhere in it now',
    source: MEMORY_MODEL,
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override hugeBlockKey(block: { readonly region: number }): string {
          return String(block.region);
        }
      },
  },
];
