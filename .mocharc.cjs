/**
 * mocha's settings: test files run side by side, one to a core.
 *
 * `npm test -- --replay FILE` (or REPLAY=FILE) loads nothing but the suite that replays that one failure; otherwise that suite
 * is the first, and replays the failures that earlier runs stored.
 */
'use strict';
const { availableParallelism } = require('node:os');

const isReplay = process.env.REPLAY !== undefined || process.argv.some((arg) => arg === '--replay' || arg.startsWith('--replay='));
const stored = 'test/helpers/stored-failures.ts';

module.exports = {
  'node-option': ['import=tsx/esm'],
  require: ['test/helpers/seed.ts'],
  spec: isReplay ? [stored] : [stored, 'test/**/*.test.ts'],
  parallel: !isReplay,
  jobs: Math.max(2, availableParallelism()),
  timeout: 60000,
};
