/**
 * Exhaustive small scope: every trace within a bound, so that 'nothing found' is a proof within it.
 *
 * One program with two segments; where the first ends, where in the file the second begins, and where that ends, are taken
 * from a few places; the threshold is 0, 1 or 2; then all sequences of so many ops, the first an exec. Sequences are left
 * out that say nothing new: ops of a process that does not exist, and a second fork.
 */
import type { FileSpec } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { GeneratedTrace } from './generate.ts';

const PAGE = 4096;
const TEXT = 0x1_0000;

export interface SmallScope {
  /** Where in its last page the text ends. */
  readonly textEnds: readonly number[];
  /** Where the data begins in the file: in the page in which the text ends, or in the next. */
  readonly sharing: readonly ('samePage' | 'sameFilePage' | 'nextPage')[];
  /** Where in its page the data's file part ends, zeros behind it. */
  readonly dataEnds: readonly number[];
  readonly thresholds: readonly number[];
  /** Ops of a trace, the first exec included. */
  readonly opsMax: number;
}

export const SMALL_SCOPE: SmallScope = {
  textEnds: [0xbf0, PAGE],
  sharing: ['samePage', 'sameFilePage', 'nextPage'],
  dataEnds: [0xc20, PAGE],
  thresholds: [0, 1, 2],
  opsMax: 4,
};

/** Every trace of the scope. @param name - the kernel */
export function* smallScopeTraces(scope: SmallScope = SMALL_SCOPE, name = 'kevlar'): Generator<GeneratedTrace> {
  for (const file of programs(scope)) {
    for (const assembleThreshold of scope.thresholds) {
      const kernel = { name, assembleThreshold, frames: 96, cpus: 1, hugePages: 4, faultAroundPages: 2, tlbEntries: 4 } as const;
      const header = { faultline: 1, kernel, files: [file] } as const;
      for (const ops of sequences(alphabet(file), scope.opsMax)) yield { header: { ...header, files: [file] }, ops };
    }
  }
}

function* programs({ textEnds, sharing, dataEnds }: SmallScope): Generator<FileSpec> {
  for (const textEnd of textEnds) {
    for (const where of sharing) {
      for (const dataEnd of dataEnds) {
        const file = program(textEnd, where, dataEnd);
        if (file !== undefined) yield file;
      }
    }
  }
}

/** Two pages of text and one or two of data; undefined if the data cannot begin there. */
function program(textEnd: number, where: SmallScope['sharing'][number], dataEnd: number): FileSpec | undefined {
  const filesz = PAGE + textEnd;
  if (textEnd === PAGE && where !== 'nextPage') return undefined;
  const offset = where === 'nextPage' ? 2 * PAGE : filesz;
  const vaddr = TEXT + (where === 'samePage' ? offset : offset + PAGE);
  const bytes = (where === 'nextPage' ? 3 * PAGE : 2 * PAGE) + dataEnd - PAGE - offset;
  const data = bytes > 0 ? bytes : bytes + PAGE;
  return {
    path: '/p',
    size: offset + data,
    segments: [
      { vaddr: TEXT, offset: 0, filesz, memsz: filesz, flags: 'rx' },
      { vaddr, offset, filesz: data, memsz: data + 0x10, flags: 'rw' },
    ],
    content: { seed: 'p' },
  };
}

/** What can be done: exec, fork, the file page of the text's end into the cache; a look at the text's end and the data's start, a store at its end. */
function alphabet({ path, segments }: FileSpec): readonly Op[] {
  const [text, data] = segments!;
  const textEnd = text!.vaddr + text!.filesz - 1;
  const dataEnd = data!.vaddr + data!.memsz - 1;
  const cached = { length: PAGE, prot: 'r', flags: ['private', 'populate'], path, offset: PAGE } as const;
  return [1, 2].flatMap((pid): Op[] => [
    { pid, op: 'exec', path: '/p' },
    ...(pid === 1 ? [{ pid, op: 'fork', child: 2 } as const] : []),
    { pid, op: 'touch', addr: textEnd, access: 'r' },
    { pid, op: 'touch', addr: data!.vaddr, access: 'r' },
    { pid, op: 'touch', addr: dataEnd, access: 'w' },
    pid === 1 ? { pid, op: 'mmap', addr: 0, ...cached, flags: [...cached.flags] } : { pid, op: 'exit' },
  ]);
}

/** All sequences of exactly `length` ops that begin with an exec; shorter ones are their beginnings. */
function* sequences(letters: readonly Op[], length: number): Generator<readonly Op[]> {
  yield* continued([letters[0]!], letters, length, 'alone');
}

function* continued(
  ops: readonly Op[],
  letters: readonly Op[],
  length: number,
  child: 'alone' | 'live' | 'gone',
): Generator<readonly Op[]> {
  if (ops.length === length) {
    yield ops;
    return;
  }
  for (const op of letters) {
    if (op.pid === 2 && child !== 'live') continue;
    if (op.op === 'fork' && child !== 'alone') continue;
    const next = op.op === 'fork' ? 'live' : op.op === 'exit' ? 'gone' : child;
    yield* continued([...ops, op], letters, length, next);
  }
}
