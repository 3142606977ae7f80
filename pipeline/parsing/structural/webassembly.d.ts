/** The part of the WebAssembly JavaScript API (W3C) that is used here; Node's types leave it out. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(limits: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: { env: Record<string, Memory | (() => void)> });
    readonly exports: Record<string, unknown>;
  }
}
