/** Who watches a machine, and what each one wants to see. A watcher sees everything and can change nothing. */
import type { Access, KernelEvent, Process, Refusal } from '../kernel-model/index.ts';
import type { Op } from '../traces/op.ts';
import type { Result } from './trace-hart.ts';

/** Sees what happens on the machine; each part is optional. `at` is a byte address in linear memory. */
export interface Watcher {
  /** The op is about to run; its addresses are this kernel's. */
  before?(op: Op, index: number): void;
  load?(process: Process, address: number, width: number, at: number): void;
  /** The program stored `length` bytes; they lie at `at` of `from`. */
  store?(process: Process, address: number, length: number, from: Uint8Array, at: number): void;
  /** The kernel read these bytes of user memory for a call. */
  copyIn?(process: Process, address: number, bytes: Uint8Array): void;
  /** The kernel wrote these bytes to user memory for a call. */
  copyOut?(process: Process, address: number, bytes: Uint8Array): void;
  /** Machine code has reached memory in a way and on a page that it had not since the last op, or was refused. Asking costs speed. */
  touch?(process: Process, address: number, access: Access, refusal: Refusal | undefined): void;
  /** From now on the kernel knows a program with these bytes. */
  program?(path: string, bytes: Uint8Array): void;
  /** A call read these bytes of a file. */
  read?(path: string, offset: number, bytes: Uint8Array): void;
  /** The op has run. */
  after?(op: Op, index: number, result: Result): void;
  event?(event: KernelEvent): void;
}

type Part = keyof Watcher;
type With<P extends Part> = Required<Pick<Watcher, P>>;

/** The watchers of a machine, in the order in which they came, by what they want to see. */
export class Watchers implements Readonly<{ [P in Part]: readonly With<P>[] }> {
  readonly before: With<'before'>[] = [];
  readonly load: With<'load'>[] = [];
  readonly store: With<'store'>[] = [];
  readonly copyIn: With<'copyIn'>[] = [];
  readonly copyOut: With<'copyOut'>[] = [];
  readonly touch: With<'touch'>[] = [];
  readonly program: With<'program'>[] = [];
  readonly read: With<'read'>[] = [];
  readonly after: With<'after'>[] = [];
  readonly event: With<'event'>[] = [];

  add(watcher: Watcher): void {
    if (has(watcher, 'before')) this.before.push(watcher);
    if (has(watcher, 'load')) this.load.push(watcher);
    if (has(watcher, 'store')) this.store.push(watcher);
    if (has(watcher, 'copyIn')) this.copyIn.push(watcher);
    if (has(watcher, 'copyOut')) this.copyOut.push(watcher);
    if (has(watcher, 'touch')) this.touch.push(watcher);
    if (has(watcher, 'program')) this.program.push(watcher);
    if (has(watcher, 'read')) this.read.push(watcher);
    if (has(watcher, 'after')) this.after.push(watcher);
    if (has(watcher, 'event')) this.event.push(watcher);
  }
}

function has<P extends Part>(watcher: Watcher, part: P): watcher is Watcher & With<P> {
  return watcher[part] !== undefined;
}
