/**
 * The ops of a trace: what processes ask of the kernel, and what happens to it from outside.
 *
 * One schema per op is the only description: the TypeScript types, the validators, the JSON Schema, the order of the fields in a line
 * and the list of address fields all come from it. Every op has `pid` and `op`; `result`, where present, is what the recorded call
 * returned. What an op does is not said here but by the kernel that runs it.
 */
import { Type, type Static, type TProperties } from 'typebox';
import {
  Address,
  AddressEnd,
  AddressResult,
  CopyLength,
  count,
  CountResult,
  COPY_BYTES_MAX,
  HexBytes,
  Length,
  Offset,
  Path,
  Pid,
  ResultName,
  Text,
  TOUCH_PAGES_MAX,
  word,
} from './field.ts';

const optional = Type.Optional;
const closed = { additionalProperties: false } as const;

/** An op whose call returns a number, or nothing. */
const op = <const Name extends string, Fields extends TProperties>(name: Name, fields: Fields) =>
  Type.Object({ pid: Pid, op: Type.Literal(name), ...fields, result: optional(CountResult) }, closed);

/** An op whose call returns an address. */
const placed = <const Name extends string, Fields extends TProperties>(name: Name, fields: Fields) =>
  Type.Object({ pid: Pid, op: Type.Literal(name), ...fields, result: optional(AddressResult) }, closed);

const Prot = word('none', 'r', 'w', 'x', 'rw', 'rx', 'wx', 'rwx');
/** `sharedValidate` is the third type of mapping besides private and shared; `unknown` a bit that has no meaning. */
const MapFlag = word(
  'private',
  'shared',
  'anonymous',
  'fixed',
  'noreplace',
  'populate',
  'stack',
  'growsdown',
  'noreserve',
  'locked',
  'sharedValidate',
  'unknown',
);
const RemapFlag = word('mayMove', 'fixed', 'dontUnmap');
const SyncFlag = word('sync', 'async', 'invalidate');
/** `unknown` is a number that no kernel knows. */
const Advice = word(
  'normal',
  'random',
  'sequential',
  'willneed',
  'dontneed',
  'free',
  'hugepage',
  'nohugepage',
  'remove',
  'dontfork',
  'dofork',
  'dontdump',
  'dodump',
  'wipeonfork',
  'keeponfork',
  'cold',
  'pageout',
  'populateRead',
  'populateWrite',
  'collapse',
  'guardInstall',
  'guardRemove',
  'unknown',
);
const Yes = Type.Literal(true, { description: 'true, or absent' });
const Width = Type.Enum([1, 2, 4, 8], { description: '1, 2, 4 or 8' });
const Value = Type.String({ pattern: '^0x[0-9a-f]{1,16}$', description: 'a number of up to `width` bytes as a lowercase hex string' });

/** The most that a recorded stack reaches down from its end, in bytes: Linux's RLIMIT_STACK. */
export const STACK_BYTES_MAX = 8 * 2 ** 20;

/** The schema of each op. The order of the entries and of their fields is the order of the documentation and of the line. */
export const OP_SCHEMAS = {
  /**
   * Replaces the program. The last three say where the recording had what the kernel places, so that addresses in it are followed: `stack` is
   * the end of the stack, `base` the first page of a position-independent program, `interpBase` the first page of its interpreter.
   */
  exec: op('exec', {
    path: Path,
    argv: optional(Type.Array(Text)),
    env: optional(Type.Array(Text)),
    stack: optional(AddressEnd),
    base: optional(Address),
    interpBase: optional(Address),
  }),
  fork: op('fork', { child: Pid }),
  /** As fork, but the child borrows the address space until it execs or exits. */
  vfork: op('vfork', { child: Pid }),
  exit: op('exit', { status: optional(count(0, 255)), signal: optional(ResultName) }),
  /** Reaps `child`, or any child. */
  wait: op('wait', { child: optional(Pid) }),
  /** `description` tells several opens of one file apart, 0 is the first; `readonly` says that it was opened for reading. */
  mmap: placed('mmap', {
    addr: Address,
    length: Length,
    prot: Prot,
    flags: Type.Array(MapFlag),
    path: optional(Path),
    offset: optional(Offset),
    description: optional(count(0, 65535)),
    readonly: optional(Yes),
  }),
  munmap: op('munmap', { addr: Address, length: Length }),
  /** `growsdown` is PROT_GROWSDOWN: from the start of a VMA that grows so. */
  mprotect: op('mprotect', { addr: Address, length: Length, prot: Prot, growsdown: optional(Yes) }),
  mremap: placed('mremap', {
    addr: Address,
    length: Length,
    newLength: Length,
    flags: Type.Array(RemapFlag),
    newAddr: optional(Address),
  }),
  /** Moves the end of the heap; address 0 asks for it. */
  brk: placed('brk', { addr: Address }),
  madvise: op('madvise', { addr: Address, length: Length, advice: Advice }),
  msync: op('msync', { addr: Address, length: Length, flags: optional(Type.Array(SyncFlag)) }),
  mincore: op('mincore', { addr: Address, length: Length }),
  mlock: op('mlock', { addr: Address, length: Length }),
  munlock: op('munlock', { addr: Address, length: Length }),
  /** A load, store or fetch of `width` bytes at `addr`, and at the start of each of the `pages` - 1 pages that follow. Both default to 1. */
  touch: op('touch', {
    addr: Address,
    access: word('r', 'w', 'x'),
    pages: optional(count(1, TOUCH_PAGES_MAX)),
    width: optional(Width),
    value: optional(Value),
  }),
  /** The kernel reads user memory, as write(2) does with its buffer. */
  copyIn: op('copyIn', { addr: Address, length: CopyLength }),
  /** The kernel writes user memory, as read(2) does with its buffer. */
  copyOut: op('copyOut', { addr: Address, length: CopyLength }),
  /** File bytes through the page cache, into no user memory. */
  read: op('read', { path: Path, offset: Offset, length: CopyLength }),
  /** `value` is repeated until it fills `length` bytes. */
  write: op('write', { path: Path, offset: Offset, length: CopyLength, value: optional(HexBytes) }),
  /** File bytes into user memory: read(2) at an offset. */
  pread: op('pread', { path: Path, offset: Offset, addr: Address, length: CopyLength }),
  /** User memory into a file: write(2) at an offset. */
  pwrite: op('pwrite', { path: Path, offset: Offset, addr: Address, length: CopyLength }),
  truncate: op('truncate', { path: Path, size: count(0, COPY_BYTES_MAX) }),
  /** Writes dirty pages back, of one file or of all. */
  sync: op('sync', { path: optional(Path) }),
  /** The file's size changed without the kernel's doing, as on a network file system. `value` fills what its old last page gains. */
  resize: op('resize', { path: Path, size: count(0, COPY_BYTES_MAX), value: optional(HexBytes) }),
  /** Memory pressure: the kernel is to free that many pages. */
  reclaim: op('reclaim', { pages: count(0, TOUCH_PAGES_MAX) }),
  /** A device holds the frame at `addr` under the name `id` until `unpin`. */
  pin: op('pin', { id: count(0, 65535), addr: Address, access: word('r', 'w') }),
  unpin: op('unpin', { id: count(0, 65535) }),
  /** The process goes on, on CPU `cpu`, from 0. */
  switchCpu: op('switchCpu', { cpu: count(0, 1023) }),
  /** The `at`-th next step of that kind fails, from 1. `bytes` is what a short read lacks. */
  inject: op('inject', { fault: word('noFrame', 'shortRead', 'eio'), at: count(1, 2 ** 31), bytes: optional(count(0, COPY_BYTES_MAX)) }),
  /** A check of a test suite begins here. `counts` says whether the checks' total includes it. */
  mark: op('mark', {
    name: Type.String({ minLength: 1, maxLength: 200, description: 'a name of 1 to 200 characters' }),
    counts: optional(word('always', 'ifHeld', 'never')),
  }),
};

export type OpName = keyof typeof OP_SCHEMAS;
export type OpOf<Name extends OpName> = Static<(typeof OP_SCHEMAS)[Name]>;
/** One op, in memory: addresses and offsets are numbers. */
export type Op = { [Name in OpName]: OpOf<Name> }[OpName];

/** All ops, in the order of the documentation. */
export const OP_NAMES = Object.keys(OP_SCHEMAS) as OpName[];
