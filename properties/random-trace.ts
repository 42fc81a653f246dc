/** Random traces as a fast-check arbitrary, by the two things that tests choose most. */
import type fc from 'fast-check';
import { traces } from './arbitraries.ts';
import type { GeneratedTrace } from './generate.ts';

/** @param isFaulty - with injected failures of frames and stores */
export const randomTrace = (isFaulty: boolean, opsMax = 60): fc.Arbitrary<GeneratedTrace> => traces({ hasFaults: isFaulty, opsMax });
