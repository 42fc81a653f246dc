/**
 * Digests of what a run did and of what it holds: 64-bit xxHash over a canonical byte stream.
 *
 * The same writes give the same 16 digits on every platform: numbers are little-endian, a text is its UTF-16 units, and what
 * has no fixed length is preceded by its length, so that `text('ab'), text('c')` and `text('a'), text('bc')` differ. Writes carry
 * no type: writer and reader agree on an order. Not for secrets: xxHash resists chance, not intent.
 */
import xxhash from 'xxhash-wasm';

export interface Hasher {
  /** Adds a whole number in [0, 2^32). */
  u32(value: number): void;
  /** Adds any number by its 64 bits; all NaN are one, 0 and -0 are two. For addresses above 2^32 this is exact up to 2^53. */
  f64(value: number): void;
  /** Adds the length and the bytes. */
  bytes(bytes: Uint8Array): void;
  /** Adds the length and the UTF-16 units. */
  text(text: string): void;
  /** The digest of all writes so far, 16 hex digits. The hasher can be written to further: a chain of digests is one hasher read often. */
  digest(): string;
}

export interface Digester {
  /** A new hasher, with nothing written to it. */
  create(): Hasher;
}

/** Loads the WebAssembly module once; everything after that is synchronous. */
export async function createDigester(): Promise<Digester> {
  const api = await xxhash();
  return { create: () => new BufferedHasher(api.create64()) };
}

const SCRATCH_BYTES = 4096;
/** A write of this length or more goes to xxHash directly, past the scratch buffer. */
const DIRECT_BYTES = 512;
const LITTLE_ENDIAN = true;

/** Collects small writes, so that one call into WebAssembly pays for a thousand of them. */
class BufferedHasher implements Hasher {
  readonly #xxhash: { update(bytes: Uint8Array): unknown; digest(): bigint };
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #view = new DataView(this.#scratch.buffer);
  #usedBytes = 0;

  constructor(xxhash: { update(bytes: Uint8Array): unknown; digest(): bigint }) {
    this.#xxhash = xxhash;
  }

  u32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`u32(value): a whole number below 2^32, not ${value}`);
    if (this.#usedBytes > SCRATCH_BYTES - 4) this.#flush();
    this.#view.setUint32(this.#usedBytes, value, LITTLE_ENDIAN);
    this.#usedBytes += 4;
  }

  f64(value: number): void {
    if (this.#usedBytes > SCRATCH_BYTES - 8) this.#flush();
    if (Number.isNaN(value)) this.#view.setBigUint64(this.#usedBytes, 0x7ff8_0000_0000_0000n, LITTLE_ENDIAN);
    else this.#view.setFloat64(this.#usedBytes, value, LITTLE_ENDIAN);
    this.#usedBytes += 8;
  }

  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    if (bytes.length >= DIRECT_BYTES) {
      this.#flush();
      this.#xxhash.update(bytes);
      return;
    }
    if (this.#usedBytes > SCRATCH_BYTES - bytes.length) this.#flush();
    this.#scratch.set(bytes, this.#usedBytes);
    this.#usedBytes += bytes.length;
  }

  text(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) {
      if (this.#usedBytes > SCRATCH_BYTES - 2) this.#flush();
      this.#view.setUint16(this.#usedBytes, text.charCodeAt(i), LITTLE_ENDIAN);
      this.#usedBytes += 2;
    }
  }

  digest(): string {
    this.#flush();
    return this.#xxhash.digest().toString(16).padStart(16, '0');
  }

  #flush(): void {
    if (this.#usedBytes === 0) return;
    this.#xxhash.update(this.#scratch.subarray(0, this.#usedBytes));
    this.#usedBytes = 0;
  }
}
