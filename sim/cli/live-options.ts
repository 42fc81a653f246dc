/** Flags that `run`, `record` and `suite` share, and the machine that they ask for. */
import { Option, type Command } from 'commander';
import type { Parameters } from '../../kernel-model/index.ts';
import { CHECK_MODES, type CheckMode } from '../check/checker.ts';
import { ENGINES, LiveMachine, type EngineName } from '../live.ts';
import type { Watcher } from '../watcher.ts';
import { kernelName, wholeNumber } from './options.ts';

export interface LiveFlags {
  readonly kernel: string;
  readonly threshold?: number;
  readonly frames?: number;
  readonly check: CheckMode;
  readonly engine: EngineName;
  readonly seed: string;
  readonly guest?: string;
  readonly maxInstructions?: number;
}

export const addLiveOptions = (command: Command): Command =>
  command
    .option('-k, --kernel <kernel>', 'kernel to run on; faultline kernels lists them; or the file of your own', kernelName, 'kevlar')
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page', wholeNumber)
    .option('--frames <count>', 'physical frames of 4 KiB', wholeNumber)
    .addOption(
      new Option(
        '--check <mode>',
        'compare every load, every store and the state: after every op, after changes of mappings, at the end, or not at all',
      )
        .choices(CHECK_MODES)
        .default('none'),
    )
    .addOption(new Option('--engine <engine>', 'what executes the instructions').choices(ENGINES).default('wasm'))
    .option('--seed <text>', 'where the guest’s random bytes come from', '1')
    .option('--guest <file>', 'a static riscv64 BusyBox instead of the one that npm run guest got')
    .option('--max-instructions <count>', 'stop after so many instructions', wholeNumber);

/** @throws ReplayError if the kernel or a parameter does not exist */
export function openMachine(flags: LiveFlags, watchers: readonly Watcher[]): LiveMachine {
  const { kernel, check, engine } = flags;
  return new LiveMachine({ kernel, parameters: parametersOf(flags), check, engine, watchers });
}

const parametersOf = ({ threshold, frames }: LiveFlags): Partial<Parameters> => ({
  ...(threshold === undefined ? {} : { assembleThreshold: threshold }),
  ...(frames === undefined ? {} : { frames }),
});
