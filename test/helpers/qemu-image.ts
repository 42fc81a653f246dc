/**
 * An image of code for state-driver.c: pieces at random places, each led into and out of as the driver asks.
 *
 * Places are even, not multiples of four: instructions lie across words, cache lines and pages.
 */
import type { Stream } from '../../sim/prng.ts';
import { clearReservation, EBREAK, jr, ld, sd } from './qemu-words.ts';
import { CODE, CODE_BYTES, EXITS, linkOf } from './qemu-states.ts';

const TRIES_MAX = 1000;

export interface Word {
  readonly word: number;
  readonly bytes: 2 | 4;
}

/** Where a piece of code came to lie. */
export interface Piece {
  /** What the driver calls. */
  readonly entry: number;
  /** The first instruction under test, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

export interface PieceOptions {
  /** Register that the code does not use. */
  readonly pointer: number;
  /** A jump out of the code lands this many bytes from its start. */
  readonly target?: number;
}

export class CodeImage {
  readonly bytes = new Uint8Array(CODE_BYTES);
  /** The same, with a breakpoint wherever code under test ends. */
  readonly withBreakpoints = new Uint8Array(CODE_BYTES);
  private readonly isUsed = new Uint8Array(CODE_BYTES);
  private readonly stream: Stream;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  /** Puts code somewhere. @returns undefined if no place was found for it and its target */
  add(code: readonly Word[], { pointer, target }: PieceOptions): Piece | undefined {
    const link = linkOf(pointer);
    const before = [full(clearReservation(pointer)), full(ld(link, pointer, 8 * link))];
    const lead = length(before);
    const whole = [...before, ...code, ...exit(pointer, 0)];
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const at = 2 * this.stream.int(CODE_BYTES / 2);
      const landing = target === undefined ? undefined : at + lead + target;
      if (!this.isFree(at, length(whole))) continue;
      this.mark(at, length(whole), 1);
      if (landing !== undefined && !this.isFree(landing, EXIT_BYTES)) {
        this.mark(at, length(whole), 0);
        continue;
      }
      this.write(at, whole);
      this.breakAt(at + lead + length(code));
      if (landing !== undefined) {
        this.mark(landing, EXIT_BYTES, 1);
        this.write(landing, exit(pointer, 1));
        this.breakAt(landing);
      }
      return { entry: CODE + at, start: CODE + at + lead, end: CODE + at + lead + length(code) };
    }
    return undefined;
  }

  private isFree(at: number, bytes: number): boolean {
    return at >= 0 && at + bytes <= CODE_BYTES && this.isUsed.subarray(at, at + bytes).every((used) => used === 0);
  }

  private mark(at: number, bytes: number, value: 0 | 1): void {
    this.isUsed.fill(value, at, at + bytes);
  }

  private write(at: number, words: readonly Word[]): void {
    let next = at;
    for (const { word, bytes } of words) {
      for (let i = 0; i < bytes; i++, next++) this.bytes[next] = this.withBreakpoints[next] = word >>> (8 * i);
    }
  }

  private breakAt(at: number): void {
    for (let i = 0; i < 4; i++) this.withBreakpoints[at + i] = EBREAK >>> (8 * i);
  }
}

const EXIT_BYTES = 12;

const full = (word: number): Word => ({ word, bytes: 4 });
const length = (words: readonly Word[]): number => words.reduce((sum, { bytes }) => sum + bytes, 0);

function exit(pointer: number, which: 0 | 1): Word[] {
  const link = linkOf(pointer);
  return [full(sd(link, pointer, 8 * link)), full(ld(link, pointer, 8 * (EXITS + which))), full(jr(link))];
}
