/**
 * Differences that are allowed: where a real kernel does what the model does not mean to do, and why.
 *
 * The comparison leaves them out of its counts and names them; what is not in this table is a defect.
 */
import type { Difference } from './compare.ts';

export interface Allowed {
  readonly id: string;
  readonly reason: string;
  readonly covers: (difference: Difference) => boolean;
}

export const ALLOWED: readonly Allowed[] = [];

/** The row that allows a difference, or undefined. */
export const allowanceFor = (difference: Difference): Allowed | undefined => ALLOWED.find((row) => row.covers(difference));
