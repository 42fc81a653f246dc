/**
 * Runs checks of a suite with a BusyBox under qemu-riscv64: the values come from a machine that we did not write.
 *
 * Each check gets namespaces and a root folder of its own, in which nothing but the guest can be seen: /bin is BusyBox under
 * the names of its applets, /etc says who root is, /proc shows the check's processes. The kernel starts qemu for every riscv64
 * program through a binfmt_misc of the namespace, so `exec` works as on the guest's own machine and the host is not touched.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENT, FOLDER, type Check, type Outcome } from '../sim/suite.ts';
import { appletsOf } from '../sim/cli/guest.ts';

const SECONDS_MAX = 60;
/** Exit status of a machine that was not built; no shell ends with it on its own. */
const NO_MACHINE = 254;

/** Bytes in the notation of binfmt_misc, within double quotes of a shell. */
const notation = (bytes: readonly number[]): string => bytes.map((byte) => `\\\\x${byte.toString(16).padStart(2, '0')}`).join('');
/** How a riscv64 program begins: ELF, 64 bits, little-endian, any ABI, EXEC or DYN, RISC-V. */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xf3, 0];
const MASK = MAGIC.map((_, index) => (index === 7 ? 0 : index === 16 ? 0xfe : 0xff));

/**
 * $1 an empty folder, $2 folder of programs, $3 folder of the check's files, $4 where that is seen, $5 command.
 *
 * qemu is a host's program with libraries: they are bound where it looks for them, and no guest does.
 */
const MACHINE = `
build() {
  mount -t tmpfs -o mode=755 none "$1" && cd "$1" || return
  mkdir -p bin etc proc dev tmp root usr/lib binfmt ".$4" && mount --bind "$2" bin && cp -R "$3/." ".$4" || return
  echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd && echo 'root:x:0:' > etc/group || return
  for at in null zero full random urandom; do : > dev/$at && mount --bind /dev/$at dev/$at || return; done
  mount --rbind /usr/lib usr/lib || return
  for at in lib lib64 usr/lib64; do
    if [ -L /$at ]; then cp -P /$at $at; elif [ -d /$at ]; then mkdir -p $at && mount --rbind /$at $at; fi || return
  done
  mount -t proc none proc && mount -t binfmt_misc none binfmt || return
  qemu=$(command -v qemu-riscv64) && hostname faultline || return
  printf '%s' ":riscv64:M::${notation(MAGIC)}:${notation(MASK)}:$qemu:POF" > binfmt/register
}
build "$@" || exit ${NO_MACHINE}
umask 022
env -i ${Object.entries(ENVIRONMENT)
  .map((entry) => entry.join('='))
  .join(' ')} "$(command -v unshare)" --root="$1" --wd="$4" /bin/sh -c "$5"
exit $?
`;

export interface QemuOutcome extends Outcome {
  readonly stderr: string;
}

export class QemuGuest {
  readonly path: string;
  readonly applets: readonly string[];
  private readonly folder: string;

  /** @throws Error if the file is no BusyBox */
  constructor(path: string) {
    this.path = path;
    this.applets = appletsOf(readFileSync(path));
    if (this.applets.length === 0) throw new Error(`${path} is no BusyBox with a shell`);
    this.folder = mkdtempSync(join(tmpdir(), 'faultline-suite-'));
    for (const part of ['root', 'bin', 'files']) mkdirSync(join(this.folder, part));
    copyFileSync(path, join(this.folder, 'bin/busybox'));
    for (const applet of this.applets) if (applet !== 'busybox') symlinkSync('busybox', join(this.folder, 'bin', applet));
  }

  /** Runs a check on a fresh machine. @throws Error if this host cannot build one */
  run({ name, command, files = {} }: Pick<Check, 'name' | 'command' | 'files'>): QemuOutcome {
    const own = join(this.folder, 'files', name);
    mkdirSync(own);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
    const at = ['root', 'bin'].map((part) => join(this.folder, part));
    const namespaces = ['--user', '--map-root-user', '--mount', '--uts', '--pid', '--fork', '--kill-child'];
    const { stdout, stderr, status, error } = spawnSync(
      'unshare',
      [...namespaces, 'sh', '-c', MACHINE, 'machine', ...at, own, FOLDER, command],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: SECONDS_MAX * 1000,
      },
    );
    rmSync(own, { recursive: true });
    if (error !== undefined) throw new Error(`${name}: ${error.message}`);
    if (status === null || status === NO_MACHINE) throw new Error(`${NEEDS}: ${stderr.trim()}`);
    return { stdout, stderr, status };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const NEEDS = 'this takes qemu-riscv64 (of Debian’s qemu-user) and a Linux from 6.7 on that lets users make namespaces';
