/**
 * A small WebAssembly assembler: bytes of one function body (`Code`), and of a module made of such bodies (`assembleModule`).
 *
 * It knows the binary format and nothing else: no validation (the host's compiler does that when the module is made), and only
 * what the engine needs: functions, one imported memory, imported and exported functions. Labels are depths; `Code` counts the
 * open blocks so that a branch can name the block it means.
 */
import { ACCESS, PLAIN, SATURATING, VOID, type AccessName, type Plain, type Saturating } from './opcodes.ts';

/** An open block, as `block` and `loop` give it: what a branch goes to. */
export type Label = number & { readonly unit: 'label' };

export class Code {
  readonly bytes: number[] = [];
  /** Types of the locals behind the parameters. */
  readonly locals: number[] = [];
  private readonly parameters: number;
  private depth = 0;

  constructor(parameters = 0) {
    this.parameters = parameters;
  }

  /** A new local. @returns its index */
  local(type: number): number {
    return this.parameters + this.locals.push(type) - 1;
  }

  op(...names: readonly Plain[]): this {
    for (const name of names) {
      this.bytes.push(PLAIN[name]);
      if (name === 'end') this.depth--;
    }
    return this;
  }

  saturate(name: Saturating): this {
    this.bytes.push(0xfc, SATURATING[name]);
    return this;
  }

  get(local: number): this {
    return this.indexed(0x20, local);
  }

  set(local: number): this {
    return this.indexed(0x21, local);
  }

  tee(local: number): this {
    return this.indexed(0x22, local);
  }

  call(functionIndex: number): this {
    return this.indexed(0x10, functionIndex);
  }

  i32(value: number): this {
    this.bytes.push(0x41);
    writeSigned(this.bytes, BigInt(value | 0));
    return this;
  }

  i64(value: bigint | number): this {
    this.bytes.push(0x42);
    writeSigned(this.bytes, BigInt.asIntN(64, BigInt(value)));
    return this;
  }

  f64(value: number): this {
    this.bytes.push(0x44, ...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  f32(value: number): this {
    this.bytes.push(0x43, ...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  /** A load or store at the address on the stack plus `offset`; guest data may be misaligned, which costs nothing to promise. */
  access(name: AccessName, offset = 0): this {
    const [opcode, alignment] = ACCESS[name];
    this.bytes.push(opcode, alignment);
    writeUnsigned(this.bytes, offset);
    return this;
  }

  block(type = VOID): Label {
    return this.open(0x02, type);
  }

  loop(type = VOID): Label {
    return this.open(0x03, type);
  }

  if(type = VOID): this {
    this.open(0x04, type);
    return this;
  }

  br(label: Label): this {
    return this.indexed(0x0c, this.depth - label);
  }

  brIf(label: Label): this {
    return this.indexed(0x0d, this.depth - label);
  }

  /** Goes to `labels[index on the stack]`, or to `otherwise` past their end. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.bytes.push(0x0e);
    writeUnsigned(this.bytes, labels.length);
    for (const label of [...labels, otherwise]) writeUnsigned(this.bytes, this.depth - label);
    return this;
  }

  private open(opcode: number, type: number): Label {
    this.bytes.push(opcode, type);
    return ++this.depth as Label;
  }

  private indexed(opcode: number, index: number): this {
    this.bytes.push(opcode);
    writeUnsigned(this.bytes, index);
    return this;
  }
}

export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ModuleParts {
  /** Imported functions; they have the indices from 0 on. The memory is imported as `host.memory`. */
  readonly imports: readonly (Signature & { readonly name: string })[];
  /** Own functions; their indices follow. Those with a name are exported. */
  readonly functions: readonly (Signature & { readonly name?: string; readonly code: Code })[];
  /** Size of the imported memory, in units of 64 KiB. */
  readonly memoryPages: number;
}

const FUNCTION = 0;
const MEMORY = 2;

/** The module's bytes. Imports come from a module called `host`. */
export function assembleModule({ imports, functions, memoryPages }: ModuleParts): Uint8Array {
  const all = [...imports, ...functions];
  const types = all.map(({ parameters, results }) => join([0x60], vector(parameters.map(one)), vector(results.map(one))));
  const limits = join([1], unsigned(memoryPages), unsigned(memoryPages));
  const imported = [
    join(text('host'), text('memory'), [MEMORY], limits),
    ...imports.map(({ name }, index) => join(text('host'), text(name), [FUNCTION], unsigned(index))),
  ];
  const declared = functions.map((_, index) => unsigned(imports.length + index));
  const exported = functions.flatMap(({ name }, index) =>
    name === undefined ? [] : [join(text(name), [FUNCTION], unsigned(imports.length + index))],
  );
  const bodies = functions.map(({ code }) => body(code));
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const sections = (
    [
      [1, types],
      [2, imported],
      [3, declared],
      [7, exported],
      [10, bodies],
    ] as const
  ).map(([id, items]) => section(id, items));
  return Uint8Array.from(join(header, ...sections));
}

function body(code: Code): number[] {
  const locals = vector(code.locals.map((type) => [1, type]));
  return join(unsigned(locals.length + code.bytes.length), locals, code.bytes);
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items);
  return join([id], unsigned(content.length), content);
}

function vector(items: readonly (readonly number[])[]): number[] {
  return join(unsigned(items.length), ...items);
}

function text(name: string): number[] {
  return vector(Array.from(name, (letter) => [letter.charCodeAt(0)]));
}

const join = (...parts: readonly (readonly number[])[]): number[] => ([] as number[]).concat(...parts);
const one = (byte: number): number[] => [byte];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  writeUnsigned(bytes, value);
  return bytes;
}

/** LEB128 of a 32-bit number. */
function writeUnsigned(bytes: number[], value: number): void {
  let rest = value >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

/** Signed LEB128. */
function writeSigned(bytes: number[], value: bigint): void {
  for (let rest = value; ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) {
      bytes.push(low);
      return;
    }
    bytes.push(low | 0x80);
  }
}
