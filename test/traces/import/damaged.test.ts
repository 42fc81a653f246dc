/** Damaged recordings: lines lost, doubled, swapped and cut give a trace that is well-formed and runs, or an error that names the line. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createDigester, type Digester } from '../../../sim/digest.ts';
import { replay } from '../../../sim/replay.ts';
import { TraceError } from '../../../traces/format-error.ts';
import { asWritten, fixtureText, importText, SAMPLES } from '../../helpers/recordings.ts';

/** What happens to the lines, in order: at a place (a part of the whole) one is lost, doubled, cut, or changes places with the next. */
const damages = fc.array(
  fc.tuple(fc.constantFrom('lose', 'double', 'cut', 'swap', 'number'), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

function damaged(lines: readonly string[], how: readonly (readonly [string, number])[]): string[] {
  const result = [...lines];
  for (const [what, place] of how) {
    if (result.length < 2) break;
    const at = Math.floor(place * (result.length - 1));
    const line = result[at]!;
    if (what === 'lose') result.splice(at, 1);
    else if (what === 'double') result.splice(at, 0, line);
    else if (what === 'cut') result[at] = line.slice(0, Math.floor(line.length * ((place * 7) % 1)));
    else if (what === 'swap') result.splice(at, 2, result[at + 1]!, line);
    else result[at] = line.replace(/\d+/g, (digits) => (place > 0.5 ? `${digits}9` : '0'));
  }
  return result;
}

describe('a damaged recording', () => {
  let digester: Digester;

  before(async () => {
    digester = await createDigester();
  });

  for (const [format, name] of SAMPLES.filter(([, sample]) => !/suite20|ls-sort-head-exec|dynamic/.test(sample))) {
    it(`of ${format} (${name}) is imported, or refused with its line`, () => {
      const lines = fixtureText(name).trimEnd().split('\n');
      fc.assert(
        fc.property(damages, (how) => {
          let trace;
          try {
            trace = importText(format, damaged(lines, how).join('\n')).trace;
          } catch (error) {
            expect(error).to.be.instanceOf(TraceError);
            expect(['plugin', 'lackey']).to.include(format);
            expect((error as TraceError).line).to.be.greaterThan(0);
            return;
          }
          expect(replay(asWritten(trace), { check: 'none', digester }).ops).to.equal(trace.ops.length);
        }),
        { numRuns: 25 },
      );
    });
  }
});
