/**
 * What Linux's system calls on riscv64 do to user memory, as a table: which argument the kernel reads or writes, and how many bytes.
 *
 * Only what the arguments and the result tell: buffers behind an iovec are unknown, and so is the end of a path whose text was not
 * recorded (one byte is read for certain). Numbers are asm-generic's, sizes are those of the 64-bit structures.
 *
 * @see Linux include/uapi/asm-generic/unistd.h and the structures of include/uapi
 */

/** The calls about processes and their memory: the importer makes ops of them, the machine carries them out. */
export const NR = {
  exit: 93,
  exitGroup: 94,
  brk: 214,
  munmap: 215,
  mremap: 216,
  clone: 220,
  execve: 221,
  mmap: 222,
  mprotect: 226,
  msync: 227,
  mlock: 228,
  munlock: 229,
  mincore: 232,
  madvise: 233,
  wait4: 260,
} as const;

/** A finished call: arguments and result as numbers; those above 2^53 are not exact, and no address. */
export interface Call {
  readonly nr: number;
  readonly args: readonly number[];
  /** The path that the recorder read, if it did. */ readonly path?: string;
  /** Negative: an errno. */ readonly result: number;
}

/** The kernel read (`copyIn`) or wrote (`copyOut`) `length` bytes of user memory. */
export interface Copy {
  readonly op: 'copyIn' | 'copyOut';
  readonly addr: number;
  readonly length: number;
}

type Bytes = number | ((call: Call) => number);
/** `in` and `out` happen when the call succeeds; a `path` is read before anything can fail. */
type Effect = readonly [kind: 'in' | 'out' | 'path', argument: number, bytes: Bytes];

const RESULT = ({ result }: Call): number => result;
const pathAt = (argument: number): Effect => ['path', argument, ({ path }) => (path === undefined ? 1 : path.length + 1)];
/** The path of a call whose recorded text, if any, is another argument's. */
const silentPathAt = (argument: number): Effect => ['path', argument, 1];
const times =
  (argument: number, bytes: number): Bytes =>
  ({ args }) =>
    Math.min(args[argument]!, 1024) * bytes;
const when =
  (argument: number, value: number, bytes: number): Bytes =>
  ({ args }) =>
    args[argument] === value ? bytes : 0;

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCGWINSZ = 0x5413;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;

// prettier-ignore
const EFFECTS: ReadonlyMap<number, readonly Effect[]> = new Map<number, readonly Effect[]>([
  /* getcwd */            [17,  [['out', 0, RESULT]]],
  /* ioctl */             [29,  [['out', 2, when(1, TCGETS, 36)], ['in', 2, when(1, TCSETS, 36)], ['out', 2, when(1, TIOCGWINSZ, 8)]]],
  /* mknodat */           [33,  [silentPathAt(1)]],
  /* mkdirat */           [34,  [silentPathAt(1)]],
  /* unlinkat */          [35,  [silentPathAt(1)]],
  /* symlinkat */         [36,  [silentPathAt(0), silentPathAt(2)]],
  /* linkat */            [37,  [silentPathAt(1), silentPathAt(3)]],
  /* statfs */            [43,  [silentPathAt(0), ['out', 1, 120]]],
  /* faccessat */         [48,  [silentPathAt(1)]],
  /* chdir */             [49,  [silentPathAt(0)]],
  /* chroot */            [51,  [silentPathAt(0)]],
  /* fchmodat */          [53,  [silentPathAt(1)]],
  /* fchownat */          [54,  [silentPathAt(1)]],
  /* openat */            [56,  [pathAt(1)]],
  /* pipe2 */             [59,  [['out', 0, 8]]],
  /* getdents64 */        [61,  [['out', 1, RESULT]]],
  /* read */              [63,  [['out', 1, RESULT]]],
  /* write */             [64,  [['in', 1, RESULT]]],
  /* readv */             [65,  [['in', 1, times(2, 16)]]],
  /* writev */            [66,  [['in', 1, times(2, 16)]]],
  /* pread64 */           [67,  [['out', 1, RESULT]]],
  /* pwrite64 */          [68,  [['in', 1, RESULT]]],
  /* sendfile */          [71,  [['in', 2, 8], ['out', 2, 8]]],
  /* ppoll */             [73,  [['in', 0, times(1, 8)], ['in', 2, 16], ['in', 3, 8], ['out', 0, times(1, 8)]]],
  /* readlinkat */        [78,  [silentPathAt(1), ['out', 2, RESULT]]],
  /* newfstatat */        [79,  [pathAt(1), ['out', 2, 128]]],
  /* fstat */             [80,  [['out', 1, 128]]],
  /* utimensat */         [88,  [silentPathAt(1), ['in', 2, 32]]],
  /* setitimer */         [103, [['in', 1, 32], ['out', 2, 32]]],
  /* clock_gettime */     [113, [['out', 1, 16]]],
  /* clock_nanosleep */   [115, [['in', 2, 16]]],
  /* sched_getaffinity */ [123, [['out', 2, RESULT]]],
  /* rt_sigsuspend */     [133, [['in', 0, 8]]],
  /* rt_sigaction */      [134, [['in', 1, 24], ['out', 2, 24]]],
  /* rt_sigprocmask */    [135, [['in', 1, 8], ['out', 2, 8]]],
  /* times */             [153, [['out', 0, 32]]],
  /* getgroups */         [158, [['out', 1, ({ args, result }) => (args[0] === 0 ? 0 : result * 4)]]],
  /* uname */             [160, [['out', 0, 390]]],
  /* prctl */             [167, [['in', 1, when(0, PR_SET_NAME, 1)], ['out', 1, when(0, PR_GET_NAME, 16)]]],
  /* sysinfo */           [179, [['out', 0, 112]]],
  /* bind */              [200, [['in', 1, ({ args }) => args[2]!]]],
  /* connect */           [203, [['in', 1, ({ args }) => args[2]!]]],
  /* sendto */            [206, [['in', 1, RESULT]]],
  /* recvfrom */          [207, [['out', 1, RESULT]]],
  /* execve */            [NR.execve, [pathAt(0)]],
  /* wait4 */             [NR.wait4, [['out', 1, ({ result }) => (result > 0 ? 4 : 0)], ['out', 3, ({ result }) => (result > 0 ? 144 : 0)]]],
  /* prlimit64 */         [261, [['in', 2, 16], ['out', 3, 16]]],
  /* renameat2 */         [276, [silentPathAt(1), silentPathAt(3)]],
  /* getrandom */         [278, [['out', 0, RESULT]]],
]);

const EFAULT = 14;
const INTERRUPTED = 4;
/** Calls that read user memory before they sleep, and fail with EINTR after. */
const READS_BEFORE_SLEEP = new Set([115, 133]);

/** The copies of a finished call, in the kernel's order: what it reads before what it writes. Null pointers and nothing copied are left out. */
export function copiesOf(call: Call): Copy[] {
  const copies: Copy[] = [];
  for (const [kind, argument, bytes] of EFFECTS.get(call.nr) ?? []) {
    if (!happens(kind, call)) continue;
    const addr = call.args[argument]!;
    const length = typeof bytes === 'number' ? bytes : bytes(call);
    if (addr > 0 && length > 0) copies.push({ op: kind === 'out' ? 'copyOut' : 'copyIn', addr, length });
  }
  return copies;
}

function happens(kind: Effect[0], { nr, result }: Call): boolean {
  if (kind === 'path') return result !== -EFAULT;
  return result >= 0 || (result === -INTERRUPTED && kind === 'in' && READS_BEFORE_SLEEP.has(nr));
}

// prettier-ignore
const ERRNOS: readonly string[] = [
  '', 'EPERM', 'ENOENT', 'ESRCH', 'EINTR', 'EIO', 'ENXIO', 'E2BIG', 'ENOEXEC', 'EBADF', 'ECHILD', 'EAGAIN', 'ENOMEM', 'EACCES', 'EFAULT',
  'ENOTBLK', 'EBUSY', 'EEXIST', 'EXDEV', 'ENODEV', 'ENOTDIR', 'EISDIR', 'EINVAL', 'ENFILE', 'EMFILE', 'ENOTTY', 'ETXTBSY', 'EFBIG',
  'ENOSPC', 'ESPIPE', 'EROFS', 'EMLINK', 'EPIPE', 'EDOM', 'ERANGE', 'EDEADLK', 'ENAMETOOLONG', 'ENOLCK', 'ENOSYS', 'ENOTEMPTY', 'ELOOP',
];

/** Name of a negative result from -1 to -4095, as Linux numbers errors; undefined for a success. */
export function errnoOf(result: number): string | undefined {
  return result < 0 && result >= -4095 ? (ERRNOS[-result] ?? `E${-result}`) : undefined;
}

// Flag words, as bits.

const letters = (bits: number): string => ['r', 'w', 'x'].filter((_, bit) => ((bits >> bit) & 1) === 1).join('');
type Prot = 'none' | 'r' | 'w' | 'x' | 'rw' | 'rx' | 'wx' | 'rwx';

export const protOf = (bits: number): Prot => (letters(bits) || 'none') as Prot;

const named = <Name extends string>(bits: number, names: readonly (readonly [bit: number, name: Name])[]): Name[] =>
  names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);

export const mapFlagsOf = (bits: number) => [
  (bits & 1) !== 0 ? ('shared' as const) : ('private' as const),
  ...named(bits, [
    [0x20, 'anonymous'],
    [0x10, 'fixed'],
    [0x100000, 'noreplace'],
    [0x8000, 'populate'],
    [0x20000, 'stack'],
    [0x100, 'growsdown'],
    [0x4000, 'noreserve'],
    [0x2000, 'locked'],
  ]),
];

export const remapFlagsOf = (bits: number) =>
  named(bits, [
    [1, 'mayMove'],
    [2, 'fixed'],
    [4, 'dontUnmap'],
  ]);

export const syncFlagsOf = (bits: number) =>
  named(bits, [
    [4, 'sync'],
    [1, 'async'],
    [2, 'invalidate'],
  ]);

/** madvise advice by number. */
export const ADVICE = new Map([
  [0, 'normal'],
  [1, 'random'],
  [2, 'sequential'],
  [3, 'willneed'],
  [4, 'dontneed'],
  [8, 'free'],
  [9, 'remove'],
  [10, 'dontfork'],
  [11, 'dofork'],
  [14, 'hugepage'],
  [15, 'nohugepage'],
  [16, 'dontdump'],
  [17, 'dodump'],
  [18, 'wipeonfork'],
  [19, 'keeponfork'],
  [20, 'cold'],
  [21, 'pageout'],
  [22, 'populateRead'],
  [23, 'populateWrite'],
  [25, 'collapse'],
  [102, 'guardInstall'],
  [103, 'guardRemove'],
] as const);

/** The name of an advice that the trace format knows, or undefined. */
export const adviceOf = (value: number) => ADVICE.get(value as 0);
