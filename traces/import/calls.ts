/**
 * System calls of any architecture in asm-generic's terms: its numbers, names and order of arguments.
 *
 * Calls that asm-generic left out (open, stat, dup2, fork, …) become the newer call that does the same. What a structure measures
 * differs in two cases between x86-64 and the others; `copiesOfCall` knows them.
 */
import { copiesOf, type Call, type Copy } from '../riscv-linux-calls.ts';
import { GENERIC_NAMES, GENERIC_NUMBERS, X86_64_NAMES } from './call-names.ts';
import type { RecordedCall } from './recorded.ts';

export const ARCHITECTURES = ['x86_64', 'riscv64', 'aarch64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** `openat`'s "the current directory". */
const AT_FDCWD = -100;
export const CLONE_VM = 0x100;
export const CLONE_VFORK = 0x4000;
export const CLONE_CHILD_SETTID = 0x1000000;
export const SIGCHLD = 17;

type Rewrite = readonly [name: string, ...from: readonly (number | { readonly is: number })[]];
const is = (value: number): { readonly is: number } => ({ is: value });
const HERE = is(AT_FDCWD);

/** The newer call, and for each of its arguments which of the old call's it is, or its value. */
// prettier-ignore
const NEWER: Readonly<Record<string, Rewrite>> = {
  open:      ['openat', HERE, 0, 1, 2],
  creat:     ['openat', HERE, 0, is(0x241), 1],
  stat:      ['newfstatat', HERE, 0, 1, is(0)],
  lstat:     ['newfstatat', HERE, 0, 1, is(0x100)],
  fstatat:   ['newfstatat', 0, 1, 2, 3],
  newuname:  ['uname', 0],
  access:    ['faccessat', HERE, 0, 1],
  pipe:      ['pipe2', 0, is(0)],
  dup2:      ['dup3', 0, 1, is(0)],
  fork:      ['clone', is(SIGCHLD)],
  vfork:     ['clone', is(SIGCHLD + CLONE_VM + CLONE_VFORK)],
  readlink:  ['readlinkat', HERE, 0, 1, 2],
  mkdir:     ['mkdirat', HERE, 0, 1],
  rmdir:     ['unlinkat', HERE, 0, is(0x200)],
  unlink:    ['unlinkat', HERE, 0, is(0)],
  rename:    ['renameat2', HERE, 0, HERE, 1, is(0)],
  renameat:  ['renameat2', 0, 1, 2, 3, is(0)],
  link:      ['linkat', HERE, 0, HERE, 1],
  symlink:   ['symlinkat', 0, HERE, 1],
  chmod:     ['fchmodat', HERE, 0, 1],
  chown:     ['fchownat', HERE, 0, 1, 2, is(0)],
  lchown:    ['fchownat', HERE, 0, 1, 2, is(0x100)],
  mknod:     ['mknodat', HERE, 0, 1, 2],
  poll:      ['ppoll', 0, 1, is(0), is(0)],
  nanosleep: ['clock_nanosleep', is(0), is(0), 0, 1],
  getpgrp:   ['getpgid', is(0)],
};

/** x86-64 has the last two arguments of clone the other way round. */
const X86_64_CLONE = [0, 1, 2, 4, 3];

/** A call by its name on that architecture. */
export function genericCall(architecture: Architecture, name: string, args: readonly number[], path?: string): RecordedCall {
  const [newName, ...from] = NEWER[name] ?? [name];
  const order = from.length > 0 ? from : architecture === 'x86_64' && name === 'clone' ? X86_64_CLONE : [0, 1, 2, 3, 4, 5];
  const moved = order.map((source) => (typeof source === 'number' ? (args[source] ?? 0) : source.is));
  while (moved.length < 6) moved.push(0);
  return { name: newName, nr: GENERIC_NUMBERS.get(newName) ?? -1, args: moved, ...(path === undefined ? {} : { path }) };
}

/** A call by its number on that architecture. */
export const numberedCall = (architecture: Architecture, number: number, args: readonly number[], path?: string): RecordedCall =>
  genericCall(architecture, callName(architecture, number), args, path);

/** What the architecture calls the number; `call 999` if it is none that is known. */
const callName = (architecture: Architecture, number: number): string =>
  (architecture === 'x86_64' ? X86_64_NAMES : GENERIC_NAMES).get(number) ?? `call ${number}`;

/** Bytes of the structures that are not as asm-generic has them: fstat and newfstatat, and rt_sigaction. */
const X86_64_BYTES: ReadonlyMap<number, number> = new Map([
  [79, 144],
  [80, 144],
  [134, 32],
]);

/** What the kernel copied for a call that is over. */
export function copiesOfCall(architecture: Architecture, call: Call): Copy[] {
  const copies = copiesOf(call);
  const bytes = architecture === 'x86_64' ? X86_64_BYTES.get(call.nr) : undefined;
  const isPath = (copy: Copy): boolean => copy.op === 'copyIn' && call.nr !== 134;
  return bytes === undefined ? copies : copies.map((copy) => (isPath(copy) ? copy : { ...copy, length: bytes }));
}
