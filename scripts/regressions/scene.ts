/** What a regression's scene is, and the parameters that several share. */
import type { Expectation, FileSpec, KernelSpec } from '../../traces/header.ts';

export interface Scene extends Staging {
  /** The wrong decision that the scene is about. */
  readonly id: string;
  /** What is otherwise on `linux`, if that decision shows there. */
  readonly onLinux?: Partial<Staging>;
}

/** A scene as one design plays it. */
export interface Staging {
  /** What happens, in one sentence. */
  readonly note: string;
  readonly files: readonly FileSpec[];
  readonly kernel?: Partial<KernelSpec>;
  readonly ops: string;
  readonly expect: Omit<Expectation, 'verdict'>;
}

export const NEVER_ASSEMBLES = { assembleThreshold: 1000 };
export const ASSEMBLES_AT_ONE = { assembleThreshold: 1 };
