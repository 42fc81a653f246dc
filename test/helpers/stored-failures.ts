/**
 * The first suite of every run: the failures that earlier runs stored. mocha loads this file before all tests
 * (.mocharc.cjs), so it stands first; if one file is asked for, mocha loads nothing else.
 */
import { createDigester } from '../../sim/digest.ts';
import { replayAsked, replayStored, retire, storedFailures } from './failures.ts';
import { seed } from './seed.ts';

const asked = replayAsked(process.argv, process.env);
const stored = storedFailures();

if (asked !== undefined) {
  describe('replay', () => {
    it(`holds: ${asked}`, async () => replayStored(asked, seed, await createDigester()));
  });
} else if (stored.length > 0) {
  describe('stored failures', () => {
    for (const path of stored) {
      it(`holds now: ${path}`, async () => {
        await replayStored(path, seed, await createDigester());
        retire(path);
      });
    }
  });
}
