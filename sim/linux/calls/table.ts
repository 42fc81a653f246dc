/**
 * Every system call of the small Linux, by its number in asm-generic/unistd.h.
 *
 * What is missing answers ENOSYS and is counted. Calls that programs only try, and do without, are listed as absent: they answer
 * as a kernel without them does, and nobody needs to be told.
 */
import type { CallRow, Handler } from '../call.ts';
import type { Errno } from '../errno.ts';
import { ATTRIBUTE_CALLS } from './attributes.ts';
import { DESCRIPTOR_CALLS } from './descriptors.ts';
import { IDENTITY_CALLS } from './identity.ts';
import { IO_CALLS } from './io.ts';
import { MEMORY_CALLS } from './memory.ts';
import { MOUNT_CALLS } from './mounts.ts';
import { NAME_CALLS } from './names.ts';
import { POLL_CALLS } from './poll.ts';
import { PROCESS_CALLS } from './processes.ts';
import { SIGNAL_CALLS } from './signal-calls.ts';
import { TERMINAL_CALLS } from './terminal.ts';
import { TIME_CALLS } from './time.ts';

const absent = (number: number, name: string, errno: Errno = 'ENOSYS'): CallRow => [number, name, () => errno];

const ABSENT: readonly CallRow[] = [
  absent(99, 'set_robust_list'),
  absent(198, 'socket', 'EAFNOSUPPORT'),
  absent(199, 'socketpair', 'EAFNOSUPPORT'),
  absent(258, 'riscv_hwprobe'),
  absent(285, 'copy_file_range'),
  absent(291, 'statx'),
  absent(293, 'rseq'),
  absent(435, 'clone3'),
];

export interface CallEntry {
  readonly name: string;
  readonly handler: Handler;
}

export const CALLS: ReadonlyMap<number, CallEntry> = new Map(
  [
    ...ATTRIBUTE_CALLS,
    ...DESCRIPTOR_CALLS,
    ...IDENTITY_CALLS,
    ...IO_CALLS,
    ...MEMORY_CALLS,
    ...MOUNT_CALLS,
    ...NAME_CALLS,
    ...POLL_CALLS,
    ...PROCESS_CALLS,
    ...SIGNAL_CALLS,
    ...TERMINAL_CALLS,
    ...TIME_CALLS,
    ...ABSENT,
  ].map(([number, name, handler]) => [number, { name, handler }]),
);
