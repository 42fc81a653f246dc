/**
 * Watching a kernel decide: every answer of a rule that the right rule would not give, with what it was asked.
 *
 * The spy is one more mixin on top of the kernel's rules. It changes no answer, so the run is the same run; and it needs no
 * table of what is wrong: it asks the right rules the same question.
 */
import { protName, Rules, type NamedKernel } from '../../kernel-model/index.ts';

export type RuleName = keyof Rules;

/** One wrong answer. */
export interface WrongAnswer {
  readonly op: number;
  readonly rule: RuleName;
  /** What the rule was asked, in words. */
  readonly asked: string;
  readonly answer: string;
  readonly right: string;
}

export const RULE_NAMES = Object.getOwnPropertyNames(Rules.prototype).filter((name) => name !== 'constructor') as readonly RuleName[];

type Method = (this: Rules, ...args: readonly unknown[]) => unknown;
const methodOf = (rules: Rules, name: RuleName): Method => (rules as unknown as Readonly<Record<RuleName, Method>>)[name];

/** The same kernel; `hear` is told of each wrong answer, without the op. */
export function spiedOn(kernel: NamedKernel, hear: (wrong: Omit<WrongAnswer, 'op'>) => void): NamedKernel {
  const right = new Rules();
  const apply = (base: typeof Rules): typeof Rules => {
    const Spy = class extends base {};
    for (const name of RULE_NAMES) {
      const decide = methodOf(base.prototype, name);
      if (decide === methodOf(Rules.prototype, name)) continue;
      const spied: Method = function (...args) {
        const answer = decide.apply(this, [...args]);
        const wanted = methodOf(Rules.prototype, name).apply(right, [...args]);
        if (answer !== wanted)
          hear({ rule: name, ...(name.endsWith('Protection') ? rightsOf(args, answer, wanted) : wordsOf(args, answer, wanted)) });
        return answer;
      };
      Object.defineProperty(Spy.prototype, name, { value: spied });
    }
    return Spy;
  };
  const spy = { id: 'spy', rule: RULE_NAMES[0]!, says: 'nothing: it listens', source: '', brokenBy: [], apply };
  return { ...kernel, mutants: [...kernel.mutants, spy] };
}

type Words = Pick<WrongAnswer, 'asked' | 'answer' | 'right'>;

const wordsOf = (args: readonly unknown[], answer: unknown, right: unknown): Words => ({
  asked: words(args),
  answer: word(answer),
  right: word(right),
});

/** Of a protection the numbers are rights: `rw-`. */
function rightsOf(args: readonly unknown[], answer: unknown, right: unknown): Words {
  const rights = (value: unknown): unknown => (typeof value === 'number' ? protName(value) : value);
  return wordsOf(args.map(rights), rights(answer), rights(right));
}

/** `start 0, length 496, not writable`; what is more than a number or a word is left out. */
function words(args: readonly unknown[]): string {
  return args
    .flatMap((arg) => (isPlain(arg) ? Object.entries(arg).flatMap(fieldWords) : typeof arg === 'object' ? [] : [word(arg)]))
    .join(', ');
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function fieldWords([name, value]: [string, unknown]): string[] {
  if (typeof value === 'boolean') return [value ? name : `not ${name}`];
  return typeof value === 'number' || typeof value === 'string' ? [`${name} ${word(value)}`] : [];
}

function word(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return value >= ADDRESS_MIN ? `0x${value.toString(16)}` : String(value);
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return 'none';
  const { start, end } = value as { readonly start?: unknown; readonly end?: unknown };
  return typeof start === 'number' && typeof end === 'number' ? `0x${start.toString(16)}-0x${end.toString(16)}` : 'another';
}

/** From here on a number is an address. */
const ADDRESS_MIN = 0x10000;
