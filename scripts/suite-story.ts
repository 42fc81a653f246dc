/**
 * Writes down what processes do: the ops of a story, a method for each thing that a process does.
 *
 * A BusyBox process starts (crt, musl, the applet table), works (its applet's pages, in an order and at offsets drawn for
 * each process) and ends. It loads function pointers from the first 0x410 bytes of .data, the first of them at once.
 * Loads are where the program has bytes, never in a pad. Pids count up from 2 and are not used twice.
 */
import { createPrng, type Stream } from '../sim/prng.ts';
import type { Op } from '../traces/op.ts';
import { BUSYBOX, type Runner } from './suite-files.ts';
import { bytesIn, pagesOf, START_UP_PAGES } from './suite-pages.ts';
import { shellText, type Command, type Step } from './suite-steps.ts';

type Access = 'r' | 'w' | 'x';

const IMAGE = 0x400000;
const PAGE_BYTES = 0x1000;
/** The part of .data that shares its file page with the last constants: function pointers. */
const POINTERS = { start: 0x51cbf0, end: 0x51d000 } as const;
const DATA = { start: 0x51d000, end: 0x520350 } as const;
const BSS = { start: 0x520360, end: 0x520800 } as const;
/** What read(2) fills and write(2) takes. */
const BUFFER = { start: 0x520800, bytes: 0x1000 } as const;
/** musl asks for two pages: a guard, which it leaves alone here, and the first page of its tables. */
const HEAP = { start: 0x522000, end: 0x524000, tables: 0x523000 } as const;
const STACK = { end: 0xa_0000_0000, programHeaders: 0x9_ffff_f040, top: 0x9_ffff_e9f0, deep: 0x9_ffff_d7e0 } as const;
const MAPPING = { start: 0xa_0000_0000, bytes: 0x4000 } as const;
/** Applets whose buffers are too large for the heap. */
const MAPPERS: ReadonlySet<string> = new Set(['sort', 'tar', 'gzip', 'gunzip', 'awk', 'dd']);

export class Story {
  readonly ops: Op[] = [];
  private nextPid = 2;
  private readonly prng;

  constructor(seed: string) {
    this.prng = createPrng(seed);
  }

  // ---- Processes.

  fork(parent: number): number {
    const child = this.nextPid++;
    this.ops.push({ pid: parent, op: 'fork', child });
    return child;
  }

  exit(pid: number): void {
    this.ops.push({ pid, op: 'exit', status: 0 });
  }

  wait(pid: number, child: number): void {
    this.ops.push({ pid, op: 'wait', child });
  }

  /** A check of the suite begins. */
  mark(name: string, counts: 'ifHeld' | 'never' | undefined): void {
    this.ops.push({ pid: 1, op: 'mark', name, ...(counts === undefined ? {} : { counts }) });
  }

  // ---- A runner.

  startRunner(pid: number, runner: Runner): void {
    const { file, text, data, buffer } = runner;
    this.exec(pid, file.path, [file.path.replace('/bin/', '')]);
    this.touch(pid, 'x', file.entry!, 4);
    this.touch(pid, 'r', STACK.programHeaders, 8);
    this.touch(pid, 'r', data, 8);
    this.touch(pid, 'w', STACK.top, 8);
    this.touch(pid, 'x', text[1]! + 0x40, 4);
    this.touch(pid, 'w', buffer, 8);
  }

  /** Forks a child for each of `commands`, waits for it, reads what it wrote, and writes a line of its own. */
  runAll(pid: number, runner: Runner, commands: readonly Command[]): void {
    const { text, constants, data, buffer } = runner;
    const stream = this.prng.stream('runner');
    for (const command of commands) {
      this.touch(pid, 'x', stream.pick(text) + 8 * stream.int(64), 4);
      this.touch(pid, 'w', STACK.top - 8 * stream.int(16), 8);
      const child = this.fork(pid);
      this.touch(child, 'x', text[0]! + 0x200, 4);
      this.touch(child, 'w', STACK.top - 0x80, 8);
      if (command.program === undefined) this.copy(child, 'copyIn', buffer, 16);
      else this.perform(child, command);
      this.exit(child);
      this.wait(pid, child);
      this.touch(pid, 'r', stream.pick(constants) + 8 * stream.int(64), 8);
      this.copy(pid, 'copyOut', buffer, 8 + stream.int(120));
      this.touch(pid, 'r', buffer, 8);
    }
    this.touch(pid, 'w', data, 8);
    this.copy(pid, 'copyIn', stream.pick(constants), 32);
  }

  // ---- BusyBox.

  /** Becomes a shell that is told to exec `path`, up to but without that exec. */
  startShell(pid: number, path: string): void {
    const stream = this.prng.stream(`process ${pid}`);
    this.start(pid, 'sh', ['sh', '-c', path], stream);
    this.work(pid, 'sh', stream);
  }

  /** Becomes the command's program and does what it does, all but the exit. */
  perform(pid: number, command: Command): void {
    const { program, steps } = command;
    const stream = this.prng.stream(`process ${pid}`);
    if (program === undefined) {
      this.runBuiltin(pid, stream);
      return;
    }
    this.start(pid, program, program === 'sh' ? ['sh', '-c', shellText(command)] : [program], stream);
    this.work(pid, program, stream);
    for (const step of steps) this.performStep(pid, step);
    if (steps.at(-1)?.how !== 'inPlace') this.end(pid, stream);
  }

  private performStep(pid: number, step: Step): void {
    if (step.how === 'inPlace') {
      this.perform(pid, step.command);
      return;
    }
    const started = step.commands.map((command, i) => {
      this.touch(pid, 'w', BSS.start + 8 * i, 8); // the table of jobs
      return { command, child: this.fork(pid) };
    });
    for (const { command, child } of started) {
      this.touch(child, 'w', STACK.top - 0x40, 8);
      this.perform(child, command);
      this.exit(child);
    }
    for (const { child } of started) this.wait(pid, child);
    this.touch(pid, 'r', BSS.start, 8);
  }

  /** Up to main: the first function pointer, musl's start-up, the name table, the heap. */
  private start(pid: number, program: string, argv: readonly string[], stream: Stream): void {
    this.exec(pid, `/bin/${program}`, argv);
    this.touch(pid, 'x', BUSYBOX.entry!, 4);
    this.touch(pid, 'r', POINTERS.start, 8);
    this.touch(pid, 'r', STACK.programHeaders, 8);
    this.touch(pid, 'w', STACK.top, 8);
    this.visit(pid, START_UP_PAGES, stream);
    this.touch(pid, 'w', within(DATA, stream), 8);
    this.touch(pid, 'w', within(BSS, stream), 8);
    this.ops.push({ pid, op: 'brk', addr: 0, result: HEAP.start }, { pid, op: 'brk', addr: HEAP.end, result: HEAP.end });
    this.touch(pid, 'w', HEAP.tables, 8);
  }

  /** The applet: its pages, more pointers, its variables, and a few copies by the kernel. */
  private work(pid: number, program: string, stream: Stream): void {
    const pages = pagesOf(program);
    this.copy(pid, 'copyIn', pageStart(pages.constants[0]!), 24); // a path
    this.visit(pid, pages, stream);
    for (let i = 0; i < 3; i++) this.touch(pid, 'r', within(POINTERS, stream), 8);
    for (let i = 0; i < 2; i++) this.touch(pid, 'r', within(DATA, stream), 8);
    this.touch(pid, 'w', within(DATA, stream), 8);
    this.touch(pid, 'w', STACK.deep, 8);
    this.copy(pid, 'copyOut', STACK.deep - 0x100, 144); // a struct stat
    this.touch(pid, 'r', STACK.deep - 0x100, 8);
    if (MAPPERS.has(program)) this.useMapping(pid, stream);
    const length = 8 + stream.int(BUFFER.bytes - 8);
    this.copy(pid, 'copyOut', BUFFER.start, length);
    this.touch(pid, 'r', BUFFER.start, 8);
    this.touch(pid, 'r', HEAP.tables, 8);
    this.copy(pid, 'copyIn', BUFFER.start, length);
  }

  private useMapping(pid: number, stream: Stream): void {
    const { start, bytes } = MAPPING;
    this.ops.push({ pid, op: 'mmap', addr: 0, length: bytes, prot: 'rw', flags: ['private', 'anonymous'], result: start });
    this.copy(pid, 'copyOut', start, 512 + stream.int(bytes - 512));
    this.touch(pid, 'r', start + 8 * stream.int(64), 8);
    this.touch(pid, 'w', start + bytes - 8, 8);
    this.ops.push({ pid, op: 'munmap', addr: start, length: bytes });
  }

  private end(pid: number, stream: Stream): void {
    this.touch(pid, 'r', within(POINTERS, stream), 8);
    this.touch(pid, 'w', within(BSS, stream), 8);
    this.touch(pid, 'x', pageStart(START_UP_PAGES.exit), 4);
  }

  /** A forked shell does something itself: a few of its pages, one line written. */
  private runBuiltin(pid: number, stream: Stream): void {
    this.visit(pid, { text: pagesOf('sh').text.slice(0, 4), constants: [] }, stream);
    this.touch(pid, 'r', within(POINTERS, stream), 8);
    this.touch(pid, 'w', BUFFER.start, 8);
    this.copy(pid, 'copyIn', BUFFER.start, 8 + stream.int(56));
  }

  // ---- Ops.

  /** Fetches from the pages of text in a drawn order, and loads from the constants in between. */
  private visit(pid: number, pages: { readonly text: readonly number[]; readonly constants: readonly number[] }, stream: Stream): void {
    const text = shuffled(pages.text, stream);
    const constants = shuffled(pages.constants, stream);
    for (let i = 0; i < Math.max(text.length, constants.length); i++) {
      if (i < text.length) this.touch(pid, 'x', placeIn(text[i]!, 4, stream), 4);
      if (i < constants.length) this.touch(pid, 'r', placeIn(constants[i]!, 8, stream), 8);
    }
  }

  private exec(pid: number, path: string, argv: readonly string[]): void {
    this.ops.push({ pid, op: 'exec', path, argv: [...argv], stack: STACK.end });
  }

  private touch(pid: number, access: Access, addr: number, width: 4 | 8): void {
    this.ops.push({ pid, op: 'touch', addr, access, width });
  }

  private copy(pid: number, op: 'copyIn' | 'copyOut', addr: number, length: number): void {
    this.ops.push({ pid, op, addr, length });
  }
}

const pageStart = (page: number): number => IMAGE + page * PAGE_BYTES;

/** An aligned address in a page where the file has bytes. */
const placeIn = (page: number, width: number, stream: Stream): number =>
  pageStart(page) + width * stream.int(Math.floor(bytesIn(page) / width));

/** An address of 8 bytes in [start, end). */
const within = ({ start, end }: { readonly start: number; readonly end: number }, stream: Stream): number =>
  start + 8 * stream.int((end - start) / 8);

function shuffled<T>(list: readonly T[], stream: Stream): readonly T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = stream.int(i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
