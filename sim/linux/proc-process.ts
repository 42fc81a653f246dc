/** /proc/N: what programs read there of one process. */
import { pageOffset, PAGE_BYTES, protName, type Vma } from '../../kernel-model/index.ts';
import type { ComputedEntries, ComputedFile, Directory, Inode, Symlink } from './fs/inode.ts';
import { describeName, pathOf } from './fs/tree.ts';
import { kernelProcess, type Linux } from './linux.ts';
import { textOf } from './names.ts';
import type { Process } from './process.ts';
import { SIGNALS } from './signal-numbers.ts';

/** Who makes the inodes; see proc.ts. */
interface Nodes {
  file(path: string, text: () => string): ComputedFile;
  link(path: string, target: () => string, jump?: () => Inode | undefined): Symlink;
  directory(path: string, parent: Directory, entries: ComputedEntries): Directory;
}

const NS_PER_TICK = 10_000_000;
const TTY_NUMBER = 5 * 256 + 1;

/** @param directory - the one that holds these entries, which must exist when one is asked for */
export function processEntries(linux: Linux, process: Process, nodes: Nodes, directory: () => Directory): ComputedEntries {
  const base = String(process.pid);
  const file = (name: string, text: () => string) => [name, (): Inode => nodes.file(`${base}/${name}`, text)] as const;
  const link = (name: string, target: () => string, jump: () => Inode | undefined) =>
    [name, (): Inode => nodes.link(`${base}/${name}`, target, jump)] as const;
  const makers = new Map<string, () => Inode>([
    file('cmdline', () => process.args.map((text) => text + '\0').join('')),
    file('comm', () => `${process.comm}\n`),
    link(
      'cwd',
      () => pathOf(linux.tree.root, process.cwd) ?? '',
      () => process.cwd,
    ),
    link(
      'exe',
      () => process.exe?.path ?? '',
      () => process.exe?.inode,
    ),
    ['fd', () => nodes.directory(`${base}/fd`, directory(), descriptorEntries(linux, process, nodes, `${base}/fd`))],
    file('maps', () => mapsText(linux, process)),
    file('mounts', () => mountsText(linux)),
    link(
      'root',
      () => pathOf(linux.tree.root, process.root) ?? '/',
      () => process.root,
    ),
    file('stat', () => statText(linux, process)),
    file('statm', () => statmText(linux, process)),
    file('status', () => statusText(linux, process)),
  ]);
  return { get: (name) => makers.get(name)?.(), keys: () => makers.keys() };
}

/** What /proc/N/mounts says. */
function mountsText({ mounts, tree }: Linux): string {
  const rows = mounts.map(({ source, type, root }) => `${source} ${pathOf(tree.root, root) ?? '/'} ${type} rw,relatime 0 0\n`);
  return `tmpfs / tmpfs rw,relatime 0 0\n${rows.join('')}`;
}

function descriptorEntries(linux: Linux, process: Process, nodes: Nodes, base: string): ComputedEntries {
  return {
    keys: () => process.fds.numbers().map(String),
    get: (name) => {
      const file = /^\d+$/.test(name) ? process.fds.file(Number(name)) : undefined;
      if (file === undefined) return undefined;
      return nodes.link(
        `${base}/${name}`,
        () => describeName(linux.tree.root, file.inode, file.name),
        () => file.inode,
      );
    },
  };
}

const stateOf = ({ current }: Linux, process: Process): string => {
  if (process.state === 'zombie') return 'Z';
  if (process.state === 'stopped') return 'T';
  return process === current || process.call === undefined ? 'R' : 'S';
};

interface Sizes {
  readonly bytes: number;
  readonly residentPages: number;
}

function sizesOf(linux: Linux, process: Process): Sizes {
  const known = kernelProcess(linux, process);
  if (known === undefined) return { bytes: 0, residentPages: 0 };
  const { tables, parameters } = linux.machine.kernel;
  let residentPages = 0;
  tables.eachEntry(known.space.root, (_page, _entry, _slot, isHuge) => {
    residentPages += isHuge ? parameters.hugePages : 1;
  });
  return { bytes: known.space.vmas.ascending.reduce((sum, { start, end }) => sum + end - start, 0), residentPages };
}

const ticks = (ns: number): number => Math.floor(ns / NS_PER_TICK);

/** The 52 fields of /proc/N/stat; what this system does not count is 0. */
function statText(linux: Linux, process: Process): string {
  const { pid, comm, parent, pgid, sid, nice, cpuNs, childrenNs, startedAt } = process;
  const { bytes, residentPages } = sizesOf(linux, process);
  const { tty } = linux;
  const hasTerminal = tty !== undefined && tty.session === sid;
  const fields = [
    `(${comm})`,
    stateOf(linux, process),
    ...[pid === 1 ? 0 : parent, pgid, sid, hasTerminal ? TTY_NUMBER : 0, hasTerminal ? tty.foreground : -1, 0, 0, 0, 0, 0],
    ...[ticks(cpuNs), 0, ticks(childrenNs), 0, 20 + nice, nice, 1, 0, ticks(startedAt), bytes, residentPages],
    '18446744073709551615',
    ...new Array<number>(12).fill(0),
    SIGNALS.SIGCHLD,
    ...new Array<number>(14).fill(0),
  ];
  return `${pid} ${fields.join(' ')}\n`;
}

function statmText(linux: Linux, process: Process): string {
  const { bytes, residentPages } = sizesOf(linux, process);
  return `${Math.ceil(bytes / PAGE_BYTES)} ${residentPages} 0 0 0 0 0\n`;
}

const STATES: Readonly<Record<string, string>> = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' };
const mask = (bits: bigint): string => bits.toString(16).padStart(16, '0');

function statusText(linux: Linux, process: Process): string {
  const state = stateOf(linux, process);
  const { bytes, residentPages } = sizesOf(linux, process);
  const ids = (id: number): string => [id, id, id, id].join('\t');
  const rows: readonly (readonly [string, string | number])[] = [
    ['Name', process.comm],
    ['Umask', process.umask.toString(8).padStart(4, '0')],
    ['State', `${state} (${STATES[state]!})`],
    ['Tgid', process.pid],
    ['Pid', process.pid],
    ['PPid', process.pid === 1 ? 0 : process.parent],
    ['TracerPid', 0],
    ['Uid', ids(process.uid)],
    ['Gid', ids(process.gid)],
    ['VmSize', `${Math.ceil(bytes / 1024)} kB`],
    ['VmRSS', `${(residentPages * PAGE_BYTES) / 1024} kB`],
    ['Threads', 1],
    ['SigPnd', mask(process.signals.pending)],
    ['SigBlk', mask(process.signals.mask)],
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

/** The VMAs as pages: ends are rounded out, since programs expect page-aligned numbers. */
function mapsText(linux: Linux, process: Process): string {
  const vmas = kernelProcess(linux, process)?.space.vmas.ascending ?? [];
  return vmas.map((vma) => mapLine(linux, vma)).join('');
}

function mapLine(linux: Linux, { start, end, prot, shared, backing, role }: Vma): string {
  const lead = pageOffset(start);
  const place = backing === undefined ? undefined : linux.tree.find({ root: linux.tree.root, cwd: linux.tree.root }, backing.file.path);
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const name = backing?.file.path ?? (role === 'stack' || role === 'heap' ? `[${role}]` : '');
  const range = `${hex(start - lead, 8)}-${hex(Math.ceil(end / PAGE_BYTES) * PAGE_BYTES, 8)}`;
  const inode = place === undefined || typeof place === 'string' ? 0 : place.ino;
  const offset = hex(Math.max(0, (backing?.offset ?? 0) - lead), 8);
  const line = `${range} ${protName(prot).padEnd(3, '-')}${shared ? 's' : 'p'} ${offset} 00:${inode === 0 ? '00' : '01'} ${inode}`;
  return name === '' ? `${line} \n` : `${line.padEnd(72)} ${textOf(name)}\n`;
}
