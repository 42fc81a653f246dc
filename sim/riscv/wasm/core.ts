/**
 * The WebAssembly module of the engine: the loop, the function for single instructions, and what joins them.
 *
 * It depends on the layout of one machine's memory and on what is watched, and is compiled once for each such pair in a process.
 */
import { wasm, type WasmMemory, type WasmModule } from '../../../kernel-model/index.ts';
import { fastLoop } from './fast-loop.ts';
import { LEFT_LIMIT, LEFT_SLOW, type Watched } from './loop.ts';
import type { Layout } from './layout.ts';
import { assembleModule, Code } from './module-writer.ts';
import { I32, I64 } from './opcodes.ts';
import { DONE, locate, slowFunction } from './slow.ts';

/** What the host offers. Each is called with the state in memory, and may change it. */
export interface Host {
  /** Deals with a LEFT_… other than LEFT_LIMIT and LEFT_SLOW. @returns DONE or a STOP_… */
  readonly assist: (left: number) => number;
  /** Finds what a load or store concerns; the address comes in two halves. @returns its byte address, or NOWHERE */
  readonly load: (low: number, high: number, bytes: number) => number;
  readonly store: (low: number, high: number, bytes: number) => number;
  readonly float: (operation: number, rm: number) => number;
  /** Reads a counter into rd. */
  readonly counter: () => number;
  readonly fenceI: () => number;
  /** Empties the log. */
  readonly drain: () => number;
}

const IMPORTS = [
  { name: 'assist', parameters: [I32], results: [I32] },
  { name: 'load', parameters: [I32, I32, I32], results: [I32] },
  { name: 'store', parameters: [I32, I32, I32], results: [I32] },
  { name: 'float', parameters: [I32, I32], results: [I32] },
  { name: 'counter', parameters: [], results: [I32] },
  { name: 'fenceI', parameters: [], results: [I32] },
  { name: 'drain', parameters: [], results: [I32] },
] as const;

type ImportName = (typeof IMPORTS)[number]['name'];
const indexOf = (name: ImportName): number => IMPORTS.findIndex((one) => one.name === name);

const FAST = IMPORTS.length;
const SLOW = FAST + 1;
const LOCATE_LOAD = FAST + 2;
const LOCATE_STORE = FAST + 3;

const compiled = new Map<string, WasmModule>();

/** @returns the function that runs until the budget is used up or something stops it: 0, or a STOP_… */
export function instantiate(memory: WasmMemory, layout: Layout, watched: Watched, host: Host): () => number {
  const memoryPages = memory.buffer.byteLength / 65536;
  const key = JSON.stringify([memoryPages, layout, watched]);
  let module = compiled.get(key);
  if (module === undefined) {
    module = new wasm.Module(moduleBytes(memoryPages, layout, watched));
    compiled.set(key, module);
  }
  const { run } = new wasm.Instance(module, { host: { ...host, memory } }).exports;
  return run!;
}

function moduleBytes(memoryPages: number, layout: Layout, watched: Watched): Uint8Array {
  const callees = {
    locateLoad: LOCATE_LOAD,
    locateStore: LOCATE_STORE,
    float: indexOf('float'),
    counter: indexOf('counter'),
    fenceI: indexOf('fenceI'),
    drain: indexOf('drain'),
  };
  const toStatus = { parameters: [], results: [I32] };
  const toPlace = { parameters: [I64, I32], results: [I32] };
  return assembleModule({
    imports: IMPORTS,
    functions: [
      { ...toStatus, code: fastLoop(layout, watched) },
      { ...toStatus, code: slowFunction(layout, watched, callees) },
      { ...toPlace, code: locate(layout, 'load', indexOf('load')) },
      { ...toPlace, code: locate(layout, 'store', indexOf('store')) },
      { ...toStatus, name: 'run', code: runFunction() },
    ],
    memoryPages,
  });
}

/** Lets the loop run and deals with what it leaves, until that stops or the budget is used up. */
function runFunction(): Code {
  const code = new Code();
  const left = code.local(I32);
  const again = code.loop();
  code.call(FAST).tee(left).i32(LEFT_SLOW).op('i32.eq').if().call(SLOW).set(left).op('else');
  code.get(left).i32(LEFT_LIMIT).op('i32.eq').if().i32(DONE).op('return', 'end');
  code.get(left).call(indexOf('assist')).set(left).op('end');
  code.get(left).op('i32.eqz').brIf(again).op('end');
  return code.get(left).op('end');
}
