/**
 * Kevlar's own verifiers, with their blind spots: part of the kernel under test, not our oracle.
 *
 * - `verifyHugePageAssembly` looks at populated sub-pages only, by the same rule for shared pages as the assembler.
 * - `verifyPrefaultedPages` starts at the first whole page of a VMA and ends with its last whole page, so it sees no page
 *   where a segment starts or ends in mid-page, no zero tail, and nothing anonymous.
 * - `auditVm` counts a page under a huge leaf as unmapped.
 *
 * A failed verification changes nothing: the block is cached and mapped all the same.
 *
 * @see Kevlar kernel/process/process.rs, verify_huge_page_assembly, verify_prefaulted_pages, audit_vm
 */
import { immutableFileVmas, type AddressSpace } from '../address-space.ts';
import type { File } from '../file.ts';
import type { Kernel } from '../kernel.ts';
import { partsForAssembly } from '../page-content.ts';
import type { HugeBlock } from '../page-cache.ts';
import { frameOfPte, PROT_EXEC, PROT_WRITE, PTE_EXEC, rightsOfPte } from '../pte.ts';
import { ceilToPage, floorToPage, pfn, vaddrOf, vpnOf, PAGE_BYTES, type Pfn } from '../units.ts';
import type { Vma } from '../vma.ts';

const AUDITED_VMAS_MAX = 32;

/** Compares every populated sub-page of a new block with what its VMAs say. */
export function verifyHugePageAssembly(k: Kernel, space: AddressSpace, vmas: readonly Vma[], block: HugeBlock): void {
  const pid = space.pid;
  const huge_base = vaddrOf(k.tables.firstPageOf(block.region));
  let verified = 0;
  let failed = 0;
  for (const [sub_page, populated] of block.populated.entries()) {
    if (!populated) continue;
    const parts = partsForAssembly(k.rules, vmas, block.file, huge_base + sub_page * PAGE_BYTES);
    const expected = new Uint8Array(PAGE_BYTES);
    for (const part of parts) expected.set(part.file.read(part.fileOffset, part.fill.length), part.fill.start);
    const actual = k.memory.page(pfn(block.frame + sub_page));
    const first_diff = firstDifference(expected, actual, PAGE_BYTES);
    if (first_diff < 0) {
      verified++;
      continue;
    }
    failed++;
    const vma = parts[0]?.vma;
    k.emit({
      type: 'huge_page_verify_fail',
      pid,
      huge_base,
      sub_page,
      first_diff,
      expected: expected[first_diff]!,
      actual: actual[first_diff]!,
      vma_start: vma?.start ?? 0,
      vma_type: vma === undefined ? 'none' : (vma.prot & PROT_WRITE) !== 0 ? 'file_rw' : 'file_ro',
    });
  }
  k.emit({ type: 'page_verify_ok', pid, verified, failed });
}

/** Compares the whole pages of every file VMA that are mapped after exec with the file ("verify-pages"). */
export function verifyPrefaultedPages(k: Kernel, space: AddressSpace): void {
  const { pid } = space;
  let verified = 0;
  let failed = 0;
  for (const vma of immutableFileVmas(space)) {
    const { file, offset, fileBytes } = vma.backing!;
    for (let address = ceilToPage(vma.start); address + PAGE_BYTES <= vma.end && address - vma.start < fileBytes;) {
      const entry = k.tables.entryOf(space.root, vpnOf(address));
      const skip = address - vma.start;
      const length = Math.min(PAGE_BYTES, fileBytes - skip);
      if (entry !== 0 && k.frames.exists(frameOfPte(entry))) {
        const difference = compareWithFile(k, frameOfPte(entry), file, offset + skip, length);
        if (difference < 0) verified++;
        else {
          failed++;
          const actual = k.memory.page(frameOfPte(entry))[difference]!;
          const expected = file.byteAt(offset + skip + difference);
          k.emit({
            type: 'page_verify_fail',
            pid,
            vaddr: address,
            first_diff: difference,
            expected,
            actual,
            file_offset: offset + skip,
            vma_start: vma.start,
          });
        }
      }
      address = vaddrOf(vpnOf(address) + 1);
    }
  }
  k.emit({ type: 'page_verify_ok', pid, verified, failed });
}

/** Offset of the first byte of a frame that is not the file's, or -1. Most frames hold exactly one page of the file: that is asked first. */
function compareWithFile(k: Kernel, frame: Pfn, file: File, offset: number, length: number): number {
  const isWhole = length === PAGE_BYTES && offset % PAGE_BYTES === 0;
  if (isWhole && file.samePage(offset / PAGE_BYTES, k.memory.words, k.memory.wordOf(frame))) return -1;
  return firstDifference(file.read(offset, length), k.memory.page(frame), length);
}

/** Index of the first of `length` bytes in which the two differ, or -1. */
function firstDifference(expected: Uint8Array, actual: Uint8Array, length: number): number {
  for (let i = 0; i < length; i++) if (expected[i] !== actual[i]) return i;
  return -1;
}

/** Counts mapped and unmapped whole pages of the first 32 VMAs, and pages that an executable VMA cannot execute ("audit-vm"). */
export function auditVm(k: Kernel, space: AddressSpace): void {
  const vmas = space.vmas.list.slice(0, AUDITED_VMAS_MAX).map((vma) => {
    const [first, end] = [vpnOf(ceilToPage(vma.start)), vpnOf(floorToPage(vma.end))];
    let mapped = 0;
    let perm_mismatch = 0;
    k.tables.eachPageIn(space.root, first, end, (page) => {
      const entry = k.tables.entryAt(k.tables.pageSlot(space.root, page));
      if (entry === 0) return;
      mapped++;
      if ((vma.prot & PROT_EXEC) !== 0 && (rightsOfPte(entry) & PTE_EXEC) === 0) perm_mismatch++;
    });
    const unmapped = Math.max(0, end - first) - mapped;
    return {
      start: vma.start,
      end: vma.end,
      prot: vma.prot,
      mapped: mapped % 65536,
      unmapped: unmapped % 65536,
      perm_mismatch: perm_mismatch % 65536,
    };
  });
  k.emit({ type: 'vm_audit', pid: space.pid, vmas });
}
