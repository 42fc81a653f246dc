/**
 * Debian's packages through the machine's own apt, with lists, cache and status in a folder of their own: the machine's
 * configuration and its installed packages are neither changed nor asked. The mirror is the one the machine uses.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuestError } from './guest-error.ts';
import { runTool } from './guest-tools.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** An apt of our own. Everything it writes is in `folder`. */
export interface PrivateApt {
  readonly folder: string;
  readonly options: readonly string[];
}

/** What of a release is wanted: programs for an architecture, or sources. */
export interface AptSource {
  readonly kind: 'deb' | 'deb-src';
  readonly suite: string;
  readonly architecture: string;
}

/** @throws GuestError if this machine has no apt that uses a mirror of Debian, or if the mirror does not have the suite */
export function openApt(folder: string, { kind, suite, architecture }: AptSource): PrivateApt {
  for (const part of ['lists/partial', 'cache/archives/partial', 'parts', 'files']) mkdirSync(join(folder, part), { recursive: true });
  const options = kind === 'deb' ? `[arch=${architecture} signed-by=${KEYRING}]` : `[signed-by=${KEYRING}]`;
  const mirror = mirrorOfMachine();
  if (!existsSync(KEYRING)) throw new GuestError(`${KEYRING} is not there (it comes with debian-archive-keyring)`);
  writeFileSync(join(folder, 'sources.list'), `${kind} ${options} ${mirror} ${suite} main\n`);
  writeFileSync(join(folder, 'status'), '');
  const apt = { folder, options: aptOptions(folder, architecture) };
  runTool('apt-get', [...apt.options, '-q', 'update']);
  return apt;
}

/** Gets a package's file. @returns its path */
export function downloadPackage(apt: PrivateApt, name: string): string {
  runTool('apt-get', [...apt.options, '-q', 'download', name], { cwd: join(apt.folder, 'files') });
  return fileEnding(apt, '.deb');
}

/** Gets the files of a source package, which apt checks against their digests. @returns the path of the original archive */
export function downloadSource(apt: PrivateApt, name: string): { readonly archive: string; readonly version: string } {
  runTool('apt-get', [...apt.options, '-q', 'source', '--download-only', name], { cwd: join(apt.folder, 'files') });
  const version = /_(.+)\.dsc$/.exec(fileEnding(apt, '.dsc'))?.[1] ?? 'of no known version';
  return { archive: fileEnding(apt, /\.orig\.tar\.\w+$/), version };
}

function fileEnding({ folder }: PrivateApt, end: string | RegExp): string {
  const files = readdirSync(join(folder, 'files'));
  const found = files.find((name) => (typeof end === 'string' ? name.endsWith(end) : end.test(name)));
  if (found === undefined) throw new GuestError(`apt-get has left no file that ends with ${String(end)}`);
  return join(folder, 'files', found);
}

/** The first mirror of Debian among the machine's sources. */
function mirrorOfMachine(): string {
  const targets = runTool('apt-get', ['indextargets', '--format', '$(REPO_URI) $(COMPONENT) $(RELEASE)', 'Created-By: Packages']);
  const mirror = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([uri = '', component]) => component === 'main' && !/security|backports/.test(uri) && /debian/.test(uri))?.[0];
  if (mirror === undefined) throw new GuestError('this machine’s apt uses no mirror of Debian (give the path of a BusyBox instead)');
  return mirror;
}

function aptOptions(folder: string, architecture: string): string[] {
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': join(folder, 'parts'),
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Architecture': architecture,
    'APT::Architectures::': architecture,
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
