/**
 * BusyBox built from Debian's source package with the cross compiler, so that it has the hazard of the M9.8.1 story.
 *
 * It is static, begins at 0x400000 as Kevlar's does, and has its four segments (`-z separate-code`). The linker puts the data
 * at a place in their page that follows from their size; they share a page of the file with the constants before them only if
 * those end at a lower place. Where that is, depends on the compiler and on the applets: so applets that no check uses are left
 * out, one more at a time, until the image has the hazard. Nothing of a build depends on the time or the folder.
 */
import { cpus, tmpdir } from 'node:os';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hex } from '../kernel-model/index.ts';
import { downloadSource, openApt } from './guest-apt.ts';
import type { Found } from './guest-debian.ts';
import { GuestError } from './guest-error.ts';
import { readGuestImage, sharedFilePage } from './guest-image.ts';
import { requireTools, runTool } from './guest-tools.ts';

export const BASE = 0x400000;
const CROSS = 'riscv64-linux-gnu-';
const LINKER_FLAGS = `-Wl,-Ttext-segment=${hex(BASE)} -Wl,-z,separate-code`;
/** TC does not compile with headers of today. */
const OPTIONS = { STATIC: 'y', TC: 'n', EXTRA_LDFLAGS: `"${LINKER_FLAGS}"` };
/** Left out in this order until data and constants share a page. */
const SPARE = ['BEEP', 'FBSPLASH', 'CONSPY', 'I2CTRANSFER', 'HEXEDIT', 'BOOTCHARTD', 'NMETER', 'POWERTOP'];

/** @throws GuestError if tools, network or sources are missing, or if no choice of applets gives the hazard */
export function buildBusybox(say: (line: string) => void): Found {
  requireTools('apt-get', 'tar', 'make', 'gcc', `${CROSS}gcc`);
  const folder = mkdtempSync(join(tmpdir(), 'faultline-guest-'));
  try {
    const { tree, source } = unpackSource(folder, say);
    configure(tree);
    return { bytes: buildWithHazard(tree, say), source: `${source}, built by ${compilerName()}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unpackSource(folder: string, say: (line: string) => void): { tree: string; source: string } {
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  say(`source of busybox of Debian ${suite} …`);
  const apt = openApt(folder, { kind: 'deb-src', suite, architecture: 'riscv64' });
  const { archive, version } = downloadSource(apt, 'busybox');
  runTool('tar', ['--extract', '--file', archive], { cwd: folder });
  const tree = readdirSync(folder).find((name) => name.startsWith('busybox-'));
  if (tree === undefined) throw new GuestError(`${basename(archive)} holds no folder of BusyBox`);
  return { tree: join(folder, tree), source: `Debian ${suite}, ${basename(archive)} of busybox ${version}` };
}

const compilerName = (): string => runTool(`${CROSS}gcc`, ['--version']).split('\n')[0]!;

function configure(tree: string): void {
  make(tree, 'defconfig');
  setOptions(tree, OPTIONS);
}

/** Builds, and looks; leaves out one applet more, and builds again. */
function buildWithHazard(tree: string, say: (line: string) => void): Uint8Array {
  for (let dropped = 0; dropped <= SPARE.length; dropped++) {
    setOptions(tree, Object.fromEntries(SPARE.slice(0, dropped).map((name) => [name, 'n'])));
    say(dropped === 0 ? 'building …' : `building without ${SPARE.slice(0, dropped).join(', ').toLowerCase()} …`);
    make(tree, 'busybox');
    const bytes = readFileSync(join(tree, 'busybox'));
    const { image } = readGuestImage(bytes, 'what was built');
    if (image.segments[0]!.vaddr !== BASE) throw new GuestError(`the linker has put the program at ${hex(image.segments[0]!.vaddr)}`);
    const page = sharedFilePage(image);
    if (typeof page === 'number') return bytes;
    say(`  ${page}`);
  }
  throw new GuestError('no choice of applets makes data and constants share a page of the file');
}

/** Applets and options by their names in BusyBox's configuration. */
function setOptions(tree: string, options: Readonly<Record<string, string>>): void {
  const path = join(tree, '.config');
  let text = readFileSync(path, 'utf8');
  for (const [name, value] of Object.entries(options)) {
    const line = value === 'n' ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value}`;
    const old = new RegExp(`^(CONFIG_${name}=.*|# CONFIG_${name} is not set)$`, 'm');
    text = old.test(text) ? text.replace(old, line) : `${text}${line}\n`;
  }
  writeFileSync(path, text);
}

function make(tree: string, target: string): void {
  runTool('make', [`-j${cpus().length}`, '--silent', 'ARCH=riscv', `CROSS_COMPILE=${CROSS}`, 'SKIP_STRIP=n', target], {
    cwd: tree,
    env: { KCONFIG_NOTIMESTAMP: '1', SOURCE_DATE_EPOCH: '1640528400' },
  });
}
