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
  kernels: KERNELS.map(({ name, says, segmentBounds, mutants, parameters }) => ({
    name,
    says,
    segmentBounds,
    parameters,
    decisions: mutants.map(({ id }) => id),
  })),
  decisions: MUTANTS.map(({ id, rule, says, source, section, zoo, needs, brokenBy, unseen }) => ({
    id,
    rule,
    says,
    source,
    section: section ?? null,
    zoo: zoo ?? [],
    needs: needs ?? null,
    brokenBy,
    unseen: unseen ?? null,
  })),
});

function listing(): string[] {
  const [right, ...others] = KERNELS;
  return [
    ...kernelLines(right!),
    ...others.flatMap((kernel) => ['', ...kernelLines(kernel)]),
    '',
    'Wrong decisions. To combine:',
    '  kevlar+no-teardown            the right kernel with one or more: +a+b',
    '  kevlar@m9.8.1~no-teardown     a kernel that existed, without one of them',
    '',
    ...MUTANTS.flatMap(mutantLines),
  ];
}

/** The kernel that the others are told from: they share most of its decisions. */
const BASE = 'kevlar@m9.8.1';

function kernelLines(kernel: NamedKernel): string[] {
  return [kernel.name, ...indent([kernel.says, decisionsText(kernel)].flatMap(wrapped))];
}

function decisionsText({ name, mutants }: NamedKernel): string {
  const base = KERNELS.find((kernel) => kernel.name === BASE)!.mutants;
  const ids = (list: readonly Mutant[], sign = ''): string[] => list.map(({ id }) => sign + id);
  const shared = mutants.filter((mutant) => base.includes(mutant));
  if (mutants.length === 0) return 'no wrong decisions';
  if (name === BASE || shared.length < base.length / 2) return ids(mutants).join(' ');
  const added = mutants.filter((mutant) => !base.includes(mutant));
  const taken = base.filter((mutant) => !mutants.includes(mutant));
  return [`the decisions of ${BASE}`, ...ids(added, '+'), ...ids(taken, '~')].join(' ');
}

function mutantLines({ id, rule, says, source, section, brokenBy, needs, unseen }: Mutant): string[] {
  const seenBy = unseen ?? `seen by ${brokenBy.join(', ')}${needs === undefined ? '' : `, with ${needs}`}`;
  const bug = section === undefined ? '' : `; no. ${section} of the latent bugs`;
  return [id, ...indent([says, `rule ${rule}; ${seenBy}`, `source: ${source}${bug}`].flatMap(wrapped))];
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
