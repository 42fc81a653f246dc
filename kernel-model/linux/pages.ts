/**
 * The page layer of the linux design, as its system calls see it: what they do to entries, frames and bytes.
 *
 * A call decides about VMAs and errnos and then asks for one of these. None of them changes a VMA, but that a first
 * private page gives its VMA an anon_vma, and a stack grows.
 */
export { collapse } from './collapse.ts';
export { signalCode } from './fault.ts';
export { forkPages } from './fork-pages.ts';
export { coolPages, freePages } from './free-pages.ts';
export { guardInstall, guardRemove } from './guard.ts';
export { mincoreVector, pagesInCore } from './mincore.ts';
export { movePages } from './move-pages.ts';
export { pageStates } from './page-state.ts';
export { pageOut } from './page-out.ts';
export { populate } from './populate.ts';
export { protectPages } from './protect-pages.ts';
export { punchHole } from './truncation.ts';
export { discardPages, unmapPages } from './zap.ts';
