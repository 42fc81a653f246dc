/** Properties that replay a trace more than once: the same run again, recorded, or on a kernel that is tuned otherwise. */
import { expect } from 'chai';
import { RUN_PROPERTIES } from '../../properties/properties.ts';
import { METAMORPHIC } from '../../properties/metamorphic.ts';
import { generateTrace } from '../../properties/generate.ts';
import { createDigester } from '../../sim/digest.ts';
import { assertHolds } from '../helpers/hold.ts';

const digester = await createDigester();
const COUNTS: Readonly<Record<string, number>> = { holds: 20, repeatable: 30, 'checks-only-watch': 20, 'round-trip': 60 };

for (const kernel of ['kevlar', 'linux']) {
  describe(`${kernel}, run more than once`, () => {
    for (const property of RUN_PROPERTIES) {
      it(`${property.name}: ${property.says}`, function () {
        this.timeout(0); // RUNS may make it long
        const isMetamorphic = METAMORPHIC.includes(property);
        assertHolds(property, digester, { kernel, count: COUNTS[property.name] ?? 40, hasFaults: !isMetamorphic });
      });
    }
  });
}

/** A mutant whose damage depends on how the kernel is tuned, and the property that must see that without a reference. */
const SEEN: readonly (readonly [property: string, mutant: string])[] = [
  ['same-by-threshold', 'assembly-copies-whole-page'],
  ['same-by-template', 'template-never-rebuilt'],
  ['same-by-temperature', 'fault-trusts-cached-page'],
  ['same-by-huge-pages', 'dontneed-ignores-huge-leaf'],
];

describe('metamorphic properties', () => {
  for (const [name, mutant] of SEEN) {
    it(`${name} sees ${mutant}`, function () {
      this.timeout(0);
      const property = METAMORPHIC.find((one) => one.name === name)!;
      const seen = Array.from({ length: 3000 }, (_, i) => i).some((i) => {
        const trace = generateTrace(`seen/${i}`, { hasFaults: false, kernel: `kevlar+${mutant}` });
        return property.violations(trace, digester).length > 0;
      });
      expect(seen).to.equal(true);
    });
  }
});
