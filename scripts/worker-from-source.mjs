/**
 * A worker thread that runs TypeScript as it lies here. Only for runs from source: threads do not inherit tsx from the process.
 *
 * `workerData.source` names the module; its export `run` does the work. See sim/cli/shrink-run.ts.
 */
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const module = await import(workerData.source);

export const { run } = module;
