/**
 * What must be true of every state of one kernel, as named pure predicates; what each says stands in the list below.
 *
 * A structure's own check lies beside the structure; here is what spans several. Each predicate names the first
 * violation it finds, in a fixed order, or answers undefined. None changes anything, and the model never calls one.
 * Invariants that compare with the reference reader, or two moments of a run, are the checker's (sim/check/).
 */
import { cacheIndexUnique, cacheNoWritableAlias, cacheTruth, eofZeroTail } from './cached-files.ts';
import { metadataLive, protSubset, pteBacked, tlbJustified } from './entries.ts';
import { allocWellformed, freedUnreachable, freshZero, pinCoherent, refcountExact } from './frames.ts';
import { exclusiveOnce, zeroPageIntact } from './linux-pages.ts';
import type { Invariant } from './violation.ts';
import { regionDisjoint, vmaWellformed } from './vmas.ts';

/** All of them, in the order in which they are checked: what a report should name first stands first. */
export const INVARIANTS: readonly Invariant[] = [
  {
    id: 'metadata-live',
    statement:
      'Table pages reachable from a root are tables, and every entry names a frame that exists; each huge leaf of Linux has a table in reserve.',
    check: metadataLive,
  },
  {
    id: 'cache-no-writable-alias',
    statement: 'No entry gives write access to a frame of the cache, but for a shared mapping of that file page.',
    check: cacheNoWritableAlias,
  },
  {
    id: 'cache-truth',
    statement: 'Each clean cached page equals the file’s bytes over the file’s whole extent in it, zero behind.',
    check: cacheTruth,
  },
  { id: 'cache-index-unique', statement: 'No frame is cached under two names.', check: cacheIndexUnique },
  {
    id: 'freed-unreachable',
    statement: 'A free or pooled frame is reached by no entry, translation, cache slot, table or pin.',
    check: freedUnreachable,
  },
  {
    id: 'tlb-justified',
    statement: 'Each translation is backed by an entry with the same frame and at least its rights.',
    check: tlbJustified,
  },
  { id: 'prot-subset', statement: 'An entry grants no more than every VMA of its page that is no pad.', check: protSubset },
  {
    id: 'pte-backed',
    statement: 'Each entry lies inside a VMA, a huge one entirely inside one, and a cached frame is the VMA’s own file page.',
    check: pteBacked,
  },
  {
    id: 'vma-wellformed',
    statement: 'VMAs are in order, not empty, do not overlap, and are page-aligned where the design says so.',
    check: vmaWellformed,
  },
  {
    id: 'region-disjoint',
    statement: 'Heap, image, stack and vDSO are pairwise disjoint, and places for mappings are sought outside the heap’s room.',
    check: regionDisjoint,
  },
  {
    id: 'alloc-wellformed',
    statement: 'Every frame is in exactly one state; free blocks are aligned and disjoint.',
    check: allocWellformed,
  },
  { id: 'zero-page-intact', statement: 'The zero pages are zero, and no entry may write them (linux).', check: zeroPageIntact },
  {
    id: 'exclusive-once',
    statement: 'A frame marked as one page’s own is mapped once, and only such frames are writable in private memory (linux).',
    check: exclusiveOnce,
  },
  { id: 'fresh-zero', statement: 'Every frame of the zeroed pool is zero.', check: freshZero },
  {
    id: 'pin-coherent',
    statement: 'A frame that a pin writes is the one mapped where it was taken; one that a pin reads is written by no other space.',
    check: pinCoherent,
  },
  { id: 'eof-zero-tail', statement: 'The store of a file has no bytes behind the file’s end.', check: eofZeroTail },
  {
    id: 'refcount-exact',
    statement: 'A frame’s count equals its entries, cache references, pins and kernel references, per sub-frame.',
    check: refcountExact,
  },
];
