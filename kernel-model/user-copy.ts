/**
 * Kernel copies to and from user memory: what read(2), stat(2) or write(2) do with a buffer.
 *
 * They reach memory as the program does, page by page, through protection checks and copy-on-write, but at a refusal
 * they stop and answer how far they came instead of raising a signal.
 */
import type { Errno } from './errors.ts';
import type { Cpu, Kernel, Operation, Process } from './kernel.ts';
import { reach } from './mmu.ts';
import type { Access } from './pte.ts';
import { PAGE_BYTES } from './units.ts';

/** Writes `bytes` to user memory. @returns bytes written; EFAULT if not even one could be */
export function* copyOut(k: Kernel, cpu: Cpu, process: Process, address: number, bytes: Uint8Array): Operation<number | Errno> {
  k.emit({ type: 'usercopy', pid: process.pid, dir: 'out', addr: address, len: bytes.length, ctx: '' });
  return yield* byPage(k, cpu, process, address, bytes.length, k.rules.copyOutAsks(), (at, done, length) => {
    k.memory.willWrite(k.memory.frameAt(at));
    k.memory.bytes.set(bytes.subarray(done, done + length), at);
    noteWrite(k, process.pid, at, length);
  });
}

/** Reads user memory into `into`. @returns bytes read; EFAULT if not even one could be */
export function* copyIn(k: Kernel, cpu: Cpu, process: Process, address: number, into: Uint8Array): Operation<number | Errno> {
  k.emit({ type: 'usercopy', pid: process.pid, dir: 'in', addr: address, len: into.length, ctx: '' });
  return yield* byPage(k, cpu, process, address, into.length, 'load', (at, done, length) => {
    into.set(k.memory.bytes.subarray(at, at + length), done);
  });
}

/** Reaches user memory page by page and copies; `at` is a byte address in linear memory, `done` what was copied before. */
function* byPage(
  k: Kernel,
  cpu: Cpu,
  { space }: Process,
  address: number,
  lengthBytes: number,
  access: Access,
  copy: (at: number, done: number, length: number) => void,
): Operation<number | Errno> {
  let done = 0;
  while (done < lengthBytes) {
    const length = Math.min(lengthBytes - done, PAGE_BYTES - ((address + done) % PAGE_BYTES));
    const at = yield* reach(k, cpu, space, address + done, access);
    if (typeof at === 'string') return done > 0 ? done : 'EFAULT';
    copy(at, done, length);
    done += length;
  }
  return done;
}

/** Tells provenance that a program wrote `length` bytes at a byte address of linear memory. */
export function noteWrite(k: Kernel, pid: number, at: number, length: number): void {
  if (!k.provenance.enabled) return;
  const start = at % PAGE_BYTES;
  k.provenance.noteWrite(k.memory.frameAt(at), start, start + length, pid);
}
