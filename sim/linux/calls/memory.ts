/** Calls about memory: each becomes one op, which the kernel model carries out. */
import { ADDRESS_END } from '../../../traces/field.ts';
import type { Op } from '../../../traces/op.ts';
import { adviceOf, mapFlagsOf, protOf, remapFlagsOf, syncFlagsOf } from '../../../traces/riscv-linux-calls.ts';
import type { CallRow, Handler } from '../call.ts';
import { toErrno, type Answer, type Errno } from '../errno.ts';
import { describeName } from '../fs/tree.ts';
import type { Linux } from '../linux.ts';
import { textOf } from '../names.ts';
import type { Process } from '../process.ts';

const MAP_TYPE = 0xf;
const MAP_SHARED = 1;
const MAP_FIXED = 0x10;
const MAP_FIXED_NOREPLACE = 0x100000;
const MAP_ANONYMOUS = 0x20;
const PROT_WRITE = 2;

const perform = (linux: Linux, op: Op): Answer => {
  const result = linux.machine.perform(op);
  return typeof result === 'string' ? toErrno(result) : result;
};

/** May an op name this range? What lies outside user space never gets as far as an op. */
const isRange = (start: number, length: number): boolean => start >= 0 && start < ADDRESS_END && length >= 0 && length <= ADDRESS_END;

/** As Linux rounds the length of a range of pages. */
const ranged =
  (outside: Errno, act: (linux: Linux, process: Process, args: Parameters<Handler>[2]) => Answer): Handler =>
  (linux, process, args) =>
    isRange(args[0], args[1]) ? act(linux, process, args) : outside;

const brk: Handler = (linux, { pid }, [address]) => perform(linux, { pid, op: 'brk', addr: isRange(address, 0) ? address : 0 });

const mmap: Handler = (linux, process, [hint, length, prot, bits, fd, offset]) => {
  const { pid } = process;
  // A hint that is no address is ignored.
  const addr = isRange(hint, length) || (bits & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0 ? hint : 0;
  if (!isRange(addr, length)) return 'ENOMEM';
  const type = bits & MAP_TYPE;
  if (type < 1 || type > 3) return 'EINVAL';
  const op = { pid, op: 'mmap', addr, length, prot: protOf(prot & 7), flags: mapFlagsOf(bits) } as const;
  if ((bits & MAP_ANONYMOUS) !== 0) return perform(linux, op);
  if (offset < 0 || offset >= ADDRESS_END) return 'EINVAL';
  const path = mappedPath(linux, process, fd, type === MAP_SHARED && (prot & PROT_WRITE) !== 0);
  if (typeof path === 'string') return path;
  return perform(linux, { ...op, path: path.name, offset });
};

/**
 * The kernel maps a file as it is now: later writes do not show, and storing to a shared mapping is not possible.
 *
 * @returns the path by which it knows the file
 */
function mappedPath(linux: Linux, process: Process, fd: number, isSharedStore: boolean): { readonly name: string } | Errno {
  const file = process.fds.file(fd);
  if (file === undefined) return 'EBADF';
  const { inode } = file;
  if (inode.kind !== 'file' || isSharedStore) return 'ENODEV';
  const name = linux.programs.register(inode, textOf(describeName(linux.tree.root, inode, file.name)));
  return name === undefined ? 'ENOMEM' : { name };
}

const mremap = ranged('EINVAL', (linux, { pid }, [addr, length, newLength, bits, newAddr]) => {
  if (!isRange(0, newLength)) return 'ENOMEM';
  const flags = remapFlagsOf(bits);
  if (flags.includes('fixed') && !isRange(newAddr, 0)) return 'EINVAL';
  return perform(linux, { pid, op: 'mremap', addr, length, newLength, flags, ...(flags.includes('fixed') ? { newAddr } : {}) });
});

const madvise = ranged('ENOMEM', (linux, { pid }, [addr, length, value]) => {
  const advice = adviceOf(value);
  return advice === undefined ? 'EINVAL' : perform(linux, { pid, op: 'madvise', addr, length, advice });
});

const munmap = ranged('EINVAL', (linux, { pid }, [addr, length]) => perform(linux, { pid, op: 'munmap', addr, length }));

const mprotect = ranged('ENOMEM', (linux, { pid }, [addr, length, prot]) =>
  (prot & ~7) !== 0 ? 'EINVAL' : perform(linux, { pid, op: 'mprotect', addr, length, prot: protOf(prot) }),
);

const msync = ranged('ENOMEM', (linux, { pid }, [addr, length, flags]) =>
  perform(linux, { pid, op: 'msync', addr, length, flags: syncFlagsOf(flags) }),
);

/** Nothing is ever swapped out. */
const nothing: Handler = () => 0;

export const MEMORY_CALLS: readonly CallRow[] = [
  [214, 'brk', brk],
  [215, 'munmap', munmap],
  [216, 'mremap', mremap],
  [222, 'mmap', mmap],
  [226, 'mprotect', mprotect],
  [227, 'msync', msync],
  [228, 'mlock', nothing],
  [229, 'munlock', nothing],
  [230, 'mlockall', nothing],
  [231, 'munlockall', nothing],
  [233, 'madvise', madvise],
  [259, 'riscv_flush_icache', nothing],
];
