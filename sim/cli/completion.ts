/** `faultline completion SHELL`: the script that completes commands, flags, kernels, modes and trace files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { KERNELS } from '../../kernel-model/index.ts';

const TRACE_FILE = /\.jsonl(\.gz|\.zst)?$/;
/** Folders are followed this deep, so that a deep tree does not slow the shell down. */
const FOLDERS_DEEP = 3;

/** To be called when all commands are defined. */
export function addCompletion(program: Command): void {
  const root = tab(program, { completionCommandName: 'completion' });
  for (const command of root.commands.values()) {
    for (const name of ['kernel', 'kernels']) {
      const option = command.options.get(name);
      if (option !== undefined) option.handler = (complete) => KERNELS.forEach(({ name: kernel, says }) => complete(kernel, says));
    }
    for (const argument of command.arguments.values()) {
      if (['trace', 'a', 'b'].includes(argument.name))
        argument.handler = (complete) => traceFiles('.', FOLDERS_DEEP).forEach((path) => complete(path, ''));
    }
  }
}

function traceFiles(folder: string, deep: number): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  const files = entries.filter((entry) => entry.isFile() && TRACE_FILE.test(entry.name)).map(({ name }) => join(folder, name));
  const folders = deep === 0 ? [] : entries.filter((entry) => entry.isDirectory());
  return [...files, ...folders.flatMap(({ name }) => traceFiles(join(folder, name), deep - 1))].sort();
}
