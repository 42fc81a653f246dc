/** Wrong decisions of the calls that change ranges of addresses: mmap, munmap, mprotect, madvise, brk. */
import type { Rules } from '../rules.ts';
import type { Vma, VmaSet } from '../vma.ts';
import { MEMORY_MODEL, type Mutant } from './mutant.ts';

export const RANGE_MUTANTS: readonly Mutant[] = [
  {
    id: 'split-keeps-offset',
    rule: 'pieceOffsetMove',
    says: 'the right-hand piece of a file mapping that is cut keeps the file offset of the whole',
    source: 'Kevlar blog 058 (5cf884e)',
    zoo: ['vma-split-keeps-offset'],
    brokenBy: ['vma-map-ref', 'content-ref'],
    apply: (base) =>
      class extends base {
        override pieceOffsetMove(): number {
          return 0;
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
    zoo: ['fixed-map-inside-huge'],
    brokenBy: ['content-ref', 'pte-backed', 'zero-gap', 'prot-subset'],
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
    brokenBy: ['pte-backed', 'zero-gap', 'content-ref'],
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
    brokenBy: ['zero-gap', 'content-ref', 'fork-isolation'],
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
    zoo: ['dontneed-noop'],
    brokenBy: ['zero-gap', 'content-ref', 'fork-isolation'],
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
    zoo: ['brk-by-vma-index'],
    brokenBy: ['vma-map-ref', 'region-disjoint', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override heapVma(vmas: VmaSet): Vma | undefined {
          return vmas.list[1];
        }
      },
  },
  {
    id: 'heap-grows-over-neighbour',
    rule: 'heapMayGrow',
    says: 'the heap grows over what is mapped behind it',
    source: 'Kevlar blogs 111 (bug 3) and 112 (98b8eb0)',
    zoo: ['brk-extends-over-neighbour'],
    brokenBy: ['vma-wellformed', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override heapMayGrow(): boolean {
          return true;
        }
      },
  },
];
