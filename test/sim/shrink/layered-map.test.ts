/** Layered maps against plain ones that are copied at each fork. */
import { expect } from 'chai';
import fc from 'fast-check';
import { LayeredMap } from '../../../sim/shrink/layered-map.ts';

const KEYS = 8;
const step = fc.record({ who: fc.nat(30), key: fc.nat(KEYS - 1), value: fc.nat(), isFork: fc.boolean() });

describe('a layered map', () => {
  it('is what a copy at each fork would be', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const maps = [new LayeredMap<number>()];
        const plain = [new Map<number, number>()];
        for (const { who, key, value, isFork } of steps) {
          const at = who % maps.length;
          if (isFork) {
            maps.push(maps[at]!.fork());
            plain.push(new Map(plain[at]));
          } else {
            maps[at]!.set(key, value);
            plain[at]!.set(key, value);
          }
        }
        maps.forEach((map, i) => {
          for (let key = 0; key < KEYS; key++) expect(map.get(key)).to.equal(plain[i]!.get(key));
        });
      }),
    );
  });
});
