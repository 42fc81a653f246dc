/**
 * /proc: what programs read there of the system. Everything is made when it is looked at; inode numbers stay.
 *
 * @see proc(5)
 */
import { encodeText } from './names.ts';
import type { ComputedEntries, ComputedFile, Directory, Inode, Symlink } from './fs/inode.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from './fs/inode.ts';
import { freeMemory, living, RELEASE, VERSION, type Linux } from './linux.ts';
import { processEntries } from './proc-process.ts';

const NS = 1_000_000_000;
const NS_PER_TICK = 10_000_000;

/** Makes the inodes of one /proc. Paths are relative to its root. */
class ProcNodes {
  private readonly linux: Linux;
  private readonly dev: number;
  private readonly numbers = new Map<string, number>();

  constructor(linux: Linux) {
    this.linux = linux;
    this.dev = linux.tree.newDevice();
  }

  file(path: string, text: () => string): ComputedFile {
    return { kind: 'computed', ...this.attributes(path, S_IFREG | 0o444), bytes: () => encodeText(text()) };
  }

  link(path: string, target: () => string, jump?: () => Inode | undefined): Symlink {
    return { kind: 'symlink', ...this.attributes(path, S_IFLNK | 0o777), target, ...(jump === undefined ? {} : { jump }) };
  }

  directory(path: string, parent: Directory, entries: ComputedEntries): Directory {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return { kind: 'directory', ...this.attributes(path, S_IFDIR | 0o555), nlink: 2, name, parent, entries, mounted: undefined };
  }

  private attributes(path: string, mode: number): Omit<ComputedFile, 'kind' | 'bytes'> {
    const number = this.numbers.get(path) ?? this.numbers.size + 1;
    this.numbers.set(path, number);
    const now = this.linux.tree.now();
    return { dev: this.dev, ino: number, mode, uid: 0, gid: 0, nlink: 1, atime: now, mtime: now, ctime: now };
  }
}

/** Entries with fixed names, each made when asked for. */
const fixedEntries = (makers: ReadonlyMap<string, () => Inode>): ComputedEntries => ({
  get: (name) => makers.get(name)?.(),
  keys: () => makers.keys(),
});

/** The root directory of a new /proc; whoever mounts it gives it name and parent. */
export function procRoot(linux: Linux): Directory {
  const nodes = new ProcNodes(linux);
  const makers = new Map<string, () => Inode>();
  const processes = new Map<number, Directory>();
  const entries: ComputedEntries = {
    get: (name) => makers.get(name)?.() ?? processDirectory(name),
    keys: () => [...makers.keys(), ...[...linux.processes.keys()].map(String)],
  };
  const root = nodes.directory('', linux.tree.root, entries);

  const processDirectory = (name: string): Directory | undefined => {
    const process = /^[1-9]\d*$/.test(name) ? linux.processes.get(Number(name)) : undefined;
    if (process === undefined) return undefined;
    const known = processes.get(process.pid);
    if (known !== undefined) return known;
    const made = nodes.directory(name, root, fixedEntries(new Map()));
    const whole: Directory = { ...made, entries: processEntries(linux, process, nodes, () => whole) };
    processes.set(process.pid, whole);
    return whole;
  };

  for (const [name, text] of FILES) makers.set(name, () => nodes.file(name, () => text(linux)));
  makers.set('self', () => nodes.link('self', () => String(linux.current?.pid ?? 1)));
  makers.set('mounts', () => nodes.link('mounts', () => 'self/mounts'));
  const kernelNames = new Map(KERNEL_SETTINGS.map(([name, text]) => [name, () => nodes.file(`sys/kernel/${name}`, () => text(linux))]));
  const sys: Directory = nodes.directory(
    'sys',
    root,
    fixedEntries(new Map([['kernel', () => nodes.directory('sys/kernel', sys, fixedEntries(kernelNames))]])),
  );
  makers.set('sys', () => sys);
  return root;
}

const KERNEL_SETTINGS: readonly (readonly [name: string, text: (linux: Linux) => string])[] = [
  ['hostname', ({ hostname }) => `${hostname}\n`],
  ['osrelease', () => `${RELEASE}\n`],
  ['ostype', () => 'Linux\n'],
  ['version', () => `${VERSION}\n`],
  ['pid_max', () => '4194304\n'],
];

const seconds = (ns: number): string => (ns / NS).toFixed(2);

const FILES: readonly (readonly [name: string, text: (linux: Linux) => string])[] = [
  ['cmdline', () => 'faultline\n'],
  ['cpuinfo', () => 'processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc\nmmu\t\t: sv48\n\n'],
  ['devices', () => 'Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n'],
  ['filesystems', () => 'nodev\tproc\nnodev\ttmpfs\n'],
  ['loadavg', (linux) => `0.00 0.00 0.00 1/${living(linux).length} ${linux.nextPid - 1}\n`],
  ['meminfo', meminfo],
  ['modules', () => ''],
  ['partitions', () => 'major minor  #blocks  name\n\n'],
  ['stat', stat],
  ['swaps', () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'],
  ['uptime', ({ clock, processes }) => `${seconds(clock.now())} ${seconds(idleNs(clock.now(), processes))}\n`],
  ['version', () => `Linux version ${RELEASE} (faultline) ${VERSION}\n`],
];

const idleNs = (now: number, processes: Linux['processes']): number =>
  Math.max(0, now - [...processes.values()].reduce((sum, { cpuNs, childrenNs }) => sum + cpuNs + childrenNs, 0));

const UNCOUNTED = 'Buffers Cached SwapCached SwapTotal SwapFree Dirty Writeback AnonPages Mapped Shmem Slab'.split(' ');

function meminfo(linux: Linux): string {
  const { totalBytes, freeBytes } = freeMemory(linux);
  const row = (name: string, bytes: number): string => `${`${name}:`.padEnd(16)}${String(bytes / 1024).padStart(8)} kB\n`;
  const counted = row('MemTotal', totalBytes) + row('MemFree', freeBytes) + row('MemAvailable', freeBytes);
  return counted + UNCOUNTED.map((name) => row(name, 0)).join('');
}

function stat({ clock, processes, nextPid }: Linux): string {
  const idle = idleNs(clock.now(), processes);
  const ticks = [clock.now() - idle, 0, 0, idle, 0, 0, 0, 0, 0, 0].map((ns) => Math.floor(ns / NS_PER_TICK)).join(' ');
  const running = [...processes.values()].filter(({ state, call }) => state === 'live' && call === undefined).length;
  return `cpu  ${ticks}\ncpu0 ${ticks}\nintr 0\nctxt 0\nbtime ${clock.bootSeconds()}\nprocesses ${nextPid - 1}\nprocs_running ${running}\nprocs_blocked 0\n`;
}
