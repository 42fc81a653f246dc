/**
 * mocha's settings. `npm test -- --replay FILE` (or REPLAY=FILE) loads nothing but the suite that replays that one failure;
 * otherwise that suite comes first, and replays the failures that earlier runs stored.
 */
'use strict';

const isReplay = process.env.REPLAY !== undefined || process.argv.some((arg) => arg === '--replay' || arg.startsWith('--replay='));
const stored = 'test/helpers/stored-failures.ts';

module.exports = {
  'node-option': ['import=tsx/esm'],
  require: ['test/helpers/seed.ts'],
  ...(isReplay ? { spec: [stored] } : { file: [stored], spec: ['test/**/*.test.ts'] }),
  recursive: true,
  timeout: 60000,
};
