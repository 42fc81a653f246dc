/**
 * The layer table of ARCHITECTURE.md as rules: a folder may import itself and what its row names, nothing else.
 *
 * test/tidy.test.ts plants imports against the table and expects each to be found.
 */

const MODEL = '^kernel-model/';
const TRACES = '^traces/';
const SIM = '^sim/(?!cli/|viewer/page/)';
const CLI = '^sim/cli/';
/** Runs in the browser, as a bundle that holds its packages. */
const PAGE = '^sim/viewer/page/';
const PROPERTIES = '^properties/';
/** What the package exports; nobody here imports it but its users' examples and tests. */
const API = '^api/';
const EXAMPLES = '^examples/';
const EDGES = '^(bench|scripts)/';
const PACKAGES = '^node_modules/';

/** What `allowed` leaves out is forbidden: upper layers, packages, modules of Node, files in the root. */
const layer = (name, from, allowed, to = {}) => ({
  name: `layer-${name}`,
  severity: 'error',
  comment: `${name} imports something that its row in ARCHITECTURE.md does not name.`,
  from: { path: from },
  to: { pathNot: [from, ...allowed], ...to },
});

/** At the edge and in tools modules of Node are fine. */
const NOT_NODE = { dependencyTypesNot: ['core'] };

export default {
  forbidden: [
    layer('kernel-model', MODEL, []),
    layer('traces', TRACES, [MODEL, PACKAGES]),
    layer('sim', SIM, [MODEL, TRACES, PACKAGES]),
    layer('properties', PROPERTIES, [MODEL, TRACES, SIM, PACKAGES]),
    layer('api', API, [MODEL, TRACES, SIM, PROPERTIES, PACKAGES]),
    layer('examples', EXAMPLES, ['^api/index\\.ts$', PACKAGES], NOT_NODE),
    layer('sim-cli', CLI, [MODEL, TRACES, SIM, PROPERTIES, PACKAGES], NOT_NODE),
    layer('viewer-page', PAGE, [MODEL, TRACES, SIM, PACKAGES]),
    layer('bench-scripts', EDGES, [MODEL, TRACES, SIM, CLI, PROPERTIES, PACKAGES], NOT_NODE),
    {
      name: 'model-through-index',
      severity: 'error',
      comment: 'Other folders see the model through kernel-model/index.ts alone; its own tests may look inside.',
      from: { pathNot: [MODEL, '^test/kernel-model/'] },
      to: { path: MODEL, pathNot: '^kernel-model/index\\.ts$' },
    },
    {
      name: 'published-without-dev-packages',
      severity: 'error',
      comment: 'These folders are published; a package of devDependencies is not there at the user.',
      from: { path: [TRACES, '^sim/', PROPERTIES, API], pathNot: PAGE },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'package-is-listed',
      severity: 'error',
      comment: 'The package is not in package.json.',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'no-cycle', severity: 'error', comment: 'Two files need each other.', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', comment: 'The import leads nowhere.', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: PACKAGES },
    exclude: { path: '^(dist|coverage|guest|failures)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // an import of a type counts too
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
