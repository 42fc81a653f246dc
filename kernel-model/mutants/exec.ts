/** Wrong decisions of exec: protections, places, what it maps ahead. */
import { PROT_EXEC, PROT_READ, PROT_RWX } from '../pte.ts';
import type { Rules } from '../rules.ts';
import { MEMORY_MODEL, type Mutant } from './mutant.ts';

export const EXEC_MUTANTS: readonly Mutant[] = [
  {
    id: 'segments-all-rwx',
    rule: 'segmentProtection',
    says: 'every segment of a program is readable, writable and executable',
    source: 'Kevlar blog 071',
    zoo: ['elf-segments-all-rwx'],
    brokenBy: ['vma-map-ref', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override segmentProtection(): number {
          return PROT_RWX;
        }
      },
  },
  {
    id: 'places-in-heap-room',
    rule: 'placementStart',
    says: 'mmap hands out the addresses that the heap will grow into',
    source: 'Kevlar blog 123',
    zoo: ['brk-mmap-same-window'],
    brokenBy: ['region-disjoint'],
    apply: (base) =>
      class extends base {
        override placementStart(layout: Parameters<Rules['placementStart']>[0]): number {
          return layout.heapStart;
        }
      },
  },
  {
    id: 'prefault-grants-exec',
    rule: 'prefaultProtection',
    says: 'whatever exec maps ahead is readable and executable: constants become code',
    source: MEMORY_MODEL,
    section: '11',
    brokenBy: ['prot-subset', 'outcome-ref'],
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
    zoo: ['stale-prefault-template'],
    brokenBy: ['content-ref', 'metadata-live', 'freed-unreachable', 'warm-exec-monotone'],
    apply: (base) =>
      class extends base {
        override templateIsCurrent(): boolean {
          return true;
        }
      },
  },
  {
    id: 'stack-executable',
    rule: 'stackProtection',
    says: 'the first stack pages are executable',
    source: MEMORY_MODEL,
    brokenBy: ['prot-subset', 'outcome-ref', 'vma-map-ref'],
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
    brokenBy: ['refcount-exact'],
    apply: (base) =>
      class extends base {
        override vdsoRefs(): number {
          return 1;
        }
      },
  },
];
