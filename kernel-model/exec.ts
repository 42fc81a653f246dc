/**
 * exec: a new address space from an ELF image, laid out and filled by the design, then put in the place of the old one.
 *
 * Nothing of the old space is touched until the new one is complete.
 */
import type { AddressSpace } from './address-space.ts';
import { writeBackAll } from './cache-fill.ts';
import { checkImage, isElf, parseElf, type Image } from './elf.ts';
import type { Errno } from './errors.ts';
import type { ExecPlan, ExecRequest, LoadedImage } from './exec-request.ts';
import { leaveSpace, dropSpace } from './exit.ts';
import type { File } from './file.ts';
import type { Kernel, Operation, Process } from './kernel.ts';
import { PAGE_BYTES } from './units.ts';

const INTERPRETER_PATH_MAX = 255;

/** What is executed. */
export interface Program {
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** How a design lays a program out, and fills a new space by that plan; false when a frame or a table could not be had. */
export interface Loader {
  readonly plan: (request: ExecRequest) => ExecPlan | Errno;
  readonly fill: (k: Kernel, space: AddressSpace, plan: ExecPlan, request: ExecRequest) => Operation<boolean>;
}

/** The same, laid out as `loader` says. */
export function* execWith(k: Kernel, process: Process, { path, argv, env }: Program, loader: Loader): Operation<0 | Errno> {
  const request = loadRequest(k.files, k.design.userEnd, path, argv, env);
  if (typeof request === 'string') return request;
  const plan = loader.plan(request);
  if (typeof plan === 'string') return plan;
  // Segments are read from the store, so it has to be current.
  if ((yield* writeBackAll(k, request.program.file)) !== undefined) return 'EIO';
  const space = k.createSpace(process.pid);
  if (space === undefined) return 'ENOMEM';
  const isComplete = yield* loader.fill(k, space, plan, request);
  if (!isComplete) {
    if (k.rules.failedCallUndoes('exec')) yield* dropSpace(k, space);
    else k.spaces.delete(space);
    return 'ENOMEM';
  }
  const old = process.space;
  process.space = space;
  process.argv0 = argv[0] ?? path;
  process.vforkParent = undefined;
  for (const cpu of k.cpus) if (cpu.pid === process.pid) k.switchTo(cpu, process);
  k.counts.execs++;
  k.emit({ type: 'process_exec', pid: process.pid, argv0: process.argv0, entry: plan.entry });
  yield* leaveSpace(k, old);
  return 0;
}

/**
 * What an exec of `path` needs to be planned: the images and the strings.
 *
 * @returns ENOENT for an unknown path, ENOEXEC for a file that is no program this kernel runs
 */
export function loadRequest(
  files: ReadonlyMap<string, File>,
  userEnd: number,
  path: string,
  argv: readonly string[],
  env: readonly string[],
): ExecRequest | Errno {
  const program = loadImage(files, userEnd, path);
  if (typeof program === 'string') return program;
  const { interp } = program.image;
  if (interp === undefined) return { program, interpreter: undefined, argv, env, random: randomBytes(argv) };
  const name = program.file.read(interp.offset, Math.min(interp.lengthBytes, INTERPRETER_PATH_MAX));
  const interpreter = loadImage(files, userEnd, String.fromCharCode(...name).replace(/\0.*$/s, ''));
  if (typeof interpreter === 'string') return interpreter;
  if (interpreter.image.type !== 'dyn' || interpreter.image.interp !== undefined) return 'ENOEXEC';
  return { program, interpreter, argv, env, random: randomBytes(argv) };
}

function loadImage(files: ReadonlyMap<string, File>, userEnd: number, path: string): LoadedImage | Errno {
  const file = files.get(path);
  if (file === undefined) return 'ENOENT';
  const header = file.read(0, PAGE_BYTES);
  if (!isElf(header)) return 'ENOEXEC';
  const image: Image | { field: string } = parseElf(header, file.size);
  if ('field' in image || image.segments.length === 0 || checkImage(image, file.size, userEnd) !== undefined) return 'ENOEXEC';
  return { file, image };
}

/** The bytes behind AT_RANDOM: a function of the arguments, so that a run has no chance in it. */
function randomBytes(argv: readonly string[]): Uint8Array {
  let state = 0x811c9dc5;
  for (const char of argv.join('\0')) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193);
  return Uint8Array.from({ length: 16 }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return state >>> 24;
  });
}
