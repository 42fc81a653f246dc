/**
 * The structures that calls fill, as bytes: riscv64 Linux's layouts, which are asm-generic's.
 *
 * @see Linux include/uapi/asm-generic/stat.h, statfs.h; include/uapi/linux/utsname.h, sysinfo.h, resource.h, dirent.h
 */
import { sizeOf, type Inode } from './fs/inode.ts';
import { rdevOf } from './fs/tree.ts';
import { bytesOf, encodeText } from './names.ts';

const NS = 1_000_000_000;
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;

/** Numbers of 4 or 8 bytes at their places in a structure. */
type Field = readonly [offset: number, bytes: 4 | 8, value: number | bigint];

function struct(lengthBytes: number, fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  const view = new DataView(bytes.buffer);
  for (const [offset, width, value] of fields) {
    if (width === 8) view.setBigInt64(offset, BigInt(value), true);
    else view.setUint32(offset, Number(value), true);
  }
  return bytes;
}

const timeFields = (offset: number, ns: bigint): Field[] => [
  [offset, 8, ns / BigInt(NS)],
  [offset + 8, 8, ns % BigInt(NS)],
];

export function encodeStat(inode: Inode): Uint8Array {
  const size = sizeOf(inode);
  return struct(128, [
    [0, 8, inode.dev],
    [8, 8, inode.ino],
    [16, 4, inode.mode],
    [20, 4, inode.nlink],
    [24, 4, inode.uid],
    [28, 4, inode.gid],
    [32, 8, rdevOf(inode)],
    [48, 8, size],
    [56, 4, BLOCK_BYTES],
    [64, 8, inode.kind === 'file' ? Math.ceil(size / BLOCK_BYTES) * (BLOCK_BYTES / SECTOR_BYTES) : 0],
    ...timeFields(72, inode.atime),
    ...timeFields(88, inode.mtime),
    ...timeFields(104, inode.ctime),
  ]);
}

const DT = { fifo: 1, device: 2, directory: 4, file: 8, computed: 8, symlink: 10 } as const;

/** One struct linux_dirent64; `next` is the position behind it. */
export function encodeDirent(name: string, { ino, kind }: Pick<Inode, 'ino' | 'kind'>, next: number): Uint8Array {
  const length = Math.ceil((19 + name.length + 1) / 8) * 8;
  const bytes = struct(length, [
    [0, 8, ino],
    [8, 8, next],
  ]);
  new DataView(bytes.buffer).setUint16(16, length, true);
  bytes[18] = DT[kind];
  bytes.set(bytesOf(name), 19);
  return bytes;
}

const UTS_BYTES = 65;

/** sysname, nodename, release, version, machine, domainname. */
export function encodeUtsname(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(UTS_BYTES * 6);
  texts.forEach((text, i) => bytes.set(encodeText(text).subarray(0, UTS_BYTES - 1), i * UTS_BYTES));
  return bytes;
}

export const encodeTimespec = (ns: number | bigint): Uint8Array => struct(16, timeFields(0, BigInt(ns)));

/** struct timeval: seconds and microseconds. */
export const encodeTimeval = (ns: number | bigint): Uint8Array => struct(16, timevalFields(0, ns));

const timevalFields = (offset: number, ns: number | bigint): Field[] => [
  [offset, 8, BigInt(ns) / BigInt(NS)],
  [offset + 8, 8, (BigInt(ns) % BigInt(NS)) / 1000n],
];

/** @returns nanoseconds; undefined if the nanoseconds are out of range or the time is negative */
export function decodeTimespec(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [seconds, ns] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  return seconds < 0n || ns < 0n || ns >= BigInt(NS) ? undefined : Number(seconds) * NS + Number(ns);
}

export function decodeTimeval(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [seconds, us] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  return seconds < 0n || us < 0n || us >= 1_000_000n ? undefined : Number(seconds) * NS + Number(us) * 1000;
}

/** struct itimerval: interval, then the time left. */
export const encodeItimer = (intervalNs: number, leftNs: number): Uint8Array =>
  struct(32, [...timevalFields(0, intervalNs), ...timevalFields(16, leftNs)]);

/** struct rusage with times and faults; the rest is zero. */
export const encodeRusage = (cpuNs: number, maxRssKiB: number): Uint8Array => struct(144, [...timevalFields(0, cpuNs), [32, 8, maxRssKiB]]);

export interface MemoryCounts {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export function encodeSysinfo(uptimeNs: number, { totalBytes, freeBytes }: MemoryCounts, processes: number): Uint8Array {
  return struct(112, [
    [0, 8, Math.floor(uptimeNs / NS)],
    [32, 8, totalBytes],
    [40, 8, freeBytes],
    [80, 4, processes & 0xffff],
    [104, 4, 1],
  ]);
}

export interface FileSystemCounts extends MemoryCounts {
  readonly magic: number;
}

export function encodeStatfs({ magic, totalBytes, freeBytes }: FileSystemCounts): Uint8Array {
  const free = Math.floor(freeBytes / BLOCK_BYTES);
  return struct(120, [
    [0, 8, magic],
    [8, 8, BLOCK_BYTES],
    [16, 8, Math.floor(totalBytes / BLOCK_BYTES)],
    [24, 8, free],
    [32, 8, free],
    [64, 8, 255],
    [72, 8, BLOCK_BYTES],
  ]);
}
