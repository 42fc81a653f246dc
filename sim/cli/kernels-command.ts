/** `faultline kernels`: which kernels there are, what each gets wrong, and every wrong decision that can be switched on. */
import { KERNELS, MUTANTS, type Mutant, type NamedKernel } from '../../kernel-model/index.ts';
import { indent } from '../report.ts';
import type { CommandDefinition } from './context.ts';
import { jsonOption } from './options.ts';

const EXAMPLES = `
Examples:
  faultline kernels
  faultline kernels --json | jq -r '.decisions[].id'`;

export const defineKernels: CommandDefinition = (program, { terminal }) => {
  program
    .command('kernels')
    .description('list the kernels and the wrong decisions that make them')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async ({ json }: { readonly json?: boolean }) => {
      await terminal.writeLines(json === true ? [JSON.stringify(document())] : listing());
    });
};

const document = (): object => ({
  kernels: KERNELS.map(({ name, says, segmentBounds, mutants, parameters }) => ({ name, says, segmentBounds, parameters, decisions: mutants.map(({ id }) => id) })),
  decisions: MUTANTS.map(({ id, rule, says, source, section, brokenBy }) => ({ id, rule, says, source, section: section ?? null, brokenBy })),
});

function listing(): string[] {
  const [right, ...others] = KERNELS;
  return [
    ...kernelLines(right!),
    ...others.flatMap((kernel) => ['', ...kernelLines(kernel)]),
    '',
    'Wrong decisions. To combine:',
    '  kevlar+no-teardown            the right kernel with one of them (any number: +a+b)',
    '  kevlar@m9.8.1~no-teardown     a kernel that existed, without one of them',
    '',
    ...MUTANTS.flatMap(mutantLines),
  ];
}

function kernelLines({ name, says, mutants }: NamedKernel): string[] {
  return [name, `  ${says}`, ...indent(wrapped(mutants.length === 0 ? 'no wrong decisions' : mutants.map(({ id }) => id).join(' ')))];
}

function mutantLines({ id, rule, says, source, section, brokenBy }: Mutant): string[] {
  const seenBy = brokenBy.length === 0 ? 'costs only speed' : `seen by ${brokenBy.join(', ')}`;
  const bug = section === undefined ? '' : `, bug ${section}`;
  return [id, ...indent([...wrapped(says), `rule ${rule}; ${seenBy}`, `source: ${source}${bug}`])];
}

const LINE_WIDTH = 76;

/** Words in lines of at most 76 characters, a longer word on a line of its own. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
