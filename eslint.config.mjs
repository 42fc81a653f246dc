/**
 * Lint rules: types used safely, and nothing below the edge that depends on the machine or the moment.
 *
 * test/tidy.test.ts feeds this file bad code and expects every fault to be found. Layers are dependency-cruiser's.
 */
import { builtinModules } from 'node:module';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Below the edge: a run here is a function of (trace, kernel, version). */
const PURE = ['kernel-model/**/*.ts', 'traces/**/*.ts', 'sim/**/*.ts', 'properties/**/*.ts', 'api/**/*.ts'];
const EDGE = ['sim/cli/**/*.ts', 'sim/viewer/page/**/*.ts'];

const STYLE_SYNTAX = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: a name is the same everywhere.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Export by name: a name is the same everywhere.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals: only erasable syntax.' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Use a file: only erasable syntax.' },
];

const DETERMINISM = 'a run is a function of (trace, kernel, version); ask the edge (sim/cli) to pass it in';

const PURE_SYNTAX = [
  ...STYLE_SYNTAX,
  { selector: 'MemberExpression[property.name=/^toLocale/]', message: `The locale differs between machines: ${DETERMINISM}.` },
  { selector: 'MemberExpression[property.name="localeCompare"]', message: 'The locale differs between machines: compare with < and >.' },
  { selector: 'NewExpression[callee.name="Date"]', message: `A clock: ${DETERMINISM}.` },
  { selector: 'ImportExpression', message: 'Import statically: the order of loading is part of a run.' },
];

const PURE_GLOBALS = [
  ...['Date', 'performance'].map((name) => ({ name, message: `A clock: ${DETERMINISM}.` })),
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({ name, message: `A timer: ${DETERMINISM}.` })),
  ...['process', 'console', 'fetch', 'require'].map((name) => ({ name, message: `The outside: ${DETERMINISM}.` })),
  { name: 'crypto', message: 'Chance: use sim/prng.ts.' },
  { name: 'Intl', message: `The locale differs between machines: ${DETERMINISM}.` },
  { name: 'Buffer', message: 'Of Node only, and allocUnsafe shows old memory: use Uint8Array.' },
  ...['WeakRef', 'FinalizationRegistry'].map((name) => ({ name, message: 'The garbage collector decides: keep a strong reference.' })),
  ...['globalThis', 'global'].map((name) => ({ name, message: 'A way round the bans.' })),
];

const PURE_IMPORTS = {
  paths: builtinModules.map((name) => ({ name, message: `A module of Node: ${DETERMINISM}.` })),
  patterns: [{ regex: '^node:', message: `A module of Node: ${DETERMINISM}.` }],
};

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'guest/', 'failures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-self-compare': 'error',
      'no-unsafe-finally': 'error',
      'no-unreachable': 'error',
      'no-fallthrough': 'error',
      'no-sparse-arrays': 'error',
      'no-cond-assign': 'error',
      'no-duplicate-case': 'error',
      'no-restricted-syntax': ['error', ...STYLE_SYNTAX],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // an index that was checked a line above
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      '@typescript-eslint/no-meaningless-void-operator': 'off', // `(): void => void list.push(x)` says what it means
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
    },
  },
  {
    files: PURE,
    ignores: EDGE,
    rules: {
      'no-restricted-globals': ['error', ...PURE_GLOBALS],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Chance: use sim/prng.ts.' }],
      'no-restricted-imports': ['error', PURE_IMPORTS],
      'no-restricted-syntax': ['error', ...PURE_SYNTAX],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off', // chai: expect(x).to.be.true
    },
  },
  {
    // Configuration files: their default export is what the tool asks for, and they belong to no tsconfig.
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
);
