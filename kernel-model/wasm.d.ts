/** The one name of the WebAssembly API that the model uses; the ES library does not declare it, and the DOM's may not be used. */
declare class WasmMemory {
  constructor(descriptor: { readonly initial: number; readonly maximum: number });
  readonly buffer: ArrayBuffer;
}

declare const WebAssembly: { readonly Memory: typeof WasmMemory };
