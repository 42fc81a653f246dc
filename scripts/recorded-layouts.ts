/**
 * Layouts of the programs whose recordings are committed, as `readelf -lW` shows them: numbers, so that the recordings can be imported
 * on a machine that has none of the programs.
 */
import type { ProgramLayout } from '../traces/import/layout.ts';

/** Debian's busybox-static 1:1.37.0-6+b9, riscv64. */
export const BUSYBOX = {
  path: '/bin/busybox',
  size: 0x180c20 + 0x9008,
  segments: [
    { vaddr: 0x10000, offset: 0, filesz: 0x180440, memsz: 0x180440, flags: 'rx' },
    { vaddr: 0x191c20, offset: 0x180c20, filesz: 0x9008, memsz: 0x10038, flags: 'rw' },
  ],
  seed: 'busybox-riscv64',
} as const;

export const LD_SO_PATH = '/lib64/ld-linux-x86-64.so.2';

/** /bin/ls of Debian's coreutils 9.1-1, x86-64, where qemu-user puts the first position-independent program. */
export const LS: ProgramLayout = {
  size: 151344,
  type: 'dyn',
  segments: [
    { vaddr: 0x0, offset: 0x0, filesz: 0x36c0, memsz: 0x36c0, flags: 'r' },
    { vaddr: 0x4000, offset: 0x4000, filesz: 0x15759, memsz: 0x15759, flags: 'rx' },
    { vaddr: 0x1a000, offset: 0x1a000, filesz: 0x8ed0, memsz: 0x8ed0, flags: 'r' },
    { vaddr: 0x232b0, offset: 0x232b0, filesz: 0x1310, memsz: 0x25f8, flags: 'rw' },
  ],
  entry: 0x61d0,
  interp: LD_SO_PATH,
  seed: 'ls-x86_64',
  recordedAt: 0x40_0000_0000,
};

/** The interpreter of Debian's libc6 2.36-9+deb12u14, amd64, right behind the recorded stack. */
export const LD_SO: ProgramLayout = {
  size: 215000,
  type: 'dyn',
  segments: [
    { vaddr: 0x0, offset: 0x0, filesz: 0xd58, memsz: 0xd58, flags: 'r' },
    { vaddr: 0x1000, offset: 0x1000, filesz: 0x25111, memsz: 0x25111, flags: 'rx' },
    { vaddr: 0x27000, offset: 0x27000, filesz: 0x9c7c, memsz: 0x9c7c, flags: 'r' },
    { vaddr: 0x31900, offset: 0x31900, filesz: 0x2810, memsz: 0x29d8, flags: 'rw' },
  ],
  entry: 0x1ab70,
  seed: 'ld-x86_64',
  recordedAt: 0x40_0282_7000,
};
