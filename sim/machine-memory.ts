/**
 * A machine's memory as machine code sees it: the kernel's linear memory, and the machine for what that alone cannot decide.
 */
import type { Access, Cpu, Kernel, Refusal, WasmMemory } from '../kernel-model/index.ts';
import type { HartMemory } from './riscv/hart.ts';

/** What the machine decides for a hart. */
interface HartSeat {
  asid(): number;
  reachForHart(address: number, access: Access): number | Refusal;
  noteAccess(address: number, width: number, at: number, isStore: boolean): void;
}

export class MachineMemory implements HartMemory {
  readonly wasm: WasmMemory;
  readonly bytes: Uint8Array;
  readonly reserved: number;
  readonly reservedBytes: number;
  readonly frameBase: number;
  readonly frames: number;
  readonly tlb: number;
  readonly tlbEntries: number;
  readonly userEnd: number;
  readonly codeFrames: Uint8Array;
  readonly watched: HartMemory['watched'];
  private readonly seat: HartSeat;
  private readonly kernel: Kernel;

  constructor(seat: HartSeat, kernel: Kernel, cpu: Cpu, watched: HartMemory['watched']) {
    const { memory } = kernel;
    this.seat = seat;
    this.kernel = kernel;
    this.wasm = memory.wasm;
    this.bytes = memory.bytes;
    this.reserved = memory.hartBase;
    this.reservedBytes = memory.frameBase - memory.hartBase;
    this.frameBase = memory.frameBase;
    this.frames = memory.frames;
    this.tlb = cpu.tlb.base;
    this.tlbEntries = cpu.tlb.entries;
    this.userEnd = kernel.design.userEnd;
    this.codeFrames = memory.codeFrames;
    this.watched = watched;
  }

  get onCodeWritten(): ((frame: number) => void) | undefined {
    return this.kernel.memory.onCodeWritten;
  }

  set onCodeWritten(tell: ((frame: number) => void) | undefined) {
    this.kernel.memory.onCodeWritten = tell;
  }

  asid(): number {
    return this.seat.asid();
  }

  reach(address: number, access: Access): number | Refusal {
    return this.seat.reachForHart(address, access);
  }

  accessed(address: number, bytes: number, at: number, isStore: boolean): void {
    this.seat.noteAccess(address, bytes, at, isStore);
  }
}
