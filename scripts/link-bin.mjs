/**
 * Puts the command into node_modules/.bin of a checkout, as npm does for a package that depends on this one, so that
 * `npx faultline` starts what was just built instead of installing a copy. Runs after the build, in a checkout only.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';

const target = new URL('../dist/sim/cli/main.js', import.meta.url);
const folder = new URL('../node_modules/.bin/', import.meta.url);
chmodSync(target, 0o755);
if (process.platform !== 'win32') {
  mkdirSync(folder, { recursive: true });
  rmSync(new URL('faultline', folder), { force: true });
  symlinkSync('../../dist/sim/cli/main.js', new URL('faultline', folder));
}
