/** `faultline run`: runs a real riscv64 program on the kernel model and exits as it did. */
import type { Command } from 'commander';
import type { CommandDefinition } from './context.ts';
import { addLiveOptions } from './live-options.ts';
import { runLive, type RunFlags } from './live-run.ts';

const EXAMPLES = `
Examples:
  faultline run -- sh                                     a shell in this terminal; Ctrl-] leaves it
  faultline run -- sh -c 'ls -l / | wc'
  faultline run --kernel kevlar@m9.8 --check changes -- sh -c 'echo a | cat'
  faultline run --root data --stdin words.txt -- sort
  faultline run --elf a.out -- argument

The program's output is passed on. Exits with its status, with 128 and the number of the signal that ended it, or,
with --check, with 2 or 3 if the kernel broke an invariant or a program saw a wrong byte; 5 when a limit was reached.`;

export const addRunOptions = (command: Command): Command =>
  addLiveOptions(command)
    .argument('[command...]', 'program of the guest and its arguments, behind --')
    .option('--root <folder>', 'copy a folder of the host over the guest’s tree')
    .option('--stdin <file>', 'the program’s standard input')
    .option('--elf <file>', 'run this riscv64 program of the host, the arguments being its own')
    .option('--strace', 'print every system call on standard error');

export const defineRun: CommandDefinition = (program, { terminal, exitWith }) => {
  addRunOptions(program.command('run').description('run a riscv64 program live on a kernel'))
    .addHelpText('after', EXAMPLES)
    .action(async (command: string[], flags: RunFlags) => {
      exitWith((await runLive(command, flags, [], terminal)).code);
    });
};
