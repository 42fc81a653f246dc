import { expect } from 'chai';
import fc from 'fast-check';
import { Pipe, PIPE_ATOMIC_BYTES, PIPE_BYTES } from '../../../../sim/linux/fs/pipe.ts';
import { pipeStream } from '../../../../sim/linux/fs/pipe-stream.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../../../../sim/linux/fs/stream.ts';

const open = (): Pipe => Object.assign(new Pipe(), { readers: 1, writers: 1 });
const action = fc.record({ isWrite: fc.boolean(), length: fc.integer({ min: 0, max: 2 * PIPE_ATOMIC_BYTES }) });

describe('pipe', () => {
  it('gives out the bytes that went in, in order, and splits no short write', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const pipe = open();
        const model: number[] = [];
        let next = 0;
        for (const { isWrite, length } of actions) {
          if (!isWrite) {
            const bytes = pipe.read(length);
            if (typeof bytes === 'string') expect([bytes, model.length]).to.deep.equal(['EAGAIN', 0]);
            else expect([...bytes]).to.deep.equal(model.splice(0, length));
            continue;
          }
          const bytes = Uint8Array.from({ length }, () => next++ & 255);
          const taken = pipe.write(bytes);
          const room = PIPE_BYTES - model.length;
          if (taken === 'EAGAIN') expect(length > room && (length <= PIPE_ATOMIC_BYTES || room === 0)).to.equal(true);
          else expect(taken).to.equal(Math.min(length, room));
          model.push(...bytes.subarray(0, typeof taken === 'number' ? taken : 0));
          expect(pipe.length).to.equal(model.length);
        }
      }),
    );
  });

  it('ends for readers when the last writer is gone, and breaks for writers when the last reader is', () => {
    const pipe = new Pipe();
    const reader = pipeStream(pipe, { reads: true, writes: false });
    const writer = pipeStream(pipe, { reads: false, writes: true });
    expect([reader.poll(), writer.poll()]).to.deep.equal([0, POLLOUT]);
    expect(writer.write(0, Uint8Array.of(1))).to.equal(1);
    writer.close?.();
    expect(reader.poll()).to.equal(POLLIN | POLLHUP);
    expect(reader.read(0, 9)).to.deep.equal(Uint8Array.of(1));
    expect(reader.read(0, 9)).to.deep.equal(new Uint8Array(0));
    reader.close?.();
    expect(writer.write(0, Uint8Array.of(1))).to.equal('EPIPE');
    expect(writer.poll()).to.equal(POLLOUT | POLLERR);
  });

  it('is ready for writing when a whole short write fits', () => {
    const pipe = open();
    const writer = pipeStream(pipe, { reads: false, writes: true });
    pipe.write(new Uint8Array(PIPE_BYTES - PIPE_ATOMIC_BYTES));
    expect(writer.poll()).to.equal(POLLOUT);
    pipe.write(new Uint8Array(1));
    expect(writer.poll()).to.equal(0);
    expect(pipe.write(new Uint8Array(PIPE_ATOMIC_BYTES))).to.equal('EAGAIN');
  });
});
