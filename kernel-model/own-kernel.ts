/**
 * Kernels of a user's own: a kernel that is known, with decisions of his on top.
 *
 *     class Eager extends Rules {
 *       override assemblyFills() { return 'firstVma' as const; }
 *     }
 *     export const kernel = defineKernel({ name: 'eager', rules: Eager });
 *
 * Each rule that his class answers is one decision, called `Eager.assemblyFills`, which can be taken back like any wrong
 * decision of the bug zoo: so the shrinker's last step and the search for what is to blame end in his own code. A rule is
 * pure. The model makes instances of the class as it needs them and keeps none of them for a second run.
 */
import type { Design } from './design.ts';
import { KernelBug } from './errors.ts';
import { addKernel, designOf, kernelNamed, KERNELS, type NamedKernel } from './kernels.ts';
import type { Mutant } from './mutants/mutant.ts';
import { DEFAULT_PARAMETERS, parameterProblem, type Parameters } from './parameters.ts';
import { Rules } from './rules.ts';

/** A class of rules: one that extends `Rules`, or one of its own with some of the same methods. */
export type RulesClass = new () => Partial<Rules>;

/** What makes a kernel. */
export interface KernelDefinition {
  /** What traces and commands call it: letters, digits and `.`, `_`, `-`, `@`. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly says?: string;
  /** The kernel to begin with, with its parameters and wrong decisions: `kevlar` (the default), `kevlar@m9.8.1`, … */
  readonly base?: string;
  /** The decisions, over those of the base. `super` is always the right decision, not the base's. */
  readonly rules?: RulesClass;
  /** Parameters in which the kernel differs from its base. */
  readonly parameters?: Partial<Parameters>;
  /** The layout, made of the base's: constants that the reference reader takes over, so they are a choice and never wrong. */
  readonly layout?: (design: Design, parameters: Parameters) => Design;
}

/** A kernel as `defineKernel` makes it. */
export interface OwnKernel extends NamedKernel {
  readonly definition: KernelDefinition;
  /** The decisions of its class of rules; `mutants` has those of the base before them. */
  readonly decisions: readonly Mutant[];
}

/** A definition that makes no kernel: its author's mistake. The message begins with the field. */
export class KernelDefinitionError extends Error {
  override readonly name = 'KernelDefinitionError';
}

/** A rule of a user's own that threw: its author's mistake. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}

/** Names as the command line and the headers of traces can hold them. */
const NAME = /^[A-Za-z][\w.@-]{0,99}$/;

const FIELDS: readonly (keyof KernelDefinition)[] = ['name', 'says', 'base', 'rules', 'parameters', 'layout'];

type RuleName = keyof Rules;
const RULE_NAMES = Object.getOwnPropertyNames(Rules.prototype).filter((name) => name !== 'constructor') as readonly RuleName[];

/**
 * Makes a kernel, and makes its name known: traces whose header names it run on it.
 *
 * A name that was defined before means the new kernel from now on; names of faultline's own kernels cannot be had.
 *
 * @throws KernelDefinitionError that names the field
 */
export function defineKernel(definition: KernelDefinition): OwnKernel {
  checkFields(definition);
  return kernelOf(definition, definition.rules === undefined ? [] : decisionsOf(definition.rules, definition.name));
}

/**
 * The kernel of a definition whose decisions are known, as another copy of faultline found them; its name is known from now on.
 *
 * @throws KernelDefinitionError that names the field
 */
export function kernelOf(definition: KernelDefinition, decisions: readonly Mutant[]): OwnKernel {
  const { name, says = 'a kernel of your own', base: baseName = 'kevlar', layout } = definition;
  if (KERNELS.some((kernel) => kernel.name === name)) fail('name', `${show(name)} is a kernel of faultline's own: choose another name`);
  const base = kernelNamed(baseName);
  if (typeof base === 'string') return fail('base', base);
  const parameters = { ...base.parameters, ...definition.parameters };
  const problem = parameterProblem({ ...DEFAULT_PARAMETERS, ...parameters });
  if (problem !== undefined) fail(`parameters.${problem.name}`, problem.message);
  const mutants = [...base.mutants, ...decisions];
  if (layout !== undefined) checkLayout(layout, designOf(base, DEFAULT_PARAMETERS));
  const kernel: OwnKernel = { ...base, name, says, mutants, parameters, definition, decisions, layout: layout ?? base.layout };
  addKernel(kernel);
  return kernel;
}

function checkFields(definition: KernelDefinition): void {
  for (const field of Object.keys(definition)) {
    if (!FIELDS.some((one) => one === field)) fail(field, `there is no such field${meant(field, FIELDS)}; there is ${FIELDS.join(', ')}`);
  }
  const { name, says, base, rules, parameters = {}, layout } = definition as Partial<Record<keyof KernelDefinition, unknown>>;
  if (typeof name !== 'string' || !NAME.test(name))
    fail('name', `must be letters, digits and . _ - @, at most 100 and a letter first; found ${show(name)}`);
  if (says !== undefined && typeof says !== 'string') fail('says', `must be a text; found ${show(says)}`);
  if (base !== undefined && typeof base !== 'string') fail('base', `must be the name of a kernel; found ${show(base)}`);
  if (rules !== undefined && !isClass(rules)) fail('rules', `must be a class that extends Rules; found ${show(rules)}`);
  if (layout !== undefined && typeof layout !== 'function')
    fail('layout', `must be a function from a design to a design; found ${show(layout)}`);
  if (typeof parameters !== 'object' || parameters === null) return fail('parameters', `must be an object; found ${show(parameters)}`);
  const names = Object.keys(DEFAULT_PARAMETERS);
  const unknown = Object.keys(parameters).find((one) => !names.includes(one));
  if (unknown !== undefined) fail(`parameters.${unknown}`, `there is no such parameter${meant(unknown, names)}`);
}

/** A layout must give what it was given, with other values at most. */
function checkLayout(layout: NonNullable<KernelDefinition['layout']>, base: Design): void {
  const made = layout(base, DEFAULT_PARAMETERS) as Design | undefined;
  if (typeof made !== 'object') return fail('layout', `must give a design; it gave ${show(made)}`);
  for (const [field, value] of Object.entries(base)) {
    const found: unknown = made[field as keyof Design];
    if (typeof found !== typeof value) fail(`layout.${field}`, `must be a ${typeof value}; it gave ${show(found)}`);
  }
  if (made.name !== base.name) fail('layout.name', `must stay ${show(base.name)}: it is the design that the kernel begins with`);
}

const isClass = (value: unknown): value is RulesClass =>
  typeof value === 'function' && typeof (value as { readonly prototype?: unknown }).prototype === 'object';

/** One decision for each rule that a class answers itself. @throws KernelDefinitionError for a method that is no rule */
function decisionsOf(Own: RulesClass, kernelName: string): readonly Mutant[] {
  const own = new Own();
  for (const method of methodsOf(own)) {
    if (!RULE_NAMES.some((rule) => rule === method))
      fail(
        'rules',
        `there is no rule ${show(method)}${meant(method, RULE_NAMES)} (a helper is a #private method, or a function beside the class)`,
      );
  }
  const isOwn = (rule: RuleName): boolean => typeof own[rule] === 'function' && own[rule] !== Rules.prototype[rule];
  // A class that was written into the definition got its field's name.
  const author = Own.name === '' || Own.name === 'rules' ? kernelName : Own.name;
  return RULE_NAMES.filter(isOwn).map((rule) => decisionOf(Own, rule, author));
}

/** Every method that an instance has of its own class and of those between that and `Rules` or `Object`. */
function methodsOf(own: Partial<Rules>): readonly string[] {
  const names = new Set<string>();
  for (let at: object | null = own; at !== null && at !== Rules.prototype && at !== Object.prototype; at = parentOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && typeof value === 'function') names.add(name);
    }
  }
  return [...names];
}

const parentOf = (value: object): object | null => Object.getPrototypeOf(value) as object | null;

type Method = (...args: readonly unknown[]) => unknown;

/** The rule of the user's class as a mixin: it is asked of an instance of his, so that his fields and #private methods are there. */
function decisionOf(Own: RulesClass, rule: RuleName, author: string): Mutant {
  const id = `${author}.${rule}`;
  const apply = (base: typeof Rules): typeof Rules => {
    const own = new Own() as Readonly<Record<RuleName, Method>>;
    const WithDecision = class extends base {};
    const value: Method = (...args) => {
      try {
        return own[rule](...args);
      } catch (error) {
        if (error instanceof KernelBug) throw error;
        throw new RuleError(`the rule ${id} threw ${error instanceof Error ? `${error.name}: ${error.message}` : show(error)}`);
      }
    };
    Object.defineProperty(WithDecision.prototype, rule, { value });
    return WithDecision;
  };
  return { id, rule, says: `${author} answers \`${rule}\` in its own way`, source: '', brokenBy: [], apply };
}

/** `; did you mean "assemblyFills"?` for a name that is nearly one of those there are. */
function meant(name: string, there: readonly string[]): string {
  const [best] = there
    .map((one) => ({ one, distance: editDistance(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, name.length / 3) ? `; did you mean ${show(best.one)}?` : '';
}

/** Letters to be put in, left out or changed to make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** A value as an error shows it: short, and a class or function by its name. */
function show(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value === 'symbol' || typeof value === 'bigint') return String(value);
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const SHOWN_MAX = 60;

function fail(field: string, problem: string): never {
  throw new KernelDefinitionError(`${field}: ${problem}`);
}
