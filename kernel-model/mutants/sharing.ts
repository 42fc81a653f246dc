/** Wrong decisions about frames that several hold: who may write, what fork shares. */
import type { Rules } from '../rules.ts';
import { MEMORY_MODEL, type Mutant } from './mutant.ts';

export const SHARING_MUTANTS: readonly Mutant[] = [
  {
    id: 'mprotect-grants-write',
    rule: 'mayGrantWrite',
    says: 'mprotect makes entries writable whose frames others hold',
    source: MEMORY_MODEL,
    section: '3',
    brokenBy: ['fork-isolation', 'cache-no-writable-alias', 'content-ref', 'exclusive-once', 'zero-page-intact'],
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
    unseen: 'needs two CPUs: on one no entry lags behind its VMA, so no fault refreshes one',
    brokenBy: ['cache-no-writable-alias', 'fork-isolation', 'content-ref'],
    apply: (base) =>
      class extends base {
        override mayGrantWrite(frame: Parameters<Rules['mayGrantWrite']>[0]): boolean {
          return frame.why === 'refresh' || super.mayGrantWrite(frame);
        }
      },
  },
  {
    id: 'sole-holder-never-writes',
    rule: 'reuseGrantsWrite',
    says: 'a write fault of the last holder leaves the entry as it is and faults again, for ever',
    source: 'Kevlar blog 146, bug 1 (9d8f952)',
    zoo: ['cow-sole-owner-noop'],
    brokenBy: ['fault-progress', 'outcome-ref'],
    apply: (base) =>
      class extends base {
        override reuseGrantsWrite(): boolean {
          return false;
        }
      },
  },
  {
    id: 'reuse-ignores-pins',
    rule: 'mayReuseOnWrite',
    says: 'a write fault counts mappings only, and takes over a frame that another process has pinned',
    source: 'Linux CVE-2020-29374 (17839856fd58)',
    zoo: ['cow-reuse-despite-pin'],
    brokenBy: ['pin-coherent'],
    apply: (base) =>
      class extends base {
        override mayReuseOnWrite(frame: Parameters<Rules['mayReuseOnWrite']>[0]): boolean {
          return super.mayReuseOnWrite({ ...frame, others: frame.others - frame.readPins });
        }
      },
  },
  {
    id: 'pad-reuses-shared-frame',
    rule: 'mayReuseOnWrite',
    says: 'a write to an anonymous pad takes the page over, although the frame is the huge-page cache’s',
    source: 'Kevlar blog 074, the boundary page bug',
    zoo: ['gap-page-upgraded-writable'],
    brokenBy: ['cache-no-writable-alias', 'fork-isolation', 'content-ref', 'exclusive-once', 'zero-page-intact'],
    apply: (base) =>
      class extends base {
        override mayReuseOnWrite(frame: Parameters<Rules['mayReuseOnWrite']>[0]): boolean {
          return frame.type === 'anonymous' || super.mayReuseOnWrite(frame);
        }
      },
  },
  {
    id: 'copy-out-skips-cow',
    rule: 'copyOutAsks',
    says: 'the kernel writes user memory that it has only asked to read: shared frames and read-only pages change',
    source: 'xv6-riscv copyout before it checked PTE_W; Zeke issue 91',
    zoo: ['copyout-bypasses-cow'],
    brokenBy: ['fork-isolation', 'outcome-ref', 'zero-gap', 'content-ref', 'zero-page-intact'],
    apply: (base) =>
      class extends base {
        override copyOutAsks(): 'load' {
          return 'load';
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
    id: 'fork-skips-flush',
    rule: 'forkFlushesParent',
    says: 'fork takes write access from the parent’s entries and leaves it in the parent’s translations',
    source: 'Kevlar blogs 145 and 148 (436546a)',
    zoo: ['fork-without-flush'],
    brokenBy: ['tlb-justified', 'fork-isolation', 'content-ref'],
    apply: (base) =>
      class extends base {
        override forkFlushesParent(): boolean {
          return false;
        }
      },
  },
  {
    id: 'fork-makes-shared-private',
    rule: 'forkKeepsShared',
    says: 'fork treats shared memory as private: parent and child no longer see each other’s stores',
    source: 'Kevlar blog 076 (fixed on arm64 in b8491ae)',
    zoo: ['shared-anon-cowed-on-fork'],
    brokenBy: ['content-ref', 'vma-map-ref'],
    apply: (base) =>
      class extends base {
        override forkKeepsShared(): boolean {
          return false;
        }
      },
  },
  {
    id: 'fork-shares-pinned-page',
    rule: 'forkCopiesPinned',
    says: 'fork shares a page that a device writes: the parent’s next store takes it away from there',
    source: 'Linux 70e806e4e645',
    zoo: ['pin-then-fork-desync'],
    brokenBy: ['pin-coherent', 'content-ref'],
    apply: (base) =>
      class extends base {
        override forkCopiesPinned(): boolean {
          return false;
        }
      },
  },
];
