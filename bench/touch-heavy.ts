/** A long trace of single-byte touches over one program: fetches and loads of text, loads and stores of data. */
import type { Trace } from '../traces/codec.ts';
import type { Op } from '../traces/op.ts';
import { createPrng } from '../sim/prng.ts';

const TEXT = 0x40_0000;
const TEXT_BYTES = 0x8_0000;
const DATA = 0x48_0bf0;
const DATA_BYTES = 0x7000;

export function touchHeavyTrace(touches: number): Trace {
  const stream = createPrng('touch-heavy').stream('touches');
  const ops: Op[] = [{ pid: 1, op: 'exec', path: '/bin/program' }];
  for (let i = 0; i < touches; i++) {
    const kind = stream.int(10);
    if (kind < 4) ops.push({ pid: 1, op: 'touch', addr: TEXT + stream.int(TEXT_BYTES), access: 'x' });
    else if (kind < 6) ops.push({ pid: 1, op: 'touch', addr: TEXT + stream.int(TEXT_BYTES), access: 'r' });
    else ops.push({ pid: 1, op: 'touch', addr: DATA + stream.int(DATA_BYTES), access: kind < 8 ? 'r' : 'w' });
  }
  const segments = [
    { vaddr: TEXT, offset: 0, filesz: TEXT_BYTES, memsz: TEXT_BYTES, flags: 'rx' as const },
    { vaddr: DATA, offset: TEXT_BYTES + 0xbf0, filesz: DATA_BYTES, memsz: DATA_BYTES + 0x2000, flags: 'rw' as const },
  ];
  const size = TEXT_BYTES + 0xbf0 + DATA_BYTES;
  return {
    header: {
      faultline: 1,
      kernel: { name: 'kevlar', frames: 4096, cpus: 1 },
      files: [{ path: '/bin/program', size, segments, content: { seed: 'program' } }],
    },
    ops,
  };
}
