/**
 * Virtual time: nanoseconds since boot are retired instructions, scaled, plus the sleeps that were skipped.
 */
export class Clock {
  private readonly retired: () => number;
  private readonly nsPerInstruction: number;
  private readonly bootTime: bigint;
  private skippedNs = 0;
  /** Difference that clock_settime made, in nanoseconds. */
  private adjustedNs = 0n;

  /** @param bootTime - nanoseconds since 1970 at boot */
  constructor(retired: () => number, nsPerInstruction: number, bootTime: bigint) {
    this.retired = retired;
    this.nsPerInstruction = nsPerInstruction;
    this.bootTime = bootTime;
  }

  /** Nanoseconds since boot; never goes back. */
  now(): number {
    return this.retired() * this.nsPerInstruction + this.skippedNs;
  }

  /** Nanoseconds since 1970. */
  realTime(): bigint {
    return this.bootTime + this.adjustedNs + BigInt(this.now());
  }

  setRealTime(ns: bigint): void {
    this.adjustedNs += ns - this.realTime();
  }

  /** Seconds since 1970 at boot. */
  bootSeconds(): number {
    return Number(this.bootTime / 1_000_000_000n);
  }

  /** Everybody sleeps: time goes on to `at`, if that is later. */
  skipTo(at: number): void {
    this.skippedNs += Math.max(0, at - this.now());
  }

  /** The least count of instructions that makes it `at`, at least 1. */
  instructionsUntil(at: number): number {
    return Math.max(1, Math.ceil((at - this.now()) / this.nsPerInstruction));
  }

  /** Nanoseconds that so many instructions take. */
  span(instructions: number): number {
    return instructions * this.nsPerInstruction;
  }
}
