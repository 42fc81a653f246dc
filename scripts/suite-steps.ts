/**
 * The 102 checks and the processes that each starts.
 *
 * `run` in suite-102.json says for each check which processes the runner starts, one after the other. Within a program's
 * brackets stands what it does itself:
 *
 *     cat       it execs cat in place
 *     +cat      it forks a child, which execs cat, and waits
 *     +-        a child that execs nothing (a builtin in a subshell)
 *     -|tee     a pipeline: a child for each, all forked before the first runs, then it waits for all
 *     sh        without brackets: nothing but builtins
 *
 * The runner itself forks a child for each program it starts. A shell execs its last command in place, as ash does.
 */
import CHECKS_JSON from './suite-102.json' with { type: 'json' };

export interface Check {
  readonly n: number;
  readonly name: string;
  /** What its shells run, in words. */
  readonly what: string;
  /** The first and the last process that it starts; a check without an own range starts one all the same. */
  readonly firstPid: number;
  readonly lastPid: number;
  /** Execs that succeed in it. */
  readonly execs: number;
  readonly run: string;
  /** Does the total count it always (the default), only when it holds (it is skipped on an error), or never? */
  readonly counts?: 'ifHeld' | 'never';
}

export const CHECKS = CHECKS_JSON as readonly Check[];

/** A program that a process becomes, undefined if it execs nothing, and what it does then. */
export interface Command {
  readonly program: string | undefined;
  readonly steps: readonly Step[];
}

export type Step =
  { readonly how: 'inPlace'; readonly command: Command } | { readonly how: 'children'; readonly commands: readonly Command[] };

/** What the runner does for a check: each program in a child of its own. */
export const runOf = (check: Check): readonly Command[] => parseSteps(check.run).flatMap(commandsOf);

const commandsOf = (step: Step): readonly Command[] => (step.how === 'inPlace' ? [step.command] : step.commands);

/** Every program that a command execs, itself first. */
export const programsOf = ({ program, steps }: Command): readonly string[] => [
  ...(program === undefined ? [] : [program]),
  ...steps.flatMap(commandsOf).flatMap(programsOf),
];

/** The command as a shell would be told it; a builtin is `:`. */
export const shellText = ({ steps }: Command): string =>
  steps.length === 0 ? ':' : steps.map((step) => commandsOf(step).map(wordsOf).join(' | ')).join('; ');

const wordsOf = (command: Command): string => [command.program ?? ':', ...command.steps.flatMap(commandsOf).map(wordsOf)].join(' ');

function parseSteps(text: string): readonly Step[] {
  const tokens = text.match(/[a-z0-9]+|[-+|()]/g) ?? [];
  const steps = parseList(tokens);
  if (tokens.length > 0) throw new Error(`run ${JSON.stringify(text)}: ${JSON.stringify(tokens[0])} is out of place`);
  return steps;
}

/** Takes steps off the front of `tokens` up to the end or a closing bracket. */
function parseList(tokens: string[]): readonly Step[] {
  const steps: Step[] = [];
  while (tokens.length > 0 && tokens[0] !== ')') {
    const isChild = take(tokens, '+');
    const commands = [parseCommand(tokens)];
    while (take(tokens, '|')) commands.push(parseCommand(tokens));
    steps.push(isChild || commands.length > 1 ? { how: 'children', commands } : { how: 'inPlace', command: commands[0]! });
  }
  return steps;
}

function parseCommand(tokens: string[]): Command {
  const word = tokens.shift();
  if (word === '-') return { program: undefined, steps: [] };
  if (word === undefined || !/^[a-z0-9]+$/.test(word)) throw new Error(`run: ${JSON.stringify(word)} is no program`);
  if (!take(tokens, '(')) return { program: word, steps: [] };
  const steps = parseList(tokens);
  if (!take(tokens, ')')) throw new Error(`run: the bracket of ${word} is open`);
  return { program: word, steps };
}

function take(tokens: string[], token: string): boolean {
  if (tokens[0] !== token) return false;
  tokens.shift();
  return true;
}
