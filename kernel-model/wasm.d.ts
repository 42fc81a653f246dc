/** The names of the WebAssembly API that are used here; the ES library does not declare it, and the DOM's may not be used. */
declare class WasmMemory {
  constructor(descriptor: { readonly initial: number; readonly maximum: number });
  readonly buffer: ArrayBuffer;
}

/** Compiled code, of no instance yet. */
declare class WasmModule {
  constructor(bytes: Uint8Array);
  /** Keeps the type from being that of every object. */
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

type WasmFunction = (...args: number[]) => number;

declare class WasmInstance {
  constructor(module: WasmModule, imports: Readonly<Record<string, Readonly<Record<string, WasmMemory | WasmFunction>>>>);
  readonly exports: Readonly<Record<string, WasmFunction>>;
}

declare const WebAssembly: {
  readonly Memory: typeof WasmMemory;
  readonly Module: typeof WasmModule;
  readonly Instance: typeof WasmInstance;
};
