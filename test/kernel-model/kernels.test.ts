/** Names of kernels: what they are made of, and what is said of a name that is none. */
import { expect } from 'chai';
import { designOf, kernelNamed, KERNELS } from '../../kernel-model/kernels.ts';
import { DEFAULT_PARAMETERS, PARAMETER_BOUNDS, parameterProblem, type Parameters } from '../../kernel-model/parameters.ts';
import { named } from '../helpers/model.ts';

const idsOf = (name: string): readonly string[] => named(name).mutants.map(({ id }) => id);

describe('kernelNamed', () => {
  it('knows each kernel by its name, which no other has', () => {
    for (const kernel of KERNELS) expect(kernelNamed(kernel.name)).to.equal(kernel);
    expect(new Set(KERNELS.map(({ name }) => name))).to.have.property('size', KERNELS.length);
  });

  it('adds decisions with + and takes them back with ~, in order', () => {
    expect(idsOf('kevlar+no-teardown+stack-executable')).to.deep.equal(['no-teardown', 'stack-executable']);
    expect(idsOf('kevlar@m9.8.1~no-teardown')).to.deep.equal(idsOf('kevlar@m9.8.1').filter((id) => id !== 'no-teardown'));
    expect(idsOf('kevlar@m9.8.1+mremap-resets-refs~no-teardown').at(-1)).to.equal('mremap-resets-refs');
    expect(idsOf('kevlar+no-teardown~no-teardown')).to.deep.equal([]);
  });

  it('keeps bounds of segments and parameters of the kernel that is changed', () => {
    expect(named('kevlar@719f0c0~no-teardown')).to.include({ segmentBounds: 'page', name: 'kevlar@719f0c0~no-teardown' });
    expect(named('kevlar@m9.8+stack-executable').parameters).to.equal(named('kevlar@m9.8').parameters);
  });

  it('says what is wrong with a name, and what there is instead', () => {
    expect(kernelNamed('xv6')).to.include('there is no kernel "xv6"').and.to.include('kevlar@m9.8.1');
    expect(kernelNamed('')).to.include('there is no kernel ""');
    expect(kernelNamed('kevlar+eats-memory')).to.include('"eats-memory"');
    expect(kernelNamed('kevlar+')).to.include('""');
    expect(kernelNamed('kevlar~no-teardown')).to.include('does not have "no-teardown"');
    expect(kernelNamed('+no-teardown')).to.include('there is no kernel');
    expect(kernelNamed('kevlar+__proto__')).to.include('"__proto__"');
  });

  it('gives linux its own layout, which makes room below the stack', () => {
    const { name, userEnd, placementStart, placementEnd, lowestAddress } = designOf(named('linux'), DEFAULT_PARAMETERS);
    const expected = {
      name: 'linux',
      userEnd: 2 ** 47 - 4096,
      placementStart: 0x7fff_f7ff_f000,
      placementEnd: 0x1_0000,
      lowestAddress: 0x1_0000,
    };
    expect({ name, userEnd, placementStart, placementEnd, lowestAddress }).to.deep.equal(expected);
  });

  it('tells the kernels of the story by their decisions alone', () => {
    const asleep = idsOf('kevlar@m9.8.1');
    expect(idsOf('kevlar')).to.deep.equal([]);
    expect(idsOf('kevlar@m9.8')).to.deep.equal([...asleep, 'assembly-copies-whole-page']);
    expect(idsOf('kevlar@m9.8-half')).to.deep.equal([...asleep, 'assembly-trusts-cached-range']);
    expect(idsOf('kevlar@719f0c0')).to.deep.equal(asleep);
    expect(idsOf('kevlar@66afd2e')).to.not.include('caches-partial-pages');
  });
});

describe('parameterProblem', () => {
  const problem = (change: Partial<Record<keyof Parameters, unknown>>): string | undefined =>
    parameterProblem({ ...DEFAULT_PARAMETERS, ...change } as Parameters)?.name;

  it('takes the defaults and every bound', () => {
    expect(problem({})).to.equal(undefined);
    for (const [name, [min, max]] of Object.entries(PARAMETER_BOUNDS))
      for (const value of [min, max]) expect(problem({ [name]: value }), name).to.equal(undefined);
  });

  it('names what is out of bounds, no whole number, or no power of two', () => {
    for (const [name, [min, max]] of Object.entries(PARAMETER_BOUNDS)) {
      for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, Infinity, '8', undefined])
        expect(problem({ [name]: value }), name).to.equal(name);
    }
    expect(problem({ hugePages: 3 })).to.equal('hugePages');
    expect(problem({ tlbEntries: 12 })).to.equal('tlbEntries');
  });
});
