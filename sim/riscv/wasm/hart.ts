/**
 * The fast engine: a hart whose loop is a WebAssembly module made from the instruction table.
 *
 * Registers, decoded instructions and the log of accesses lie in linear memory (layout.ts), where the loop works on them. This
 * class is what the loop asks when it cannot go on: it fetches pages, has instructions decoded, asks the machine for memory, and
 * does what is rare. After each question to the machine the loop looks the page being executed up again, so that this hart and
 * the interpreter ask the same.
 */
import { assert, PAGE_BYTES } from '../../../kernel-model/index.ts';
import { readCsr } from '../csr.ts';
import { decode } from '../decode.ts';
import { floatOperation } from '../float.ts';
import type { Hart, HartMemory, Registers, Stop } from '../hart.ts';
import type { AccessBytes } from '../semantics.ts';
import { UserMemory } from '../user-memory.ts';
import { instantiate } from './core.ts';
import { LEFT_FAR, LEFT_STRADDLER, LEFT_UNDECODED } from './loop.ts';
import { DYNAMIC, ENTER_FAR } from './handlers.ts';
import { layoutOf, LOG_RECORD_BYTES, LOG_STORE, type Layout } from './layout.ts';
import { DecodedPages } from './predecode.ts';
import { DONE, FLOAT_NODES, NOWHERE, STOP_BREAKPOINT, STOP_ECALL, STOP_ILLEGAL } from './slow.ts';
import { STOP_MISALIGNED_LOAD, STOP_MISALIGNED_STORE, STOP_REFUSED } from './slow.ts';

export { hartBytes } from './layout.ts';

/** The host compiles the loop better when it has seen it for a while, and changes over when the loop is entered. */
const ENTER_EVERY = 1 << 20;
const RUN_MAX = 2 ** 31 - 1;
const LIMIT: Stop = { why: 'limit' };

export class WasmHart implements Hart {
  readonly registers: Registers;
  private readonly memory: HartMemory;
  private readonly layout: Layout;
  private readonly view: DataView;
  private readonly x: BigInt64Array;
  private readonly floats: BigInt64Array;
  private readonly pages: DecodedPages;
  /** Accesses across pages, and frames to be marked. */
  private readonly user: UserMemory;
  private readonly enter: () => number;
  private refused: Stop = LIMIT;
  /** Instructions retired before the current entry of the loop, and the budget it was given. */
  private before = 0;
  private given = 0;

  /** @param memory - with at least `hartBytes(frames)` reserved, and bytes of the area all 0 */
  constructor(memory: HartMemory) {
    this.memory = memory;
    this.layout = layoutOf(memory);
    const { buffer } = memory.wasm;
    this.view = new DataView(buffer);
    this.x = new BigInt64Array(buffer, this.layout.x, 32);
    this.floats = new BigInt64Array(buffer, this.layout.floats, 3);
    this.registers = registersAt(buffer, this.layout);
    this.user = new UserMemory(memory, (frame) => this.pages.forget(frame));
    this.pages = new DecodedPages(memory, this.layout, (frame) => this.user.markCode(frame));
    memory.onCodeWritten = (frame) => this.pages.forget(frame);
    this.set('logEnd', this.layout.log);
    this.switched();
    this.enter = instantiate(memory.wasm, this.layout, memory.watched, {
      assist: (left) => this.assist(left),
      load: (low, high, bytes) => this.locate(low, high, bytes, 'load'),
      store: (low, high, bytes) => this.locate(low, high, bytes, 'store'),
      float: (operation, rm) => this.float(operation, rm),
      counter: () => this.counter(),
      fenceI: () => this.fenceI(),
      drain: () => this.drain(),
    });
  }

  get retired(): number {
    return this.before + this.given - this.get('budget');
  }

  run(instructionsMax: number): Stop {
    assert(instructionsMax >= 0 && instructionsMax <= RUN_MAX, 'the limit is a count of 31 bits', { instructionsMax });
    this.user.enter();
    this.view.setBigInt64(this.layout.asid, BigInt(this.memory.asid()) << 32n, true);
    this.x[0] = 0n;
    this.registers.pc &= ~1n;
    this.lookUpAgain();
    let status = DONE;
    for (let left = instructionsMax; left > 0 && status === DONE; left -= this.given) {
      this.before = this.retired;
      this.given = Math.min(left, ENTER_EVERY);
      this.set('budget', this.given);
      this.set('op', ENTER_FAR);
      status = this.enter();
    }
    this.drain();
    return this.stopOf(status);
  }

  switched(): void {
    this.view.setBigInt64(this.layout.reservation, -1n, true);
  }

  private stopOf(status: number): Stop {
    switch (status) {
      case DONE:
        return LIMIT;
      case STOP_ECALL:
        return { why: 'ecall' };
      case STOP_BREAKPOINT:
        return { why: 'breakpoint' };
      case STOP_ILLEGAL:
        return { why: 'illegal', word: this.word() };
      case STOP_MISALIGNED_LOAD:
      case STOP_MISALIGNED_STORE:
        return {
          why: 'misaligned',
          access: status === STOP_MISALIGNED_LOAD ? 'load' : 'store',
          address: this.view.getBigUint64(this.layout.address, true),
        };
      default:
        return this.refused;
    }
  }

  /** What the loop cannot do by itself; see loop.ts. */
  private assist(left: number): number {
    if (left === LEFT_FAR) return this.fetchPage();
    if (left === LEFT_UNDECODED) return this.decode();
    if (left === LEFT_STRADDLER) return this.fetchStraddler();
    return this.drain();
  }

  /** Makes the page that pc lies in current. */
  private fetchPage(): number {
    const pc = this.registers.pc;
    const at = this.fetch(pc);
    if (at === NOWHERE) return STOP_REFUSED;
    this.set('decoded', this.pages.pageOf((at - this.memory.frameBase) >>> 12));
    this.view.setBigInt64(this.layout.page, BigInt.asIntN(64, pc & -4096n), true);
    return DONE;
  }

  private decode(): number {
    const page = this.get('decoded');
    if (this.pages.isCurrent(page)) this.pages.decodeFrom(page, this.get('ip'));
    else this.lookUpAgain();
    this.set('op', ENTER_FAR);
    return DONE;
  }

  /** Finds the second half of the instruction at pc, and has it executed. */
  private fetchStraddler(): number {
    const page = this.get('decoded');
    const isThere = this.pages.isCurrent(page) && this.pages.hasStraddler(page);
    const at = isThere ? this.fetch(this.registers.pc + 2n) : 0;
    if (isThere && at !== NOWHERE && this.pages.isCurrent(page)) {
      this.set('op', this.pages.decodeStraddler(page, this.view.getUint16(at, true)));
      return DONE;
    }
    this.set('budget', this.get('budget') + 1);
    this.set('op', ENTER_FAR);
    this.lookUpAgain();
    return at === NOWHERE ? STOP_REFUSED : DONE;
  }

  /** @returns the byte address of an instruction, or NOWHERE */
  private fetch(address: bigint): number {
    this.drain();
    const at = this.user.place(address, 'fetch');
    if (at === NOWHERE) this.refused = this.user.refused!;
    return at;
  }

  /** @returns where the loop loads or stores; what lies in two pages is moved here */
  private locate(low: number, high: number, bytes: number, access: 'load' | 'store'): number {
    this.drain();
    this.lookUpAgain();
    if ((low & (PAGE_BYTES - 1)) + bytes > PAGE_BYTES) return this.move(exact(low, high), bytes as AccessBytes, access);
    const address = (high >>> 0) * 2 ** 32 + (low >>> 0);
    const at = address >= this.memory.userEnd ? 'SIGSEGV' : this.memory.reach(address, access);
    if (typeof at !== 'number') {
      this.refused = { why: 'refused', access, address: exact(low, high), refusal: at };
      return NOWHERE;
    }
    const frame = (at - this.memory.frameBase) >>> 12;
    if (access === 'store' && this.memory.codeFrames[frame] !== 0) this.pages.forget(frame);
    return at;
  }

  /** An access across pages. */
  private move(address: bigint, bytes: AccessBytes, access: 'load' | 'store'): number {
    const { user, view, layout } = this;
    const loaded = access === 'load' ? user.load(address, bytes) : undefined;
    if (loaded !== undefined) view.setBigUint64(layout.bounce, loaded, true);
    else if (access === 'load' || !user.store(address, bytes, view.getBigInt64(layout.value, true))) {
      this.refused = user.refused!;
      return NOWHERE;
    }
    return layout.bounce;
  }

  private float(operation: number, rm: number): number {
    const { name, format, args } = FLOAT_NODES[operation]!;
    const { registers, floats } = this;
    const mode = rm === DYNAMIC ? registers.fcsr >> 5 : rm;
    if (mode > 4) return STOP_ILLEGAL;
    const { bits, flags } = floatOperation(name, format, Array.from(floats.subarray(0, args.length), unsigned), mode);
    floats[0] = bits;
    registers.fcsr |= flags;
    return DONE;
  }

  /** A counter; the other control registers are the loop's. */
  private counter(): number {
    const instruction = decode(this.word());
    assert(instruction !== undefined, 'the slot has an instruction', { word: this.word() });
    const { rd, csr } = instruction;
    this.x[rd] = BigInt(readCsr(csr, { fcsr: this.registers.fcsr, retired: this.retired }));
    return DONE;
  }

  private fenceI(): number {
    this.pages.forgetAll();
    return DONE;
  }

  /** Tells the watcher what is in the log, and empties it. */
  private drain(): number {
    const { view, layout, memory } = this;
    const end = this.get('logEnd');
    for (let at = layout.log; at < end; at += LOG_RECORD_BYTES) {
      const address = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      const kind = view.getInt32(at + 16, true);
      memory.accessed(address, kind & (LOG_STORE - 1), at + 8, kind >= LOG_STORE);
    }
    this.set('logEnd', layout.log);
    return DONE;
  }

  /** The bits of the instruction that is being executed. */
  private word(): number {
    return this.pages.wordAt(this.get('decoded'), this.get('ip'));
  }

  /** The loop shall not hold on to the translation of its page. */
  private lookUpAgain(): void {
    this.view.setBigInt64(this.layout.page, -1n, true);
  }

  private get(word: Word): number {
    return this.view.getInt32(this.layout[word], true);
  }

  private set(word: Word, value: number): void {
    this.view.setInt32(this.layout[word], value, true);
  }
}

/** Words of the loop's state. */
type Word = 'budget' | 'ip' | 'decoded' | 'op' | 'logEnd';

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const exact = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

function registersAt(buffer: ArrayBuffer, layout: Layout): Registers {
  const pc = new BigUint64Array(buffer, layout.pc, 1);
  const fcsr = new Int32Array(buffer, layout.fcsr, 1);
  return {
    x: new BigInt64Array(buffer, layout.x, 32),
    f: new BigInt64Array(buffer, layout.f, 32),
    get pc() {
      return pc[0]!;
    },
    set pc(address) {
      pc[0] = address;
    },
    get fcsr() {
      return fcsr[0]!;
    },
    set fcsr(value) {
      fcsr[0] = value;
    },
  };
}
