/**
 * A guest that misbehaves, and what has to become of it: the same on both engines, with nothing leaked and nothing for the
 * checker to find, and where qemu can do it too, the same there.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ENGINES } from '../../../sim/live.ts';
import { emulate, skipUnlessQemu, workDirectory } from '../../helpers/qemu.ts';
import { runLive, type LiveOptions, type LiveOutcome } from '../../helpers/live.ts';
import { tinyElf, type TinyProgram } from '../../helpers/tiny-elf.ts';

/** An exit status, a signal's name, or why the run ended before the program did. */
export type Ending = number | `SIG${string}` | 'limit' | 'deadlock';

export interface Guest extends TinyProgram {
  readonly becomes: Ending;
  readonly prints?: string;
  /** Address of the instruction that ended it. */
  readonly pc?: bigint;
  /** Address that it could not reach. */
  readonly reached?: bigint;
  readonly options?: LiveOptions;
  /** Why qemu is not asked. */
  readonly notUnderQemu?: string;
}

/** Memory for small guests: quick to set up and soon exhausted. */
export const SMALL = { frames: 2048 } as const;

export const endingOf = ({ result, status, signal }: LiveOutcome): Ending | LiveOutcome['result'] =>
  result === 'ended' ? (status ?? (signal as Ending)) : result;

/** Runs a program on both engines, and expects that nothing tells them apart and that the kernel is in order. */
export function runOnBoth(elf: Uint8Array, options: LiveOptions = {}): LiveOutcome {
  const [first, ...others] = ENGINES.map((engine) => runLive(elf, { parameters: SMALL, ...options, engine }));
  for (const other of others) expect(other).to.deep.equal(first);
  expectOrder(first!);
  return first!;
}

/** Nothing was found, nothing has leaked. */
export function expectOrder({ findings, leakedFrames }: LiveOutcome): void {
  expect(findings).to.deep.equal([]);
  expect(leakedFrames).to.equal(0);
}

/** One test a guest, and one that asks qemu about all of them. */
export function describeGuests(title: string, guests: Readonly<Record<string, Guest>>): void {
  describe(title, () => {
    for (const [name, guest] of Object.entries(guests)) {
      it(`${name}: ${String(guest.becomes)}`, () => {
        const outcome = runOnBoth(tinyElf(guest), guest.options);
        expect(endingOf(outcome)).to.equal(guest.becomes);
        if (guest.prints !== undefined) expect(outcome.stdout).to.equal(guest.prints);
        const [crash] = outcome.crashes;
        if (guest.pc !== undefined) expect(crash?.pc).to.equal(guest.pc);
        if (guest.reached !== undefined) expect(crash?.address).to.equal(guest.reached);
      });
    }

    it('ends as under qemu', function () {
      skipUnlessQemu(this);
      for (const [name, guest] of Object.entries(guests)) {
        if (guest.notUnderQemu !== undefined) continue;
        const path = join(workDirectory(), 'guest');
        writeFileSync(path, tinyElf(guest), { mode: 0o755 });
        const { exitCode, signal, stdout } = emulate(path);
        expect(exitCode ?? signal, name).to.equal(guest.becomes);
        if (guest.prints !== undefined) expect(new TextDecoder().decode(stdout), name).to.equal(guest.prints);
      }
    });
  });
}

/** Numbers of system calls in asm-generic/unistd.h. */
export const CALL = {
  openat: 56, close: 57, pipe2: 59, read: 63, write: 64, exit: 93, kill: 129, sigaction: 134, sigreturn: 139, getpid: 172,
  brk: 214, munmap: 215, mremap: 216, clone: 220, execve: 221, mmap: 222, mprotect: 226, wait4: 260,
} as const; // prettier-ignore

/** Ends the program with the value of a0. */
export const EXIT = `call ${CALL.exit}`;
/** Ends it with the error that a call gave: its number, or 0 if there was none. */
export const EXIT_WITH_ERRNO = `slti t0,a0,0\n sub t0,zero,t0\n and a0,a0,t0\n sub a0,zero,a0\n ${EXIT}`;

/** 64-bit numbers as little-endian bytes. */
export function words64(...values: (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setBigUint64(i * 8, BigInt.asUintN(64, BigInt(value)), true));
  return bytes;
}
