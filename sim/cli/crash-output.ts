/**
 * What is said of programs that crashed: the report of the small Linux, and the instructions around the one that failed.
 *
 * The instructions are read from memory as the program saw it, just before it is gone: a page that the kernel filled wrongly shows.
 */
import { frameOfPte, isValid, pageOffset, pfn, pid, vpnOf, type Kernel } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import { describeCrash, type CrashReport } from '../linux/crash-report.ts';
import type { LiveMachine } from '../live.ts';
import { disassembleWord } from '../riscv/disassemble.ts';
import type { Watcher } from '../watcher.ts';

/** Bytes looked at on either side of the instruction. */
const AROUND_BYTES = 16;

export class CrashWitness implements Watcher {
  private readonly live: LiveMachine;
  private readonly code = new Map<number, readonly string[]>();

  constructor(live: LiveMachine) {
    this.live = live;
    live.machine.watch(this);
  }

  /** The process is on the CPU, and its memory is still there. */
  readonly before = (op: Op): void => {
    if (op.op !== 'exit' || op.signal === undefined) return;
    const { machine, hart } = this.live;
    this.code.set(op.pid, codeLines(machine.kernel, op.pid, BigInt.asUintN(64, hart.registers.pc)));
  };

  lines(crash: CrashReport): string[] {
    return [...describeCrash(crash).split('\n'), 'code:', ...(this.code.get(crash.pid) ?? []).map((line) => `  ${line}`)];
  }
}

/** The instructions around `pc`, which is marked; only those whose bytes are mapped. */
function codeLines(kernel: Kernel, process: number, pc: bigint): string[] {
  const at = Number(pc);
  const read = (address: number): number | undefined => halfwordAt(kernel, process, address);
  if (!Number.isSafeInteger(at) || read(at) === undefined) return [`> 0x${pc.toString(16)}  is not mapped`];
  const starts = Array.from({ length: AROUND_BYTES / 2 }, (_, i) => at - AROUND_BYTES + 2 * i);
  const start = starts.find((from) => landsOn(from, at, read)) ?? at;
  const lines: string[] = [];
  for (let address = start; address < at + AROUND_BYTES;) {
    const word = wordAt(address, read);
    if (word === undefined) break;
    const text = disassembleWord(word, BigInt(address)).replace('\t', ' ');
    lines.push(`${address === at ? '>' : ' '} 0x${address.toString(16)}  ${text}`);
    address += lengthOf(word);
  }
  return lines;
}

type ReadHalfword = (address: number) => number | undefined;

const lengthOf = (word: number): number => ((word & 3) === 3 ? 4 : 2);

function wordAt(address: number, read: ReadHalfword): number | undefined {
  const low = read(address);
  if (low === undefined || (low & 3) !== 3) return low;
  const high = read(address + 2);
  return high === undefined ? undefined : (low | (high << 16)) >>> 0;
}

/** Does an instruction begin at `to` if one begins at `from`? */
function landsOn(from: number, to: number, read: ReadHalfword): boolean {
  let at = from;
  while (at < to) {
    const word = wordAt(at, read);
    if (word === undefined) return false;
    at += lengthOf(word);
  }
  return at === to;
}

function halfwordAt(kernel: Kernel, process: number, address: number): number | undefined {
  const [low, high] = [byteAt(kernel, process, address), byteAt(kernel, process, address + 1)];
  return low === undefined || high === undefined ? undefined : low | (high << 8);
}

function byteAt({ processes, tables, memory }: Kernel, process: number, address: number): number | undefined {
  const space = processes.get(pid(process))?.space;
  const entry = space === undefined || address < 0 || address >= 2 ** 47 ? 0 : tables.entryOf(space.root, vpnOf(address));
  return isValid(entry) ? memory.bytes[memory.byteOf(pfn(frameOfPte(entry))) + pageOffset(address)] : undefined;
}
