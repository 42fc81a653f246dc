/** Wrong decisions of the page fault: what a page holds, what it allows, what a refused access earns. */
import type { Rules } from '../rules.ts';
import { MEMORY_MODEL, type Mutant } from './mutant.ts';

export const FAULT_MUTANTS: readonly Mutant[] = [
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
    zoo: ['elf-vma-not-page-aligned'],
    brokenBy: ['outcome-ref'],
    apply: (base) =>
      class extends base {
        override faultLooksUp(): 'byte' {
          return 'byte';
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
    zoo: ['ro-write-livelock'],
    brokenBy: ['fault-progress', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override refusedAccess(): 'refresh' {
          return 'refresh';
        }
      },
  },
  {
    id: 'refused-write-copies',
    rule: 'refusedAccess',
    says: 'a write to a private page that may only be read copies it and makes the copy writable, if the page is there',
    source: 'Kevlar b95949a and 74c98fe',
    zoo: ['ro-private-write-cows'],
    brokenBy: ['prot-subset', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override refusedAccess(refused: Parameters<Rules['refusedAccess']>[0]): 'signal' | 'refresh' | 'copy' {
          const { access, shared, isPresent } = refused;
          return access === 'store' && !shared && isPresent ? 'copy' : super.refusedAccess(refused);
        }
      },
  },
];
