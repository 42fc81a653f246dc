/** Does my kernel keep what faultline's properties promise? SEED and RUNS try other traces, and more. */
import { assertHolds, PROPERTIES } from 'faultline';
import { kernel } from './kernel.ts';

const { SEED: seed = '1', RUNS: runs = '40' } = process.env;

describe('warm', () => {
  for (const property of PROPERTIES) {
    it(property.says, () => {
      assertHolds(property, { kernel, seed, runs: Number(runs) });
    });
  }
});
