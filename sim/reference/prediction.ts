/** What a predictor of one op is, and which ops each design answers in its own way. */
import type { Op, OpName, OpOf } from '../../traces/op.ts';
import type { Reference } from './reference.ts';
import type { Result } from '../trace-hart.ts';

/** What had to be answered: exactly this, or `undefined` for an answer that is legal as it is. */
export type Expected = Result | undefined;

/** `index` is the op's place in the trace. */
export type Predictor<Name extends OpName> = (reference: Reference, op: OpOf<Name>, actual: Result, index: number) => Expected;

/** The calls about mappings: where designs differ. */
export const CALL_NAMES = ['mmap', 'munmap', 'mprotect', 'mremap', 'brk', 'madvise', 'msync', 'mincore', 'mlock', 'munlock'] as const;
export type CallName = (typeof CALL_NAMES)[number];
export type CallPredictors = { readonly [Name in CallName]: Predictor<Name> };

const NAMES: ReadonlySet<string> = new Set(CALL_NAMES);
export const isCall = (op: Op): op is OpOf<CallName> => NAMES.has(op.op);
