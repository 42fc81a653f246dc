/**
 * execve: which file runs, with which arguments, and what of the process survives.
 *
 * Scripts are followed through `#!` up to four times, with at most one argument. Arguments and environment are bytes in memory and
 * UTF-8 texts in the op; bytes that are no UTF-8 become U+FFFD. Together with the tables they must fit into the stack
 * that the kernel's design gives, else E2BIG.
 *
 * @see execve(2); Linux fs/binfmt_script.c
 */
import { isElf, loadRequest, MACHINE_RISCV, parseElf, planExec } from '../../kernel-model/index.ts';
import { toErrno, type Errno } from './errno.ts';
import type { Inode, RegularFile } from './fs/inode.ts';
import { pathOf, type Origin, type Place } from './fs/tree.ts';
import type { Linux } from './linux.ts';
import { nameOf, textOf } from './names.ts';
import { commOf, type Process } from './process.ts';
import { SIG_IGN } from './signal-numbers.ts';

const SCRIPT_DEPTH_MAX = 4;
const SCRIPT_LINE_BYTES_MAX = 255;
const HEADER_BYTES = 4096;
const ANY_EXECUTE = 0o111;

export interface Execution {
  /** As given: bytes. */
  readonly path: string;
  /** Texts. */
  readonly args: readonly string[];
  readonly env: readonly string[];
}

interface Chosen {
  readonly file: RegularFile;
  readonly path: string;
  readonly args: readonly string[];
}

/** Replaces the program of the process that is on the CPU. @returns 0 when the new program is ready to run */
export function execute(linux: Linux, process: Process, { path, args, env }: Execution): 0 | Errno {
  const chosen = choose(linux, process, path, args, 0);
  if (typeof chosen === 'string') return chosen;
  const { kernel } = linux.machine;
  registerInterpreter(linux, process, chosen.file);
  const known = linux.programs.register(chosen.file, textOf(chosen.path));
  if (known === undefined) return 'ENOMEM';
  const request = loadRequest(kernel.files, kernel.design.userEnd, known, chosen.args, env);
  if (typeof request === 'string') return request;
  const plan = planExec(kernel.design, request);
  if (typeof plan === 'string') return plan;
  const result = linux.machine.perform({ pid: process.pid, op: 'exec', path: known, argv: [...chosen.args], env: [...env] });
  if (typeof result === 'string') return toErrno(result);
  linux.hart.switched();
  setRegisters(linux, plan.entry, plan.stackPointer);
  becomeProgram(process, chosen, commOf(path.slice(path.lastIndexOf('/') + 1)));
  return 0;
}

/** Registers of a fresh program: all zero but where it starts. */
function setRegisters({ hart: { registers } }: Linux, entry: number, stackPointer: number): void {
  registers.x.fill(0n);
  registers.f.fill(0n);
  registers.fcsr = 0;
  registers.x[2] = BigInt(stackPointer);
  registers.pc = BigInt(entry);
}

/** @param comm - the last part of the path that execve was given: of a script its own name */
function becomeProgram(process: Process, { file, path, args }: Chosen, comm: string): void {
  if (process.exe !== undefined) process.exe.inode.runners--;
  file.runners++;
  process.exe = { inode: file, path };
  process.args = args;
  process.comm = comm;
  process.fds.closeOnExec();
  process.borrowsSpace = false;
  process.tidAddress = 0;
  const { signals } = process;
  for (const [signal, { handler }] of [...signals.actions]) if (handler !== SIG_IGN) signals.actions.delete(signal);
  signals.alternateStack = undefined;
}

/** Finds the program that `path` means, through scripts. */
function choose(linux: Linux, process: Process, path: string, args: readonly string[], depth: number): Chosen | Errno {
  const place = linux.tree.walk(process, path, 'follow');
  if (typeof place === 'string') return place;
  const file = executable(place.inode);
  if (typeof file === 'string') return file;
  const head = file.content.read(0, HEADER_BYTES);
  if (isElf(head)) {
    const image = parseElf(head, file.content.size);
    const isForThisMachine = 'machine' in image && image.machine === MACHINE_RISCV;
    return isForThisMachine ? { file, path: realPath(linux, process, place, file), args } : 'ENOEXEC';
  }
  const line = scriptLine(head);
  if (line === undefined) return 'ENOEXEC';
  if (depth === SCRIPT_DEPTH_MAX) return 'ELOOP';
  const words = [line.interpreter, ...(line.argument === undefined ? [] : [line.argument])].map(textOf);
  return choose(linux, process, line.interpreter, [...words, textOf(path), ...args.slice(1)], depth + 1);
}

function executable(inode: Inode | undefined): RegularFile | Errno {
  if (inode === undefined) return 'ENOENT';
  return inode.kind === 'file' && (inode.mode & ANY_EXECUTE) !== 0 ? inode : 'EACCES';
}

/** The path by which /proc and the kernel know a program: its own, also if a link of /proc led to it. */
function realPath(linux: Linux, process: Process, { directory, name, inode }: Place, file: RegularFile): string {
  if (directory.entries.get(name) !== inode) {
    const runner = [...linux.processes.values()].find(({ exe }) => exe?.inode === file);
    if (runner?.exe !== undefined) return runner.exe.path;
  }
  const parent = pathOf(process.root, directory) ?? '';
  return `${parent === '/' ? '' : parent}/${name}`;
}

interface ScriptLine {
  readonly interpreter: string;
  readonly argument: string | undefined;
}

/** The first line of a script, or undefined: `#!`, the interpreter, and the rest as one argument. */
function scriptLine(head: Uint8Array): ScriptLine | undefined {
  const text = nameOf(head.subarray(0, SCRIPT_LINE_BYTES_MAX));
  if (!text.startsWith('#!')) return undefined;
  const found = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/.exec(text.slice(2).split('\n')[0]!.replace(/\0.*$/s, ''));
  return found === null ? undefined : { interpreter: found[1]!, argument: found[2] === '' ? undefined : found[2] };
}

/** The kernel looks the ELF interpreter up by its path, so the file that is there now must be known to it. */
function registerInterpreter(linux: Linux, origin: Origin, file: RegularFile): void {
  const image = parseElf(file.content.read(0, HEADER_BYTES), file.content.size);
  if ('field' in image || image.interp === undefined) return;
  const path = nameOf(file.content.read(image.interp.offset, image.interp.lengthBytes)).replace(/\0.*$/s, '');
  const found = linux.tree.find(origin, path);
  if (typeof found !== 'string' && found.kind === 'file') linux.programs.register(found, textOf(path));
}
