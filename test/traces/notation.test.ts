/** The one-line notation: round trips and its errors. */
import { expect } from 'chai';
import fc from 'fast-check';
import { formatOp, parseNotation, parseOp } from '../../traces/notation.ts';
import { anyOp } from './arbitrary.ts';

describe('notation', () => {
  it('parses what it printed (any op)', () => {
    fc.assert(
      fc.property(anyOp, (op) => {
        const line = formatOp(op);
        expect(line).not.to.match(/[\r\n]/);
        expect(parseOp(line)).to.deep.equal(op);
      }),
    );
  });

  it('parses what it printed (many ops, comments and blank lines between)', () => {
    fc.assert(
      fc.property(fc.array(anyOp, { maxLength: 5 }), (ops) => {
        const text = ops.map((op) => `${formatOp(op)} # comment "x\n\n`).join('# another\n');
        expect(parseNotation(text)).to.deep.equal(ops);
      }),
    );
  });

  // prettier-ignore
  const LINES = [
    'p1 exec /bin/busybox sh -c "ls | sort"',
    'p1 exec /bin/sh - env="A=b c" env=- stack=0x4000801000',
    'p1 touch w 0x51c000+3',
    'p2 touch r 0x51cbf0 width=8',
    'p1 fork p2',
    'p1 mmap 0x0 8192 rw private,anonymous = 0xa00000000',
    'p1 mmap 0x0 4096 r shared path=/a offset=0x1000 = ENOMEM',
    'p1 mremap 0x1000 4096 8192 - = 0x1000',
    'p2 exit 0',
    'p2 exit signal=SIGSEGV',
    'p1 wait p2 = 2',
    'p1 mark "cp mv" counts=ifHeld',
  ];
  for (const line of LINES.filter((text) => !text.includes('env=-'))) {
    it(`prints as it was written: ${line}`, () => {
      expect(formatOp(parseOp(line))).to.equal(line);
    });
  }

  // prettier-ignore
  const WRONG: readonly (readonly [line: string, says: string])[] = [
    ['touch w 0x1000', '<notation>:2: field `op`: "w" is no op'],
    ['p1', '<notation>:2: field `op`: is missing'],
    ['x touch w 0x1000', '<notation>:2: field `pid`: "x" is no process'],
    ['p1 touch w', '<notation>:2: field `addr`: touch: is missing'],
    ['p1 touch q 0x1000', 'field `access`: touch: is "q"'],
    ['p1 touch w 0x1000 0x2000', '"0x2000" is one word too many'],
    ['p1 touch w 0x1000+2 pages=3', 'field `pages`: touch: is given twice'],
    ['p1 touch w 0x1000 constructor=1', 'field `constructor`: touch: is no field'],
    ['p1 touch w 0x1000 =', 'field `result`: one word must follow'],
    ['p1 munmap 0x1000 -4096', 'field `length`: munmap: is "-4096"'],
    ['p1 mark (x)', 'column 8: "(x)" is no word'],
    ['p1 mark "x', 'column 8:'],
    ['p1 fork 2', 'field `child`: "2" is no process'],
  ];
  for (const [line, says] of WRONG) {
    it(`is refused: ${line}`, () => {
      expect(() => parseNotation(`p1 brk 0x0\n${line}\n`)).to.throw(says);
    });
  }

  it('takes the empty list of strings', () => {
    expect(parseOp('p1 exec /a - env=-')).to.deep.equal({ pid: 1, op: 'exec', path: '/a', argv: [], env: [] });
  });
});
