/** The one name of the WebAssembly API that the model uses; the ES library does not declare it, and the DOM's may not be used. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
}
