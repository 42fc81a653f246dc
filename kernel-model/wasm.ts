/**
 * The part of the WebAssembly API that is used here. The ES library does not declare it, the DOM's may not be used, and a
 * global declaration of our own would meet those of whoever imports the published types.
 */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Compiled code, of no instance yet. */
export interface WasmModule {
  /** Keeps the type from being that of every object. */
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

export type WasmFunction = (...args: number[]) => number;

export interface WasmInstance {
  readonly exports: Readonly<Record<string, WasmFunction>>;
}

type Imports = Readonly<Record<string, Readonly<Record<string, WasmMemory | WasmFunction>>>>;

declare const WebAssembly: {
  /** Sizes are in pages of 64 KiB. */
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: Imports) => WasmInstance;
};

export const wasm = WebAssembly;
