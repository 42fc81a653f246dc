/** What every command is given: the terminal, and the way to say how it went. */
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

export interface Context {
  readonly terminal: Terminal;
  /** Sets the exit code of the process. */
  readonly exitWith: (code: number) => void;
}

/** Adds a command to the program. */
export type CommandDefinition = (program: Command, context: Context) => void;
