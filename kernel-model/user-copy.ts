/**
 * Kernel copies to and from user memory: what read(2), stat(2) or write(2) do with a buffer.
 *
 * They reach memory as the program does, page by page, through protection checks and copy-on-write, but at a refusal
 * they stop and answer how far they came instead of raising a signal.
 */
import type { Errno } from './errors.ts';
import type { Cpu, Kernel, Operation, Process } from './kernel.ts';
import { reach } from './mmu.ts';
import { pfn, PAGE_BYTES } from './units.ts';

/** Writes `bytes` to user memory. @returns bytes written; EFAULT if not even one could be */
export function* copyOut(k: Kernel, cpu: Cpu, { pid, space }: Process, address: number, bytes: Uint8Array): Operation<number | Errno> {
  k.emit({ type: 'usercopy', pid, dir: 'out', addr: address, len: bytes.length, ctx: '' });
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, PAGE_BYTES - ((address + done) % PAGE_BYTES));
    const at = yield* reach(k, cpu, space, address + done, 'store');
    if (typeof at === 'string') return done > 0 ? done : 'EFAULT';
    k.memory.bytes.set(bytes.subarray(done, done + length), at);
    noteWrite(k, pid, at, length);
    done += length;
  }
  return done;
}

/** Reads user memory into `into`. @returns bytes read; EFAULT if not even one could be */
export function* copyIn(k: Kernel, cpu: Cpu, { pid, space }: Process, address: number, into: Uint8Array): Operation<number | Errno> {
  k.emit({ type: 'usercopy', pid, dir: 'in', addr: address, len: into.length, ctx: '' });
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, PAGE_BYTES - ((address + done) % PAGE_BYTES));
    const at = yield* reach(k, cpu, space, address + done, 'load');
    if (typeof at === 'string') return done > 0 ? done : 'EFAULT';
    into.set(k.memory.bytes.subarray(at, at + length), done);
    done += length;
  }
  return done;
}

/** Tells provenance that a program wrote `length` bytes at a byte address of linear memory. */
export function noteWrite(k: Kernel, pid: number, at: number, length: number): void {
  if (!k.provenance.enabled) return;
  const offset = at - k.memory.frameBase;
  const start = offset % PAGE_BYTES;
  k.provenance.note(pfn((offset - start) / PAGE_BYTES), start, start + length, { kind: 'write', pid });
}
