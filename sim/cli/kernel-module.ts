/**
 * Kernels of a user's own: `--kernel FILE` names a module that exports one, made by `defineKernel`.
 *
 * The one place that loads code of others, and only because the command line names it: a trace that says which module its
 * kernel is from is told to whoever runs it, and never followed. TypeScript is stripped of its types by tsx, JavaScript is
 * imported as it is. The module may have imported another copy of faultline (its own project's, or the sources beside the
 * built files): what counts of its kernel is what it was defined by, and that is defined here once more.
 */
import { readFileSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KernelDefinitionError, kernelNamed, kernelOf, type OwnKernel } from '../../kernel-model/index.ts';
import type { TraceHeader } from '../../traces/header.ts';
import { quoted } from './shell-word.ts';
import { UsageError } from './terminal.ts';

/** A module's path, and the decisions added or taken back behind it: `mine.ts~Eager.assemblyFills`. */
const MODULE = /^(?<path>.*\.m?[jt]s)(?<changes>(?:[+~][^/\\]*)?)$/s;

/** Does the value of a flag name a module, and not a kernel? */
export const namesModule = (text: string): boolean => MODULE.test(text) || /[/\\]/.test(text);

/** Modules that were loaded, by the name of the kernel that each exports. */
const LOADED = new Map<string, string>();

/** Absolute path of the module that a kernel is from, if it is of one: what a worker thread must load, too. */
export const modulePath = (name: string): string | undefined => LOADED.get(baseOf(name));

/**
 * The names of the kernels that the values of flags stand for; modules among them are loaded.
 *
 * @throws UsageError that begins with the module's path
 */
export async function loadKernels(texts: readonly string[]): Promise<readonly string[]> {
  const names: string[] = [];
  const seen = new Map<string, string>();
  for (const text of texts) {
    if (!namesModule(text)) {
      names.push(text);
      continue;
    }
    const { path = text, changes = '' } = MODULE.exec(text)?.groups ?? {};
    const { name, decisions } = await loadKernelModule(path);
    const other = seen.get(name);
    if (other !== undefined && resolve(other) !== resolve(path))
      throw new UsageError(`${path}: its kernel has the name of that of ${other}, ${JSON.stringify(name)}: give them two names`);
    seen.set(name, path);
    const kernel = kernelNamed(`${name}${changes}`);
    if (typeof kernel === 'string')
      throw new UsageError(`${text}: ${kernel}; its own decisions are ${decisions.map(({ id }) => id).join(', ') || 'none'}`);
    names.push(`${name}${changes}`);
  }
  return names;
}

/** Loads a module and makes the name of its kernel known. @throws UsageError that begins with the path */
export async function loadKernelModule(path: string): Promise<OwnKernel> {
  checkFile(path);
  const kernel = kernelIn(await importModule(path), path);
  LOADED.set(kernel.name, resolve(path));
  return kernel;
}

function checkFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`${path}: there is no such file (a module that exports a kernel was wanted)`);
  if (!stats.isFile()) throw new UsageError(`${path}: is no file (a module that exports a kernel was wanted)`);
  if (!/\.m?[jt]s$/.test(path)) throw new UsageError(`${path}: is no module: its name must end in .ts, .mts, .js or .mjs`);
}

type Exports = Readonly<Record<string, unknown>>;

async function importModule(path: string): Promise<Exports> {
  if (/ts$/.test(path)) await readTypeScript();
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Exports;
  } catch (error) {
    throw new UsageError(`${path}: ${problemOf(error, path)}`);
  }
}

let isTypeScriptRead = import.meta.url.endsWith('.ts');

/** From here on Node imports TypeScript. No tsconfig.json has a say, so that a module means the same wherever it is loaded. */
async function readTypeScript(): Promise<void> {
  if (isTypeScriptRead) return;
  isTypeScriptRead = true;
  const { register } = await import('tsx/esm/api');
  register({ tsconfig: false });
}

/** What went wrong in the module itself, with the line if the stack has it. */
function problemOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  // Another copy of faultline has a class of its own.
  if (error.name === 'KernelDefinitionError') return `defineKernel: ${error.message}`;
  const [, line] =
    (error.stack ?? '')
      .split('\n')
      .find((one) => one.includes(pathToFileURL(resolve(path)).pathname))
      ?.match(/:(\d+):\d+\)?$/) ?? [];
  const isCommonJs = String((error as NodeJS.ErrnoException).code).startsWith('ERR_REQUIRE');
  const hint = isCommonJs ? ' (it is taken for CommonJS: name it .mts, or put "type": "module" into its package.json)' : '';
  return `${line === undefined ? '' : `line ${line}: `}${error.name}: ${error.message}${hint}`;
}

/** The kernel among the exports of a module. @throws UsageError that says what there is instead */
function kernelIn(module: Exports, path: string): OwnKernel {
  const found = module['kernel'] ?? module['default'];
  if (found === undefined) {
    const names = Object.keys(module);
    throw new UsageError(
      `${path}: exports no kernel: \`export const kernel = defineKernel({ name: … })\` was wanted, ${names.length === 0 ? 'and it exports nothing' : `and it exports ${names.join(', ')}`}`,
    );
  }
  if (!isOwnKernel(found)) throw new UsageError(`${path}: the export must be what defineKernel gave; found ${describe(found)}`);
  const source = fromHere(path);
  try {
    return kernelOf(
      found.definition,
      found.decisions.map((decision) => ({ ...decision, source })),
    );
  } catch (error) {
    if (error instanceof KernelDefinitionError) throw new UsageError(`${path}: defineKernel: ${error.message}`);
    throw error;
  }
}

const isOwnKernel = (value: unknown): value is OwnKernel =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<OwnKernel>).name === 'string' &&
  typeof (value as Partial<OwnKernel>).definition === 'object' &&
  Array.isArray((value as Partial<OwnKernel>).decisions);

function describe(value: unknown): string {
  if (typeof value === 'function') return `the ${/^class\b/.test(String(value)) ? 'class' : 'function'} ${value.name || 'of no name'}`;
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)}`;
  return Array.isArray(value) ? 'a list' : `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`;
}

/** A kernel's name as `--kernel` takes it: with the module's path in place of the name, if it is of a module. */
export function kernelArgument(name: string): string {
  const path = moduleOf(name);
  return path === undefined ? name : `${path.includes('/') ? '' : './'}${path}${name.slice(baseOf(name).length)}`;
}

/** Is the kernel of that name from a module? */
const isOfModule = (name: string): boolean => LOADED.has(baseOf(name));

/** What a command needs besides a trace whose header names that kernel: ` --kernel FILE` if it is of a module. */
export const kernelFlag = (name: string): string => (isOfModule(name) ? ` --kernel ${quoted(kernelArgument(name))}` : '');

/** The source of a kernel's module, by which to tell whether it has changed; empty if it is of none. */
export function moduleText(name: string): string {
  const path = modulePath(name);
  return path === undefined ? '' : readFileSync(path, 'utf8');
}

/** The header as it is written down: it says which module its kernel is from, seen from here, if it is of one. */
export function withModule(header: TraceHeader): TraceHeader {
  const { module: _, name, ...rest } = header.kernel;
  const module = moduleOf(name) ?? (typeof kernelNamed(name) === 'string' ? header.kernel.module : undefined);
  return { ...header, kernel: module === undefined ? { name, ...rest } : { name, module, ...rest } };
}

/** The path of a kernel's module, seen from here. */
function moduleOf(name: string): string | undefined {
  const path = modulePath(name);
  return path === undefined ? undefined : fromHere(path);
}

/** A path seen from the working folder. */
const fromHere = (path: string): string => relative('', path).split(sep).join('/');

/** `eager` of `eager~Eager.assemblyFills`. */
const baseOf = (name: string): string => name.split(/[+~]/, 1)[0]!;
