/** What a mutant is: one wrong decision, where it is from, and which invariants must see it. */
import type { Rules } from '../rules.ts';

export interface Mutant {
  readonly id: string;
  /** The one method of `Rules` that is overridden. */
  readonly rule: keyof Rules;
  readonly says: string;
  readonly source: string;
  /** Number in the list of Kevlar's latent bugs at M9.8.1, if it is one of them. */
  readonly section?: string | undefined;
  /** Documented bugs of real kernels that this is one form of, by their names in the bug zoo. */
  readonly zoo?: readonly string[];
  /** Another wrong decision without which this one does not show. */
  readonly needs?: string;
  /** The invariants that see it, the surest first; empty if it only costs speed. */
  readonly brokenBy: readonly string[];
  /** Why no trace on one CPU shows it, if none does. */
  readonly unseen?: string;
  readonly apply: (base: typeof Rules) => typeof Rules;
}

/** The source of what was found by reading the kernel that the post is about. */
export const MEMORY_MODEL = 'Kevlar at bc4a42d';
