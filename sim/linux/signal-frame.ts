/**
 * The frame that a handler runs on, and the way back: riscv64's rt_sigframe.
 *
 *     0    siginfo (128)
 *     128  ucontext: flags, link, stack_t (24), sigmask (128), to 16 bytes aligned
 *     304    mcontext: pc, x1 … x31 (256)
 *     560              f0 … f31 (256), fcsr (4), room for Q (to 1088)
 *
 * The handler returns to the trampoline in the vDSO page, which makes the call rt_sigreturn.
 *
 * @see Linux arch/riscv/kernel/signal.c, arch/riscv/include/uapi/asm/ucontext.h
 */
import { pid, vdsoCodeAt } from '../../kernel-model/index.ts';
import { ERRNO } from './errno.ts';
import type { Linux } from './linux.ts';
import type { AlternateStack, Process, SignalInfo } from './process.ts';
import { maskOf, SIG_DFL, SIGNALS, UNBLOCKABLE } from './signal-numbers.ts';
import { readUser, viewOf, writeUser } from './user-memory.ts';

const FRAME_BYTES = 1088;
const UCONTEXT = 128;
const STACK = UCONTEXT + 16;
const SIGMASK = UCONTEXT + 40;
const GENERAL = UCONTEXT + 176;
const FLOAT = GENERAL + 256;
const FCSR = FLOAT + 256;

/** Place of the trampoline in the vDSO page, and its code: li a7, 139; ecall. */
const TRAMPOLINE_OFFSET = 0x800;
const TRAMPOLINE = [0x08b0_0893, 0x0000_0073];

const SA_ONSTACK = 0x0800_0000;
const SA_RESTART = 0x1000_0000;
const SA_NODEFER = 0x4000_0000;
const SA_RESETHAND = 0x8000_0000;

const SS_ONSTACK = 1;
const SS_DISABLE = 2;

/** What the vDSO page has to hold: nothing but the trampoline. */
export function vdsoBytes(): Uint8Array {
  const bytes = new Uint8Array(TRAMPOLINE_OFFSET + TRAMPOLINE.length * 4);
  TRAMPOLINE.forEach((word, i) => viewOf(bytes).setUint32(TRAMPOLINE_OFFSET + i * 4, word, true));
  return bytes;
}

/** Where a handler returns to; 0, where nothing is, if the program has unmapped it. */
function trampolineOf({ machine: { kernel } }: Linux, process: Process): number {
  const code = vdsoCodeAt(kernel, kernel.processes.get(pid(process.pid))!.space);
  return code === undefined ? 0 : code + TRAMPOLINE_OFFSET;
}

/** Makes the process run the handler of a signal. @returns false if the frame cannot be written */
export function pushFrame(linux: Linux, process: Process, info: SignalInfo): boolean {
  const { signals } = process;
  const { registers } = linux.hart;
  const action = signals.actions.get(info.signal)!;
  if (process.restarts && (action.flags & SA_RESTART) === 0) {
    registers.pc += 4n;
    registers.x[10] = BigInt(-ERRNO.EINTR);
  }
  process.restarts = false;

  const frame = frameAddress(Number(registers.x[2]!), action.flags, signals.alternateStack);
  const bytes = new Uint8Array(FRAME_BYTES);
  const view = viewOf(bytes);
  encodeSiginfo(view, info);
  encodeStack(view, STACK, signals.alternateStack, Number(registers.x[2]!));
  view.setBigUint64(SIGMASK, signals.maskAfterCall ?? signals.mask, true);
  for (let i = 0; i < 32; i++) {
    view.setBigInt64(GENERAL + i * 8, i === 0 ? registers.pc : registers.x[i]!, true);
    view.setBigInt64(FLOAT + i * 8, registers.f[i]!, true);
  }
  view.setUint32(FCSR, registers.fcsr, true);
  if (!writeUser(linux, process, frame, bytes)) return false;

  signals.maskAfterCall = undefined;
  signals.mask |= action.mask & ~UNBLOCKABLE;
  if ((action.flags & SA_NODEFER) === 0) signals.mask |= maskOf(info.signal);
  if (Math.floor(action.flags / SA_RESETHAND) % 2 === 1) signals.actions.set(info.signal, { ...action, handler: SIG_DFL });
  registers.x[1] = BigInt(trampolineOf(linux, process));
  registers.x[2] = BigInt(frame);
  registers.x[10] = BigInt(info.signal);
  registers.x[11] = BigInt(frame);
  registers.x[12] = BigInt(frame + UCONTEXT);
  registers.pc = BigInt(action.handler);
  return true;
}

/** rt_sigreturn: everything is as the frame at the stack pointer says. @returns false if it cannot be read */
export function popFrame(linux: Linux, process: Process): boolean {
  const { registers } = linux.hart;
  const bytes = readUser(linux, process, Number(registers.x[2]!), FRAME_BYTES);
  if (bytes === undefined) return false;
  const view = viewOf(bytes);
  for (let i = 0; i < 32; i++) {
    const value = view.getBigInt64(GENERAL + i * 8, true);
    if (i === 0) registers.pc = BigInt.asUintN(64, value);
    else registers.x[i] = value;
    registers.f[i] = view.getBigInt64(FLOAT + i * 8, true);
  }
  registers.fcsr = view.getUint32(FCSR, true) & 0xff;
  process.signals.mask = view.getBigUint64(SIGMASK, true) & ~UNBLOCKABLE;
  return true;
}

const isOn = (stack: AlternateStack | undefined, sp: number): boolean =>
  stack !== undefined && stack.address < sp && sp <= stack.address + stack.lengthBytes;

function frameAddress(sp: number, flags: number, stack: AlternateStack | undefined): number {
  const top = stack !== undefined && (flags & SA_ONSTACK) !== 0 && !isOn(stack, sp) ? stack.address + stack.lengthBytes : sp;
  return Math.floor((top - FRAME_BYTES) / 16) * 16;
}

/** struct stack_t. */
export function encodeStack(view: DataView, offset: number, stack: AlternateStack | undefined, sp: number): void {
  view.setBigUint64(offset, BigInt(stack?.address ?? 0), true);
  view.setUint32(offset + 8, stack === undefined ? SS_DISABLE : isOn(stack, sp) ? SS_ONSTACK : 0, true);
  view.setBigUint64(offset + 16, BigInt(stack?.lengthBytes ?? 0), true);
}

function encodeSiginfo(view: DataView, { signal, code, pid, status, address }: SignalInfo): void {
  view.setInt32(0, signal, true);
  view.setInt32(8, code, true);
  if (address !== undefined) view.setBigUint64(16, BigInt.asUintN(64, address), true);
  else view.setInt32(16, pid ?? 0, true);
  if (signal === SIGNALS.SIGCHLD) view.setInt32(24, status ?? 0, true);
}
