/** The op of a finished system call that changes or asks for mappings. */
import { ADDRESS_END, LENGTH_MAX } from '../field.ts';
import type { Op, OpOf } from '../op.ts';
import { adviceOf, errnoOf, mapFlagsOf, NR, protOf, remapFlagsOf, syncFlagsOf, type Call } from '../riscv-linux-calls.ts';

type MapFlags = OpOf<'mmap'>['flags'];

export interface MemoryOp {
  /** Undefined for other calls, and for what no kernel accepts and no op can say. */
  readonly op: Op | undefined;
  /** It mapped a file, and the op maps zeros. */
  readonly isFileLost: boolean;
}

/**
 * @param moved - where a recorded address is in the trace
 * @param path - the file that a mapping shall be of; undefined makes it anonymous
 */
export function memoryOp(pid: number, call: Call, moved: (address: number) => number, path?: string): MemoryOp {
  const flags = call.nr === NR.mmap ? mapFlagsOf(call.args[3]!) : [];
  const isFile = call.nr === NR.mmap && !flags.includes('anonymous');
  return { op: opOf(pid, call, moved, path), isFileLost: isFile && path === undefined && call.result >= 0 };
}

function opOf(pid: number, { nr, args, result: returned }: Call, moved: (address: number) => number, path?: string): Op | undefined {
  const addr = moved(args[0]!);
  const [, length, third, fourth, fifth, sixth] = args as [number, number, number, number, number, number];
  if (addr >= ADDRESS_END || (nr !== NR.brk && length > LENGTH_MAX) || (nr === NR.mremap && third > LENGTH_MAX)) return undefined;
  const result = errnoOf(returned) ?? moved(returned);
  switch (nr) {
    case NR.brk:
      return { pid, op: 'brk', addr, result };
    case NR.mmap: {
      const flags = mapFlagsOf(fourth);
      const file = path === undefined ? { flags: anonymous(flags) } : { flags, path, offset: sixth };
      return { pid, op: 'mmap', addr, length, prot: protOf(third), ...file, result };
    }
    case NR.munmap:
      return { pid, op: 'munmap', addr, length, result };
    case NR.mprotect:
      return { pid, op: 'mprotect', addr, length, prot: protOf(third), result };
    case NR.mremap: {
      const flags = remapFlagsOf(fourth);
      const target = flags.includes('fixed') ? { newAddr: moved(fifth) } : {};
      return { pid, op: 'mremap', addr, length, newLength: third, flags, ...target, result };
    }
    case NR.madvise: {
      const advice = adviceOf(third);
      return advice === undefined ? undefined : { pid, op: 'madvise', addr, length, advice, result };
    }
    case NR.msync:
      return { pid, op: 'msync', addr, length, flags: syncFlagsOf(third), result };
    case NR.mincore:
      return { pid, op: 'mincore', addr, length, result };
    default:
      return undefined;
  }
}

/** The recording does not hold the mapped file, so its mapping starts as zeros. */
const anonymous = (flags: MapFlags): MapFlags => (flags.includes('anonymous') ? flags : [flags[0]!, 'anonymous', ...flags.slice(1)]);
