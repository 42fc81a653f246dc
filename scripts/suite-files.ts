/**
 * The files of the reconstructed traces: BusyBox as the post's numbers fix its layout, and two small runners.
 *
 * BusyBox, 4 KiB pages of 0x400000 by index:
 *
 *     0          LOAD0 r   ELF header, 0x190 bytes
 *     1 – 233    LOAD1 rx  text, ends in mid-page at 0x4e9abc
 *     234 – 283  LOAD2 r   constants, the last page (file page 0x11b) has 0x1f0 bytes
 *     284 – 289  LOAD3 rw  data from 0x51cbf0, which lies in file page 0x11b too; zeros from 0x520353
 *
 * Known of it are the addresses, sizes and two bytes that the post quotes (the patches); all other bytes are synthetic.
 * The page split between text and constants, and the ends of text and data, are inferred from the counts that it gives.
 */
import type { FileSpec } from '../traces/header.ts';

const DATA_OFFSET = 0x11bbf0;

export const BUSYBOX: FileSpec = {
  path: '/bin/busybox',
  size: DATA_OFFSET + 0x6000,
  immutable: true,
  type: 'exec',
  entry: 0x401086,
  segments: [
    { vaddr: 0x400000, offset: 0, filesz: 0x190, memsz: 0x190, flags: 'r' },
    { vaddr: 0x401000, offset: 0x1000, filesz: 0xe8abc, memsz: 0xe8abc, flags: 'rx' },
    { vaddr: 0x4ea000, offset: 0xea000, filesz: 0x311f0, memsz: 0x311f0, flags: 'r' },
    { vaddr: 0x51cbf0, offset: DATA_OFFSET, filesz: 0x3763, memsz: 0x5008, flags: 'rw' },
  ],
  content: { seed: 'busybox-102' },
  patches: [
    { offset: 0x11b000, hex: '65' },
    { offset: DATA_OFFSET, hex: 'c0' },
  ],
};

/** BusyBox under the names of `applets` too. */
export const busyboxWithLinks = (applets: readonly string[]): FileSpec => ({ ...BUSYBOX, links: applets.map((name) => `/bin/${name}`) });

/** What a story touches of a runner: a static program, so it lies at 0x400000 as BusyBox does. */
export interface Runner {
  readonly file: FileSpec;
  /** Pages of text and of constants, ascending; the first page of text holds the entry. */
  readonly text: readonly number[];
  readonly constants: readonly number[];
  /** Initialised data, and a buffer in the zeros behind it. */
  readonly data: number;
  readonly buffer: number;
}

export const SUITE_RUNNER: Runner = {
  file: {
    path: '/bin/busybox-suite',
    size: 0x24000,
    immutable: true,
    type: 'exec',
    entry: 0x401040,
    segments: [
      { vaddr: 0x400000, offset: 0, filesz: 0x190, memsz: 0x190, flags: 'r' },
      { vaddr: 0x401000, offset: 0x1000, filesz: 0x16b2c, memsz: 0x16b2c, flags: 'rx' },
      { vaddr: 0x418000, offset: 0x18000, filesz: 0x7a54, memsz: 0x7a54, flags: 'r' },
      { vaddr: 0x421fd8, offset: 0x20fd8, filesz: 0x8a8, memsz: 0x2f40, flags: 'rw' },
    ],
    content: { seed: 'busybox-suite' },
  },
  text: [0x401000, 0x403000, 0x404000, 0x407000, 0x40c000, 0x412000, 0x415000, 0x416000],
  constants: [0x418000, 0x41a000, 0x41d000, 0x41e000],
  data: 0x422108,
  buffer: 0x423400,
};

export const STRESS_RUNNER: Runner = {
  file: {
    path: '/bin/fork-exec-stress',
    size: 0xa000,
    immutable: true,
    type: 'exec',
    entry: 0x401040,
    segments: [
      { vaddr: 0x400000, offset: 0, filesz: 0x190, memsz: 0x190, flags: 'r' },
      { vaddr: 0x401000, offset: 0x1000, filesz: 0x5d41, memsz: 0x5d41, flags: 'rx' },
      { vaddr: 0x407000, offset: 0x7000, filesz: 0x1c3c, memsz: 0x1c3c, flags: 'r' },
      { vaddr: 0x409fe0, offset: 0x8fe0, filesz: 0x1d8, memsz: 0x8e0, flags: 'rw' },
    ],
    content: { seed: 'fork-exec-stress' },
  },
  text: [0x401000, 0x402000, 0x404000, 0x405000],
  constants: [0x407000],
  data: 0x40a020,
  buffer: 0x40a400,
};
