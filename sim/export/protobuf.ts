/**
 * Writes protocol buffers: just what Perfetto's trace needs.
 *
 * A field is its number and wire type as a varint, then its value: 0 a varint, 1 eight bytes, 2 a length and so many bytes.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

const encoder = new TextEncoder();

/** One message under construction. */
export class Message {
  private readonly parts: number[] = [];

  /** A whole number from 0 to 2^53, or a truth. */
  varint(field: number, value: number | boolean): this {
    this.tag(field, VARINT);
    this.push(Number(value));
    return this;
  }

  /** A negative number as int64: two's complement in ten bytes. */
  int64(field: number, value: number): this {
    if (value >= 0) return this.varint(field, value);
    this.tag(field, VARINT);
    for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
      if (rest < 128n) {
        this.parts.push(Number(rest));
        return this;
      }
      this.parts.push(Number(rest & 127n) | 128);
    }
  }

  double(field: number, value: number): this {
    this.tag(field, FIXED64);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.parts.push(...bytes);
    return this;
  }

  text(field: number, value: string): this {
    return this.append(field, encoder.encode(value));
  }

  message(field: number, value: Message): this {
    return this.append(field, value.parts);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.parts);
  }

  private append(field: number, bytes: ArrayLike<number>): this {
    this.tag(field, LENGTH);
    this.push(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.parts.push(bytes[i]!);
    return this;
  }

  private tag(field: number, wireType: number): void {
    this.push(field * 8 + wireType);
  }

  private push(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.parts.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.parts.push(rest);
  }
}
