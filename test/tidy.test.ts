/** The checkers checked: bad code and upward imports are planted, and eslint.config.mjs and .dependency-cruiser.mjs must find each. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ESLint } from 'eslint';
import { onlyThoroughly } from './helpers/seed.ts';

const ROOT = join(import.meta.dirname, '..');
const PURE = ['kernel-model', 'traces', 'sim', 'properties'];
const EDGE = 'sim/cli';

describe('eslint', () => {
  // Planted code lies in no file, so no tsconfig has it: the default project types it.
  const planted = (folder: string): string => `${folder}/planted.ts`;
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: [{ languageOptions: { parserOptions: { projectService: { allowDefaultProject: [...PURE, EDGE].map(planted) } } } }],
  });
  const rulesFor = async (folder: string, code: string): Promise<string[]> => {
    const results = await eslint.lintText(code + '\n', { filePath: join(ROOT, planted(folder)) });
    return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ruleId ?? message));
  };

  const NONDETERMINISTIC: readonly (readonly [rule: string, code: string])[] = [
    ['no-restricted-properties', 'export const draw = Math.random();'],
    ['no-restricted-properties', 'export const { random } = Math;'],
    ['no-restricted-globals', 'export const now = Date.now();'],
    ['no-restricted-syntax', 'export const now = new Date();'],
    ['no-restricted-globals', 'export const now = performance.now();'],
    ['no-restricted-globals', 'export const { env } = process;'],
    ['no-restricted-globals', 'setTimeout(() => undefined, 1);'],
    ['no-restricted-globals', 'setInterval(() => undefined, 1);'],
    ['no-restricted-globals', 'export const draw = globalThis.Math.random();'],
    ['no-restricted-globals', 'export const draw = crypto.randomUUID();'],
    ['no-restricted-globals', 'export const old = Buffer.allocUnsafe(8);'],
    ['no-restricted-imports', "export { readFileSync } from 'node:fs';"],
    ['no-restricted-imports', "import { readFileSync } from 'fs';\nexport const read = readFileSync;"],
    ['no-restricted-imports', "import type { Stats } from 'node:fs';\nexport type Found = Stats;"],
    ['no-restricted-syntax', "export const load = () => import('node:fs');"],
    ['no-restricted-syntax', 'export const text = (0.5).toLocaleString();'],
    ['no-restricted-syntax', "export const order = 'a'.localeCompare('b');"],
    ['no-restricted-globals', "export const order = new Intl.Collator().compare('a', 'b');"],
  ];

  const UNTIDY: readonly (readonly [rule: string, code: string])[] = [
    ['@typescript-eslint/no-floating-promises', 'export const start = async (): Promise<void> => {\n  await null;\n};\nstart();'],
    ['no-restricted-syntax', 'export default 1;'],
    ['no-restricted-syntax', 'const one = 1;\nexport { one as default };'],
    ['no-restricted-syntax', 'export enum Access {\n  load,\n}'],
    ['no-restricted-syntax', 'export namespace Access {\n  export const load = 1;\n}'],
    ['eqeqeq', 'export const same = (a: number, b: number): boolean => a == b;'],
    [
      '@typescript-eslint/switch-exhaustiveness-check',
      "export function bit(access: 'r' | 'w'): number {\n  switch (access) {\n    case 'r':\n      return 1;\n  }\n  return 0;\n}",
    ],
    ['@typescript-eslint/no-unsafe-assignment', "export const op: { pid: number } = JSON.parse('{}');"],
  ];

  for (const folder of PURE) {
    it(`finds each way to chance, clock, timer, locale and the outside in ${folder}/ (${NONDETERMINISTIC.length})`, async function () {
      onlyThoroughly(this);
      for (const [rule, code] of NONDETERMINISTIC) expect(await rulesFor(folder, code), code).to.include(rule);
    });
  }

  it(`finds untidy code in every folder (${UNTIDY.length})`, async function () {
    onlyThoroughly(this);
    for (const folder of ['kernel-model', EDGE]) {
      for (const [rule, code] of UNTIDY) expect(await rulesFor(folder, code), code).to.include(rule);
    }
  });

  it('lets the edge read files, clocks and the process', async () => {
    const code =
      "import { readFileSync } from 'node:fs';\nexport const head = [readFileSync(process.argv[2] ?? ''), Date.now(), new Date()];";
    expect(await rulesFor(EDGE, code)).to.deep.equal([]);
  });

  it('finds nothing in code that is as it should be', async () => {
    const code = 'export const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, Math.max(list[0]!, 0));';
    for (const folder of PURE) expect(await rulesFor(folder, code)).to.deep.equal([]);
  });
});

describe('dependency-cruiser', () => {
  let tree = '';
  before(() => {
    tree = mkdtempSync(join(tmpdir(), 'faultline-layers-'));
  });
  after(() => rmSync(tree, { recursive: true, force: true }));

  /** What holds of the tree that everything below is planted into: one file a folder, a package of each kind. */
  const TREE: Readonly<Record<string, string>> = {
    'package.json': '{"type":"module","dependencies":{"listed":"1"},"devDependencies":{"tool":"1"}}',
    'tsconfig.json': '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
    'other.ts': 'export const one = 1;',
    ...Object.fromEntries(
      ['listed', 'tool', 'stray'].map((name) => [`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`]),
    ),
    ...Object.fromEntries(['listed', 'tool', 'stray'].map((name) => [`node_modules/${name}/index.js`, 'exports.one = 1;'])),
    'kernel-model/index.ts': "export { one } from './inner.ts';\nexport type { Two } from './inner.ts';",
    'kernel-model/inner.ts': 'export const one = 1;\nexport type Two = 2;',
    ...Object.fromEntries(
      ['traces', 'sim', 'properties', 'sim/cli', 'bench', 'scripts', 'test'].map((folder) => [`${folder}/a.ts`, 'export const one = 1;']),
    ),
  };

  /** The rules broken by `files` beside TREE, one `rule: from -> to` each, in order. */
  async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
    rmSync(tree, { recursive: true, force: true });
    for (const [path, text] of Object.entries({ ...TREE, ...files })) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text + '\n');
    }
    const bin = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const folders = ['kernel-model', 'traces', 'sim', 'properties', 'test', 'bench', 'scripts'];
    const args = [bin, '--config', join(ROOT, '.dependency-cruiser.mjs'), '--output-type', 'json', ...folders];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree, maxBuffer: 2 ** 26 });
    const { summary } = JSON.parse(stdout) as { summary: { violations: readonly { rule: { name: string }; from: string; to: string }[] } };
    return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
  }

  /** A file that imports one name from each of `targets`. */
  const importer = (...targets: readonly string[]): string =>
    targets.map((target, i) => `export { one as x${i} } from '${target}';`).join('\n');

  it('lets every folder import what its row names', async () => {
    const found = await broken({
      'kernel-model/b.ts': importer('./inner.ts'),
      'traces/b.ts': importer('./a.ts', '../kernel-model/index.ts', 'listed'),
      'sim/b.ts': importer('./a.ts', '../kernel-model/index.ts', '../traces/a.ts', 'listed'),
      'properties/b.ts': importer('../kernel-model/index.ts', '../traces/a.ts', '../sim/a.ts', 'listed'),
      'sim/cli/b.ts': importer(
        './a.ts',
        '../../kernel-model/index.ts',
        '../../traces/a.ts',
        '../a.ts',
        '../../properties/a.ts',
        'listed',
        'node:fs',
      ),
      'bench/b.ts': importer('../kernel-model/index.ts', '../sim/a.ts', '../sim/cli/a.ts', '../properties/a.ts', 'tool', 'node:fs'),
      'test/b.ts': importer('../kernel-model/index.ts', '../sim/cli/a.ts', '../properties/a.ts', '../scripts/a.ts', 'tool', 'node:fs'),
      'test/kernel-model/b.ts': importer('../../kernel-model/inner.ts'),
    });
    expect(found).to.deep.equal([]);
  });

  it('finds each import against the table', async () => {
    const found = await broken({
      'kernel-model/b.ts': importer('../traces/a.ts', '../sim/a.ts', '../test/a.ts', '../other.ts', 'listed', 'node:fs'),
      'traces/b.ts': importer('../sim/a.ts', '../properties/a.ts', 'node:zlib'),
      'sim/b.ts': importer('./cli/a.ts', '../properties/a.ts', '../test/a.ts', 'node:fs'),
      'properties/b.ts': importer('../sim/cli/a.ts', '../bench/a.ts', 'node:fs'),
      'sim/cli/b.ts': importer('../../test/a.ts', '../../scripts/a.ts'),
      'bench/b.ts': importer('../test/a.ts'),
      'scripts/b.ts': importer('../test/a.ts'),
    });
    expect(found).to.deep.equal([
      'layer-bench-scripts: bench/b.ts -> test/a.ts',
      'layer-bench-scripts: scripts/b.ts -> test/a.ts',
      'layer-kernel-model: kernel-model/b.ts -> fs',
      'layer-kernel-model: kernel-model/b.ts -> node_modules/listed/index.js',
      'layer-kernel-model: kernel-model/b.ts -> other.ts',
      'layer-kernel-model: kernel-model/b.ts -> sim/a.ts',
      'layer-kernel-model: kernel-model/b.ts -> test/a.ts',
      'layer-kernel-model: kernel-model/b.ts -> traces/a.ts',
      'layer-properties: properties/b.ts -> bench/a.ts',
      'layer-properties: properties/b.ts -> fs',
      'layer-properties: properties/b.ts -> sim/cli/a.ts',
      'layer-sim-cli: sim/cli/b.ts -> scripts/a.ts',
      'layer-sim-cli: sim/cli/b.ts -> test/a.ts',
      'layer-sim: sim/b.ts -> fs',
      'layer-sim: sim/b.ts -> properties/a.ts',
      'layer-sim: sim/b.ts -> sim/cli/a.ts',
      'layer-sim: sim/b.ts -> test/a.ts',
      'layer-traces: traces/b.ts -> properties/a.ts',
      'layer-traces: traces/b.ts -> sim/a.ts',
      'layer-traces: traces/b.ts -> zlib',
    ]);
  });

  it('finds a way past the index of the model, a type import too', async () => {
    const found = await broken({
      'traces/b.ts': importer('../kernel-model/inner.ts'),
      'sim/cli/b.ts': importer('../../kernel-model/inner.ts'),
      'test/sim/b.ts': "import type { Two } from '../../kernel-model/inner.ts';\nexport type Three = Two;",
    });
    expect(found).to.deep.equal([
      'model-through-index: sim/cli/b.ts -> kernel-model/inner.ts',
      'model-through-index: test/sim/b.ts -> kernel-model/inner.ts',
      'model-through-index: traces/b.ts -> kernel-model/inner.ts',
    ]);
  });

  it('finds cycles, dead imports, and packages that a user would not have', async () => {
    const found = await broken({
      'sim/b.ts': importer('./c.ts', 'tool'),
      'sim/c.ts': importer('./b.ts', './nowhere.ts'),
      'properties/b.ts': importer('stray'),
    });
    expect(found).to.deep.equal([
      'layer-sim: sim/c.ts -> ./nowhere.ts',
      'no-cycle: sim/b.ts -> sim/c.ts',
      'package-is-listed: properties/b.ts -> node_modules/stray/index.js',
      'published-without-dev-packages: sim/b.ts -> node_modules/tool/index.js',
      'resolvable: sim/c.ts -> ./nowhere.ts',
    ]);
  });
});
