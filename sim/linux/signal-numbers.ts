/**
 * Signals: numbers of riscv64 Linux, what each does by default, and sets of them as 64-bit masks (bit n-1 is signal n).
 *
 * @see signal(7)
 */
export const SIGNALS = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11,
  SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21,
  SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
} as const; // prettier-ignore

export type SignalName = keyof typeof SIGNALS;

export const SIGNAL_MAX = 64;

const NAMES = new Map<number, string>(Object.entries(SIGNALS).map(([name, number]) => [number, name]));
export const signalName = (signal: number): string => NAMES.get(signal) ?? `SIGRT${signal - 32}`;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const maskOf = (signal: number): bigint => 1n << BigInt(signal - 1);
export const maskOfAll = (...names: SignalName[]): bigint => names.reduce((mask, name) => mask | maskOf(SIGNALS[name]), 0n);

/** No program can catch, block or ignore these. */
export const UNBLOCKABLE = maskOfAll('SIGKILL', 'SIGSTOP');
export const STOPPING = maskOfAll('SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU');
const IGNORED = maskOfAll('SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH');
/** A process that one of these ends has crashed; Linux would dump core. */
const CORE = maskOfAll('SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGXCPU', 'SIGXFSZ', 'SIGSYS');

export type DefaultAction = 'ignore' | 'stop' | 'end' | 'crash';

export function defaultAction(signal: number): DefaultAction {
  const bit = maskOf(signal);
  if ((bit & IGNORED) !== 0n) return 'ignore';
  if ((bit & STOPPING) !== 0n) return 'stop';
  return (bit & CORE) !== 0n ? 'crash' : 'end';
}
