/**
 * Which wrong decisions no trace can show on a kernel, and why.
 *
 * Either the kernel never asks the rule that the mutant overrides, because its design settles the matter otherwise; or it asks, and
 * whatever the answer, what it does is right. What no kernel shows says so in its own row (`Mutant.unseen`).
 */
import type { Design, Mutant, Rules } from '../kernel-model/index.ts';

export interface Unseen {
  /** Does the kernel ask the rule at all? */
  readonly isAsked: boolean;
  readonly reason: string;
}

/** Why nothing shows the mutant on a kernel of this design; undefined if it is there to be found. */
export function whyUnseen({ id, rule, unseen }: Mutant, design: Design): Unseen | undefined {
  if (design.name === 'linux') {
    const unasked = UNASKED_ON_LINUX[rule] ?? (design.assembles ? undefined : UNASKED_WITHOUT_ASSEMBLY[rule]);
    if (unasked !== undefined) return { isAsked: false, reason: unasked };
  }
  const reason = unseen ?? (design.name === 'linux' ? (design.assembles ? HARMLESS_WITH_ASSEMBLY : HARMLESS_ON_LINUX)[id] : undefined);
  return reason === undefined ? undefined : { isAsked: true, reason };
}

type Reasons = Readonly<Partial<Record<keyof Rules, string>>>;

const WHOLE_PAGES = 'VMAs begin and end at pages, so none has bytes of several';
const NOTHING_AHEAD = 'exec maps no page of the cache ahead of a fault';
const NO_ASSEMBLY = 'exec assembles no huge page';

/** What Linux does in place of asking. */
const UNASKED_ON_LINUX: Reasons = {
  mayCache: 'every page of a file that is read enters the cache, whole; who stores privately gets a copy',
  faultMayUseCache: 'a fault always goes through the cache: a VMA wants whole pages of its file',
  prefaultMayUseCache: NOTHING_AHEAD,
  templateProtection: NOTHING_AHEAD,
  templateIsCurrent: NOTHING_AHEAD,
  cacheTakesReference: 'the cache makes the page and holds it; a fault maps it with a reference of its own',
  unmappedDirtyPage: 'a page of a shared mapping is the cache’s, which keeps it when its mappings go',
  pageContent: WHOLE_PAGES,
  pageProtection: WHOLE_PAGES,
  faultLooksUp: WHOLE_PAGES,
  assemblyMayFillForeignPage: WHOLE_PAGES,
  unneededPage: 'a fault looks at the entry before it prepares a page',
  placementStart: 'places are sought from the top down, and the heap stops at what it meets',
  vdsoRefs: 'the vDSO is a file with VMAs, and its pages are counted like any other’s',
  heapVma: 'no VMA is the heap: brk maps and unmaps the range, whatever lies there',
};

const UNASKED_WITHOUT_ASSEMBLY: Reasons = {
  assemblySource: NO_ASSEMBLY,
  assemblyFills: NO_ASSEMBLY,
  assemblyMapping: NO_ASSEMBLY,
  mayAssembleRegionZero: NO_ASSEMBLY,
  hugeBlockKey: NO_ASSEMBLY,
  prefaultProtection: NO_ASSEMBLY,
};

/** By mutant: why a wrong answer does no harm. */
const HARMLESS_ON_LINUX: Readonly<Record<string, string>> = {
  'fault-around-crosses-region': 'only maps more ahead: each neighbour is looked up by itself, and a mapping of a file has no huge leaf',
};

const HARMLESS_WITH_ASSEMBLY: Readonly<Record<string, string>> = {
  'assembly-copies-whole-page': WHOLE_PAGES,
  'assembly-trusts-cached-range': 'the cache holds nothing but whole pages',
  'assembly-fills-first-vma': WHOLE_PAGES,
  'huge-block-by-region': 'a file lies at the same place in every exec',
};
