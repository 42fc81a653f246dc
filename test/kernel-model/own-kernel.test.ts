/** Kernels of a user's own: what a definition makes, and what it is told when it makes none. */
import { expect } from 'chai';
import { DEFAULT_PARAMETERS } from '../../kernel-model/parameters.ts';
import { designOf, kernelNamed, rulesOf, type NamedKernel } from '../../kernel-model/kernels.ts';
import { defineKernel, RuleError, type KernelDefinition } from '../../kernel-model/own-kernel.ts';
import { Rules, type PageFill } from '../../kernel-model/rules.ts';

const PART: PageFill = { start: 0, length: 100, extent: 4096, writable: false, shared: false };

class Careless extends Rules {
  override mayCache(): boolean {
    return true;
  }

  override assemblyFills(): 'firstVma' {
    return 'firstVma';
  }
}

const named = (name: string): NamedKernel => kernelNamed(name) as NamedKernel;

describe('defineKernel', () => {
  it('makes a decision of each rule that the class answers, called by both names', () => {
    const { decisions, mutants } = defineKernel({ name: 'careless', rules: Careless });
    expect(decisions.map(({ id }) => id)).to.deep.equal(['Careless.mayCache', 'Careless.assemblyFills']);
    expect(mutants).to.deep.equal(decisions);
    expect(rulesOf(named('careless')).mayCache(PART)).to.equal(true);
  });

  it('lets each decision be taken back by its name', () => {
    defineKernel({ name: 'careless', rules: Careless });
    const rules = rulesOf(named('careless~Careless.mayCache'));
    expect(rules.mayCache(PART)).to.equal(false);
    expect(rules.assemblyFills()).to.equal('firstVma');
  });

  it('begins with the base: its wrong decisions, parameters and layout stay, and may be changed', () => {
    const old = named('kevlar@m9.8');
    const kernel = defineKernel({ name: 'older', base: 'kevlar@m9.8', rules: Careless, parameters: { frames: 99 } });
    expect(kernel.mutants).to.deep.equal([...old.mutants, ...kernel.decisions]);
    expect(kernel.parameters).to.deep.equal({ ...old.parameters, frames: 99 });
    expect(designOf(kernel, DEFAULT_PARAMETERS)).to.deep.equal(designOf(old, DEFAULT_PARAMETERS));
    const bigger = defineKernel({ name: 'bigger', layout: (design) => ({ ...design, stackBytes: 0x4_2000 }) });
    expect(designOf(bigger, DEFAULT_PARAMETERS)).to.include({ stackBytes: 0x4_2000, name: 'kevlar' });
  });

  it('takes a class of another origin, with fields and #private methods', () => {
    class FromScratch {
      private readonly answer = true;

      mayCache = (): boolean => this.#answer();

      #answer(): boolean {
        return this.answer;
      }
    }
    defineKernel({ name: 'from-scratch', rules: FromScratch });
    expect(rulesOf(named('from-scratch')).mayCache(PART)).to.equal(true);
  });

  it('gives `super` the right decision, and finds rules of classes between', () => {
    class Between extends Careless {
      override assemblyFills(): 'firstVma' {
        return super.assemblyFills();
      }

      override mayMerge(buddy: Parameters<Rules['mayMerge']>[0]): boolean {
        return !super.mayMerge(buddy);
      }
    }
    const { decisions } = defineKernel({ name: 'between', rules: Between });
    expect(decisions.map(({ rule }) => rule)).to.have.members(['mayCache', 'assemblyFills', 'mayMerge']);
  });

  it('calls decisions of a nameless class by the kernel', () => {
    const { decisions } = defineKernel({
      name: 'nameless',
      rules: class extends Rules {
        override teardown(): boolean {
          return false;
        }
      },
    });
    expect(decisions.map(({ id }) => id)).to.deep.equal(['nameless.teardown']);
  });

  it('says which rule threw', () => {
    class Broken extends Rules {
      override teardown(): boolean {
        throw new TypeError('of no use');
      }
    }
    defineKernel({ name: 'broken', rules: Broken });
    expect(() => rulesOf(named('broken')).teardown()).to.throw(RuleError, 'the rule Broken.teardown threw TypeError: of no use');
  });

  it('means the last definition of a name', () => {
    defineKernel({ name: 'twice', says: 'first' });
    defineKernel({ name: 'twice', says: 'second' });
    expect(named('twice').says).to.equal('second');
  });

  describe('names the field at fault:', () => {
    class Typo extends Rules {
      assemblyFill(): string {
        return 'firstVma';
      }
    }
    class Foreign {
      nothingLikeIt(): void {
        // is no rule
      }
    }
    const WRONG: readonly (readonly [definition: object, message: string])[] = [
      [{}, 'name: must be letters'],
      [{ name: 'a+b' }, 'found "a+b"'],
      [{ name: 'kevlar' }, 'name: "kevlar" is a kernel of faultline\'s own'],
      [{ name: 'x', base: 'kevlar@m9' }, 'base: there is no kernel "kevlar@m9"'],
      [{ name: 'x', base: 7 }, 'base: must be the name of a kernel; found 7'],
      [{ name: 'x', says: 7 }, 'says: must be a text'],
      [{ name: 'x', rule: Careless }, 'rule: there is no such field; did you mean "rules"?'],
      [{ name: 'x', rules: new Careless() }, 'rules: must be a class that extends Rules; found {}'],
      [{ name: 'x', rules: (): string => 'mayCache' }, 'rules: must be a class'],
      [{ name: 'x', rules: Typo }, 'rules: there is no rule "assemblyFill"; did you mean "assemblyFills"?'],
      [{ name: 'x', rules: Foreign }, 'rules: there is no rule "nothingLikeIt" (a helper'],
      [{ name: 'x', parameters: { assembleTreshold: 3 } }, 'did you mean "assembleThreshold"?'],
      [{ name: 'x', parameters: { frames: -1 } }, 'parameters.frames: '],
      [{ name: 'x', parameters: null }, 'parameters: must be an object; found null'],
      [{ name: 'x', layout: 7 }, 'layout: must be a function'],
      [{ name: 'x', layout: (): undefined => undefined }, 'layout: must give a design; it gave nothing'],
      [{ name: 'x', layout: (design: object) => ({ ...design, stackTop: '0' }) }, 'layout.stackTop: must be a number; it gave "0"'],
      [{ name: 'x', layout: (design: object) => ({ ...design, name: 'mine' }) }, 'layout.name: must stay "kevlar"'],
    ];
    for (const [definition, message] of WRONG) {
      it(message, () => {
        expect(() => defineKernel(definition as KernelDefinition)).to.throw(message);
      });
    }
  });
});
