/** What the kernel reads out of user memory for a call is compared like a load, at the op that reads it. */
import { expect } from 'chai';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { parseNotation } from '../../traces/notation.ts';

const OPS = parseNotation(`
  p1 mmap 0x200000 8192 rw private,anonymous,fixed
  p1 touch w 0x201000
  p1 madvise 0x200000 8192 dontneed
  p1 copyIn 0x200ff0 100`);

describe('a kernel copy out of user memory', () => {
  it('shows a wrong byte at its own op, also when nothing else is looked at before the end', async () => {
    const header = { faultline: 1 as const, kernel: { name: 'kevlar+dontneed-does-nothing' }, files: [] };
    const { failure } = replay({ header, ops: OPS }, { digester: await createDigester(), check: 'end' });
    expect(failure).to.include({ kind: 'reference', id: 'zero-gap', op: 3, address: 0x20_1000, expected: 0 });
  });

  it('finds nothing on kevlar', async () => {
    const header = { faultline: 1 as const, kernel: { name: 'kevlar' }, files: [] };
    expect(replay({ header, ops: OPS }, { digester: await createDigester(), check: 'end' }).findings).to.deep.equal([]);
  });
});
