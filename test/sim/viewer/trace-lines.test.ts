/** The page's own reader: the same as the command line's for good traces, and as clear about bad ones. */
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeHeader, encodeOp } from '../../../traces/codec.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { TraceLines } from '../../../sim/viewer/trace-lines.ts';

describe('lines of a trace', () => {
  it('give the same trace however they are cut', async () => {
    const { header, ops } = await readTrace('traces/reconstructed/exec-127-tail.jsonl');
    const text = [encodeHeader(header), ...ops.map(encodeOp), ''].join('\n');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), fc.boolean(), (cuts, hasLastEnd) => {
        const whole = hasLastEnd ? text : text.trimEnd();
        const bounds = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const lines = new TraceLines('t.jsonl');
        for (const [i, end] of bounds.entries()) lines.push(whole.slice(bounds[i - 1] ?? 0, end));
        expect(lines.end()).to.deep.equal({ header, ops });
      }),
    );
  });

  const errorOf = (text: string): string => {
    const lines = new TraceLines('bad.jsonl');
    try {
      lines.push(text);
      lines.end();
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const HEADER = '{"faultline":1,"kernel":{"name":"kevlar"},"files":[]}\n';

  it('name the file, the line and the field of what is wrong', () => {
    expect(errorOf(HEADER + '{"pid":1,"op":"brk","addr":"0x0"}\n{"pid":1,"op":"touch","addr":"0x0","access":"q"}\n')).to.match(
      /^bad\.jsonl:3: field `access`/,
    );
    expect(errorOf(HEADER + '{"pid":1,"op":"br')).to.match(/^bad\.jsonl:2: .*no JSON/);
    expect(errorOf('')).to.match(/^bad\.jsonl:1: .*header/);
    expect(errorOf('x'.repeat(2 ** 20 + 1))).to.match(/^bad\.jsonl:1: .*too long/);
  });
});
