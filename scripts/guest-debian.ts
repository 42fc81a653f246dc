/** Debian's own static riscv64 BusyBox. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { downloadPackage, openApt } from './guest-apt.ts';
import { GuestError } from './guest-error.ts';
import { requireTools, runTool } from './guest-tools.ts';

const PACKAGE = 'busybox-static';
/** Releases that have riscv64, in the order in which they are tried: a mirror may lack one, or serve it half updated. */
const SUITES = ['trixie', 'forky', 'sid'];

export interface Found {
  readonly bytes: Uint8Array;
  /** Where it comes from, for people. */
  readonly source: string;
}

/** @throws GuestError if no release can be had; it says what was wrong with each */
export function busyboxOfDebian(say: (line: string) => void): Found {
  requireTools('apt-get', 'dpkg-deb');
  for (const suite of SUITES) {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-guest-'));
    try {
      say(`${PACKAGE} of Debian ${suite} for riscv64 …`);
      return fromSuite(suite, folder);
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      say(`  cannot be had: ${error.message}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new GuestError(`none of ${SUITES.join(', ')} can be had (is there a network? a path to a static riscv64 BusyBox does as well)`);
}

function fromSuite(suite: string, folder: string): Found {
  const apt = openApt(folder, { kind: 'deb', suite, architecture: 'riscv64' });
  const deb = downloadPackage(apt, `${PACKAGE}:riscv64`);
  const tree = join(folder, 'tree');
  runTool('dpkg-deb', ['--extract', deb, tree]);
  const [name, version] = basename(deb).split('_');
  return { bytes: readProgram(tree), source: `Debian ${suite}, ${name!} ${decodeURIComponent(version!)}` };
}

function readProgram(tree: string): Uint8Array {
  for (const path of ['bin/busybox', 'usr/bin/busybox']) {
    try {
      return readFileSync(join(tree, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new GuestError('the package has no bin/busybox');
}
