/**
 * Decisions that kernels shipped and got wrong, each as one overridden rule.
 *
 * `section` is the bug's number in the list of Kevlar's latent bugs at M9.8.1; `brokenBy` names the invariant that must
 * see it. A mutant is a mixin, so any set of them can be switched on together; two that override one rule apply in order.
 * The model does not know this file.
 */
import { PROT_EXEC, PROT_READ } from './pte.ts';
import type { Rules } from './rules.ts';
import { type PageFill } from './rules.ts';
import type { Vma, VmaSet } from './vma.ts';
import { PAGE_BYTES } from './units.ts';

export interface Mutant {
  readonly id: string;
  /** The one method of `Rules` that is overridden. */
  readonly rule: keyof Rules;
  readonly says: string;
  readonly source: string;
  /** Number in the list of Kevlar's latent bugs, if it is one of them. */
  readonly section: string | undefined;
  /** The invariants that see it, the surest first; empty if it only costs speed. */
  readonly brokenBy: readonly string[];
  readonly apply: (base: typeof Rules) => typeof Rules;
}

const MEMORY_MODEL = 'Kevlar at bc4a42d';

/** What Kevlar took for cacheable: any file bytes at the start of a page of a VMA that is not writable. */
const startsWithFileBytes = (fill: PageFill): boolean => fill.start === 0 && fill.length > 0 && !fill.writable;

export const MUTANTS: readonly Mutant[] = [
  {
    id: 'caches-partial-pages',
    rule: 'mayCache',
    says: 'a page that is file bytes up to the segment’s end and zeros behind it enters the page cache',
    source: 'Kevlar blog 159 (66afd2e)',
    section: '1',
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
    brokenBy: ['content-ref', 'zero-gap'],
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
    brokenBy: ['content-ref', 'zero-gap'],
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
    section: undefined,
    brokenBy: [],
    apply: (base) =>
      class extends base {
        override mayCache(fill: PageFill): boolean {
          return startsWithFileBytes(fill) && fill.length === PAGE_BYTES;
        }
      },
  },
  {
    id: 'assembly-copies-whole-page',
    rule: 'assemblySource',
    says: 'assembly copies all 4096 bytes of a cached page, also where the VMA starts in mid-page',
    source: 'Kevlar blog 075-huge-page-assembly-fix, bug 1 (bc4a42d)',
    section: '2',
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
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override assemblySource(): 'cachedRange' {
          return 'cachedRange';
        }
      },
  },
  {
    id: 'mprotect-grants-write',
    rule: 'mayGrantWrite',
    says: 'mprotect makes entries writable whose frames others hold',
    source: MEMORY_MODEL,
    section: '3',
    brokenBy: ['cache-no-writable-alias', 'fork-isolation', 'content-ref'],
    apply: (base) =>
      class extends base {
        override mayGrantWrite(frame: Parameters<Rules['mayGrantWrite']>[0]): boolean {
          return frame.why === 'mprotect' || super.mayGrantWrite(frame);
        }
      },
  },
  {
    id: 'refresh-grants-write',
    rule: 'mayGrantWrite',
    says: 'a fault that refreshes an entry’s flags makes it writable although others hold the frame',
    source: MEMORY_MODEL,
    section: '3',
    brokenBy: ['cache-no-writable-alias', 'fork-isolation', 'content-ref'],
    apply: (base) =>
      class extends base {
        override mayGrantWrite(frame: Parameters<Rules['mayGrantWrite']>[0]): boolean {
          return frame.why === 'refresh' || super.mayGrantWrite(frame);
        }
      },
  },
  {
    id: 'prot-none-keeps-huge-leaf',
    rule: 'protNoneRevokesHugeLeaf',
    says: 'mprotect(PROT_NONE) of a whole huge page leaves it readable',
    source: MEMORY_MODEL,
    section: '3b',
    brokenBy: ['prot-subset', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override protNoneRevokesHugeLeaf(): boolean {
          return false;
        }
      },
  },
  {
    id: 'fixed-map-ignores-huge-leaf',
    rule: 'unmapSeesHugeLeaf',
    says: 'MAP_FIXED over part of a huge page changes nothing: the old bytes stay visible',
    source: 'Kevlar blog 122, fix 4',
    section: '4',
    brokenBy: ['zero-gap', 'content-ref', 'pte-backed'],
    apply: (base) =>
      class extends base {
        override unmapSeesHugeLeaf(by: Parameters<Rules['unmapSeesHugeLeaf']>[0]): boolean {
          return by !== 'fixed' && super.unmapSeesHugeLeaf(by);
        }
      },
  },
  {
    id: 'brk-ignores-huge-leaf',
    rule: 'unmapSeesHugeLeaf',
    says: 'a shrinking heap leaves its huge pages mapped',
    source: MEMORY_MODEL,
    section: '4',
    brokenBy: ['zero-gap', 'content-ref', 'pte-backed'],
    apply: (base) =>
      class extends base {
        override unmapSeesHugeLeaf(by: Parameters<Rules['unmapSeesHugeLeaf']>[0]): boolean {
          return by !== 'brk' && super.unmapSeesHugeLeaf(by);
        }
      },
  },
  {
    id: 'dontneed-ignores-huge-leaf',
    rule: 'unmapSeesHugeLeaf',
    says: 'MADV_DONTNEED passes over huge pages',
    source: 'Kevlar 006f2ee',
    section: '4',
    brokenBy: ['content-ref', 'zero-gap'],
    apply: (base) =>
      class extends base {
        override unmapSeesHugeLeaf(by: Parameters<Rules['unmapSeesHugeLeaf']>[0]): boolean {
          return by !== 'dontneed' && super.unmapSeesHugeLeaf(by);
        }
      },
  },
  {
    id: 'dontneed-does-nothing',
    rule: 'dontneedDrops',
    says: 'MADV_DONTNEED returns success and does nothing',
    source: 'Kevlar blog 076',
    section: undefined,
    brokenBy: ['content-ref', 'zero-gap'],
    apply: (base) =>
      class extends base {
        override dontneedDrops(): boolean {
          return false;
        }
      },
  },
  {
    id: 'heap-by-vma-index',
    rule: 'heapVma',
    says: 'the heap is the second VMA of the list, whatever that is',
    source: 'Kevlar blog 088 (fixed in 0660d36)',
    section: '5',
    brokenBy: ['vma-map-ref', 'region-disjoint', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override heapVma(vmas: VmaSet): Vma | undefined {
          return vmas.list[1];
        }
      },
  },
  {
    id: 'first-toucher-fills-page',
    rule: 'pageContent',
    says: 'in a page of several VMAs only the faulting one’s bytes appear',
    source: MEMORY_MODEL,
    section: '6',
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override pageContent(): 'faultingVma' {
          return 'faultingVma';
        }
      },
  },
  {
    id: 'first-toucher-protects-page',
    rule: 'pageProtection',
    says: 'a page of several VMAs gets the protection of the one that faults: a pad makes code writable',
    source: MEMORY_MODEL,
    section: '6',
    brokenBy: ['prot-subset', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override pageProtection(): 'faultingVma' {
          return 'faultingVma';
        }
      },
  },
  {
    id: 'fault-looks-up-bytes',
    rule: 'faultLooksUp',
    says: 'an address between the VMAs of a page has no mapping, unless the page is there already',
    source: 'Kevlar blog 158 (719f0c0)',
    section: '6',
    brokenBy: ['outcome-ref'],
    apply: (base) =>
      class extends base {
        override faultLooksUp(): 'byte' {
          return 'byte';
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
    id: 'fault-around-crosses-region',
    rule: 'faultAroundEnd',
    says: 'fault-around runs on into the next 2 MiB, where it takes a huge leaf for a table',
    source: MEMORY_MODEL,
    section: '7',
    brokenBy: ['metadata-live', 'content-ref'],
    apply: (base) =>
      class extends base {
        override faultAroundEnd(pages: Parameters<Rules['faultAroundEnd']>[0]): number {
          return Math.min(pages.wanted, pages.vmaEnd);
        }
      },
  },
  {
    id: 'unneeded-page-freed',
    rule: 'unneededPage',
    says: 'a fault that does not need its page frees the frame, also when it is the page cache’s',
    source: MEMORY_MODEL,
    section: '8',
    brokenBy: ['freed-unreachable', 'refcount-exact'],
    apply: (base) =>
      class extends base {
        override unneededPage(): 'free' {
          return 'free';
        }
      },
  },
  {
    id: 'refused-access-refreshed',
    rule: 'refusedAccess',
    says: 'a forbidden write or fetch refreshes the entry and faults again, for ever',
    source: 'Kevlar blog 081 bug A; 9cfecbe',
    section: '9',
    brokenBy: ['fault-progress', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override refusedAccess(): 'refresh' {
          return 'refresh';
        }
      },
  },
  {
    id: 'fork-skips-prot-none',
    rule: 'forkCountsInvalidEntry',
    says: 'fork copies a PROT_NONE entry without counting its frame',
    source: MEMORY_MODEL,
    section: '10',
    brokenBy: ['refcount-exact', 'freed-unreachable'],
    apply: (base) =>
      class extends base {
        override forkCountsInvalidEntry(): boolean {
          return false;
        }
      },
  },
  {
    id: 'assembly-maps-beyond-vma',
    rule: 'assemblyMapping',
    says: 'an assembled block is always mapped by one huge leaf, past the image and into the heap',
    source: 'Kevlar blog 122 (coverage check in 75c8181)',
    section: '11',
    brokenBy: ['outcome-ref', 'prot-subset', 'pte-backed'],
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
    section: undefined,
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
    section: undefined,
    brokenBy: ['content-ref'],
    apply: (base) =>
      class extends base {
        override hugeBlockKey(block: { readonly region: number }): string {
          return String(block.region);
        }
      },
  },
  {
    id: 'prefault-grants-exec',
    rule: 'prefaultProtection',
    says: 'whatever exec maps ahead is readable and executable: constants become code',
    source: MEMORY_MODEL,
    section: '11',
    brokenBy: ['outcome-ref', 'prot-subset'],
    apply: (base) =>
      class extends base {
        override prefaultProtection(): number {
          return PROT_READ | PROT_EXEC;
        }
      },
  },
  {
    id: 'template-maps-writable',
    rule: 'templateProtection',
    says: 'a template maps the page cache’s frames with the VMA’s protection, writable ones too',
    source: 'Kevlar b7c0997',
    section: '12',
    brokenBy: ['cache-no-writable-alias', 'content-ref'],
    apply: (base) =>
      class extends base {
        override templateProtection(prot: number): number {
          return prot;
        }
      },
  },
  {
    id: 'template-never-rebuilt',
    rule: 'templateIsCurrent',
    says: 'a template is replayed for ever, although the page cache has moved on',
    source: 'Kevlar blog 098 (fixed in ed0afac)',
    section: '12',
    brokenBy: ['content-ref', 'metadata-live', 'freed-unreachable', 'warm-exec-monotone'],
    apply: (base) =>
      class extends base {
        override templateIsCurrent(): boolean {
          return true;
        }
      },
  },
  {
    id: 'refcount-wraps',
    rule: 'refOverflow',
    says: 'a full reference count goes back to zero',
    source: MEMORY_MODEL,
    section: '13',
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
    brokenBy: ['refcount-exact', 'freed-unreachable'],
    apply: (base) =>
      class extends base {
        override hugeRefs(): number {
          return 1;
        }
      },
  },
  {
    id: 'stack-executable',
    rule: 'stackProtection',
    says: 'the first stack pages are executable',
    source: MEMORY_MODEL,
    section: undefined,
    brokenBy: ['outcome-ref', 'prot-subset'],
    apply: (base) =>
      class extends base {
        override stackProtection(prot: number): number {
          return prot | PROT_EXEC;
        }
      },
  },
  {
    id: 'vdso-refs-reset',
    rule: 'vdsoRefs',
    says: 'each exec sets the reference count of the vDSO’s frame to 1',
    source: MEMORY_MODEL,
    section: undefined,
    brokenBy: ['refcount-exact'],
    apply: (base) =>
      class extends base {
        override vdsoRefs(): number {
          return 1;
        }
      },
  },
];
