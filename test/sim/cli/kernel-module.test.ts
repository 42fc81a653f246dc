/** `--kernel FILE`, as a user sees it: what works with a module of his own, and what he is told when it does not. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withModule } from '../../../sim/cli/kernel-module.ts';
import { faultline } from '../../helpers/command-line.ts';

const TAIL = 'traces/reconstructed/exec-127-tail.jsonl';

/** Caches what is not a whole page, and assembles from it: what kevlar@m9.8 did. And one decision that is only slow. */
const EAGER = `
import { defineKernel, Rules } from 'faultline';
class Eager extends Rules {
  override assemblySource(): 'cachedPage' { return 'cachedPage'; }
  override mayCache(): boolean { return true; }
  override mayPoolAsZeroed(): boolean { return false; }
}
export const kernel = defineKernel({ name: 'eager', rules: Eager, parameters: { assembleThreshold: 1 } });
`;

describe('--kernel FILE', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  const module = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };

  // In the repository, so that the name of the package leads to it.
  before(() => {
    mkdirSync('findings', { recursive: true });
    folder = mkdtempSync('findings/modules-');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('runs a trace on the kernel of a TypeScript module', async () => {
    const { code, out } = await faultline('replay', TAIL, '--kernel', module('eager.ts', EAGER), '--threshold', '1', '--json');
    expect(code).to.equal(3);
    expect(JSON.parse(out)).to.include({ kernel: 'eager', verdict: 'failed' });
  });

  it('takes JavaScript, and the default export', async () => {
    const text = `import { defineKernel } from 'faultline';\nexport default defineKernel({ name: 'plain' });\n`;
    for (const name of ['plain.js', 'plain.mjs']) {
      const { code, out } = await faultline('replay', TAIL, '--kernel', module(name, text), '--json');
      expect(code).to.equal(0);
      expect(JSON.parse(out)).to.include({ kernel: 'plain', verdict: 'held' });
    }
  });

  it('takes back decisions by name, in lists too', async () => {
    const eager = module('eager.ts', EAGER);
    const { out } = await faultline(
      ...['sweep', TAIL, '--kernels', `kevlar,${eager}~Eager.assemblySource~Eager.mayCache,${eager}`],
      ...['--thresholds', '1', '--json'],
    );
    const rows = JSON.parse(out) as readonly { readonly kernel: string; readonly verdict: string }[];
    expect(rows.map(({ kernel, verdict }) => `${kernel} ${verdict}`)).to.deep.equal([
      'kevlar held',
      'eager~Eager.assemblySource~Eager.mayCache held',
      'eager failed',
    ]);
  });

  it('compares it with another kernel', async () => {
    const { code, out } = await faultline('diff', TAIL, '--kernel', 'kevlar', '--kernel', module('eager.ts', EAGER), '--threshold', '1');
    expect(code).to.equal(4);
    expect(out).to.include('    eager: ');
  });

  it('shrinks to the decision to blame, on several threads the same, and the trace names the module', async () => {
    const eager = module('eager.ts', EAGER);
    const traces: string[] = [];
    for (const jobs of ['1', '2']) {
      const out = at(`small-${jobs}.jsonl`);
      const shrunk = await faultline('shrink', TAIL, '--kernel', eager, '--threshold', '1', '-o', out, '--jobs', jobs, '--json');
      expect((JSON.parse(shrunk.out) as { rules: string[] }).rules).to.deep.equal(['Eager.mayCache', 'Eager.assemblySource']);
      traces.push(readFileSync(out, 'utf8'));
    }
    expect(traces[0]).to.equal(traces[1]);
    const header = JSON.parse(traces[0]!.split('\n')[0]!) as { kernel: object };
    expect(header.kernel).to.include({ name: 'eager~Eager.mayPoolAsZeroed', module: eager });
  });

  it('explains by the author’s own rule, and names his file', async () => {
    const eager = module('eager.ts', EAGER);
    const { code, out } = await faultline('explain', TAIL, '--kernel', eager, '--threshold', '1');
    expect(code).to.equal(0);
    expect(out).to.include('Eager.assemblySource, the rule assemblySource').and.to.include(`source    ${eager}`);
    expect(out).to.include(`faultline view ${TAIL} --kernel ${eager}`);
  });

  it('fuzzes it on worker threads', async () => {
    const flags = ['--kernel', module('eager.ts', EAGER), '--runs', '200', '--json', '-o', at('findings')];
    const [one, two] = [await faultline('fuzz', ...flags), await faultline('fuzz', ...flags, '--jobs', '2')];
    const findings = ({ out }: { out: string }): readonly { decisions: string[] }[] =>
      (JSON.parse(out) as { findings: { decisions: string[] }[] }).findings;
    expect(findings(one)).to.have.length(1).and.to.deep.equal(findings(two));
    expect(findings(one)[0]!.decisions.every((id) => id.startsWith('Eager.'))).to.equal(true);
  });

  it('is told of a trace of an unknown module, which is not loaded', async () => {
    const header = { faultline: 1, kernel: { name: 'unheard-of', module: at('other.ts') }, files: [] };
    writeFileSync(at('stranger.jsonl'), `${JSON.stringify(header)}\n`);
    writeFileSync(at('other.ts'), 'throw new Error("loaded");');
    const { code, err } = await faultline('replay', at('stranger.jsonl'));
    expect(code).to.equal(1);
    expect(err).to.include('"unheard-of"').and.to.include('other.ts').and.to.include('pass it with --kernel').and.not.to.include('loaded"');
  });

  describe('says what is wrong with the module:', () => {
    const HEAD = `import { defineKernel, Rules } from 'faultline';\n`;
    const WRONG: readonly (readonly [name: string, text: string | undefined, message: string])[] = [
      ['missing.ts', undefined, 'there is no such file'],
      ['kernel.txt', '', 'its name must end in .ts, .mts, .js or .mjs'],
      [
        'none.js',
        'export const x = 1;',
        'exports no kernel: `export const kernel = defineKernel({ name: … })` was wanted, and it exports x',
      ],
      ['empty.js', '', 'and it exports nothing'],
      ['class.js', `${HEAD}export default class Mine extends Rules {}`, 'must be what defineKernel gave; found the class Mine'],
      ['plain-object.js', `export const kernel = { name: 'x' };`, 'found an object with name'],
      ['number.js', 'export const kernel = 7;', 'found number 7'],
      ['throws.js', '\nnull.nothing;', 'line 2: TypeError'],
      ['syntax.js', 'export const = 1;', 'SyntaxError'],
      ['syntax.ts', 'export const x: = 1;', 'Unexpected "="'],
      ['package.js', `import 'no-such-package';`, 'no-such-package'],
      [
        'typo.ts',
        `${HEAD}export const kernel = defineKernel({ name: 'x', rules: class A extends Rules { mayCach() {} } });`,
        'defineKernel: rules: there is no rule "mayCach"; did you mean "mayCache"?',
      ],
    ];
    for (const [name, text, message] of WRONG) {
      it(`${name}: ${message}`, async () => {
        const path = text === undefined ? at(name) : module(name, text);
        const { code, err } = await faultline('replay', TAIL, '--kernel', path);
        expect(code).to.equal(1);
        expect(err).to.include(`faultline: ${path}: `).and.to.include(message);
      });
    }

    it('two of one name', async () => {
      const [one, two] = ['a', 'b'].map((name) => module(`${name}.js`, `${HEAD}export default defineKernel({ name: 'same' });`));
      const { code, err } = await faultline('sweep', TAIL, '--kernels', `${one},${two}`);
      expect(code).to.equal(1);
      expect(err).to.include('"same": give them two names');
    });

    it('a decision that it does not have', async () => {
      const { err } = await faultline('replay', TAIL, '--kernel', `${module('eager.ts', EAGER)}~Eager.teardown`);
      expect(err).to.include('its own decisions are Eager.mayCache, Eager.assemblySource, Eager.mayPoolAsZeroed');
    });

    it('a rule that throws, here and on worker threads', async () => {
      const path = module(
        'bad-rule.js',
        `${HEAD}class Bad extends Rules { mayCache(fill) { return fill.no.where; } }
export default defineKernel({ name: 'bad-rule', rules: Bad });`,
      );
      for (const command of [
        ['replay', TAIL],
        ['fuzz', '--runs', '40', '-o', at('findings')],
      ]) {
        const { code, err } = await faultline(...command, '--kernel', path);
        expect(code).to.equal(1);
        expect(err).to.include('the rule Bad.mayCache threw TypeError').and.not.to.include('defect');
      }
    });

    it('a module that no browser can run', async () => {
      const path = module('reads.ts', `import { readFileSync } from 'node:fs';\n${EAGER}readFileSync;`);
      const { code, err } = await faultline('view', TAIL, '--kernel', path, '-o', at('page.html'));
      expect(code).to.equal(1);
      expect(err).to.include('reads.ts:1: Could not resolve "node:fs"');
    });
  });

  it('leaves the hint out of headers whose kernel is of no module', () => {
    const { kernel } = withModule({ faultline: 1, kernel: { name: 'kevlar', module: 'old.ts' }, files: [] });
    expect(kernel).to.deep.equal({ name: 'kevlar' });
  });
});
