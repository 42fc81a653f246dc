/**
 * The ops of a sequence: one line of words each, as the recorder of the sequences and test/linux/mm-host.c take them.
 *
 *     [@K] OP                 K = the process, default 0
 *     mmap ADDR LEN PROT FLAGS FILE OFF      prot: - or letters r w x     file: - f0 f1 f2 bad
 *         flags, comma list: p private, s shared, sv shared_validate, a anonymous, F fixed, N noreplace, R noreserve, P populate, L locked,
 *         G growsdown, U a bit without meaning, - nothing
 *     munmap | mlock | munlock | msync | mincore ADDR LEN
 *     mprotect ADDR LEN PROT        D among the letters is PROT_GROWSDOWN
 *     mremap OLD OLDLEN NEWLEN FLAGS NEW     flags: - or letters m maymove, f fixed, d dontunmap
 *     madvise ADDR LEN ADVICE | brk ADDR | w ADDR BYTE | r ADDR | fork | exit | nop
 *     ftrunc FILE SIZE | fwrite FILE OFF BYTE | fread FILE OFF | sysread FILE OFF ADDR LEN | syswrite FILE OFF ADDR LEN
 *
 * One table says which words an op has and in which order; parser and printer are made from it. Lengths are bigints: a sequence may ask
 * for 2^64 - 1 bytes, which no double holds.
 */
import type { Place } from './arena.ts';

/** `f2` is f1 opened for reading only, `bad` a descriptor that is not open. */
export type FileName = 'f0' | 'f1' | 'f2' | 'bad';

/** `-` is no flag: it may stand where the type does, in `-,a,F`. */
export type MapLetter = '-' | 'p' | 's' | 'sv' | 'a' | 'F' | 'N' | 'R' | 'P' | 'L' | 'G' | 'U';
export type RemapLetter = 'm' | 'f' | 'd';
export type ProtLetter = 'r' | 'w' | 'x' | 'D';

/** In the grammar's spelling; `bogus` is a number that no kernel knows. */
export const ADVICES = [
  'normal',
  'random',
  'sequential',
  'willneed',
  'dontneed',
  'free',
  'remove',
  'dontfork',
  'dofork',
  'hugepage',
  'nohugepage',
  'dontdump',
  'dodump',
  'wipeonfork',
  'keeponfork',
  'cold',
  'pageout',
  'populate_read',
  'populate_write',
  'collapse',
  'guard_install',
  'guard_remove',
  'bogus',
] as const;
export type AdviceName = (typeof ADVICES)[number];

/** What a word of an op is. */
export interface Words {
  readonly place: Place;
  /** Of 64 bits. */ readonly length: bigint;
  readonly offset: number;
  readonly byte: number;
  readonly prot: readonly ProtLetter[];
  readonly mapFlags: readonly MapLetter[];
  readonly remapFlags: readonly RemapLetter[];
  readonly advice: AdviceName;
  /** Undefined for anonymous memory. */ readonly backing: FileName | undefined;
  readonly file: FileName;
}

/** The words of each op, in order. */
export const WORDS = {
  mmap: { addr: 'place', length: 'length', prot: 'prot', flags: 'mapFlags', file: 'backing', offset: 'offset' },
  munmap: { addr: 'place', length: 'length' },
  mprotect: { addr: 'place', length: 'length', prot: 'prot' },
  mremap: { addr: 'place', length: 'length', newLength: 'length', flags: 'remapFlags', newAddr: 'place' },
  brk: { addr: 'place' },
  madvise: { addr: 'place', length: 'length', advice: 'advice' },
  mlock: { addr: 'place', length: 'length' },
  munlock: { addr: 'place', length: 'length' },
  msync: { addr: 'place', length: 'length' },
  mincore: { addr: 'place', length: 'length' },
  w: { addr: 'place', value: 'byte' },
  r: { addr: 'place' },
  fork: {},
  exit: {},
  nop: {},
  ftrunc: { file: 'file', size: 'offset' },
  fwrite: { file: 'file', offset: 'offset', value: 'byte' },
  fread: { file: 'file', offset: 'offset' },
  sysread: { file: 'file', offset: 'offset', addr: 'place', length: 'length' },
  syswrite: { file: 'file', offset: 'offset', addr: 'place', length: 'length' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, keyof Words>>>>;

export type OpName = keyof typeof WORDS;
type FieldsOf<Name extends OpName> = { readonly [Field in keyof (typeof WORDS)[Name]]: Words[(typeof WORDS)[Name][Field] & keyof Words] };
export type SequenceOpOf<Name extends OpName> = { readonly op: Name; readonly process: number } & FieldsOf<Name>;
/** One op of the process with index `process`, from 0. */
export type SequenceOp = { [Name in OpName]: SequenceOpOf<Name> }[OpName];

export const OP_NAMES = Object.keys(WORDS) as OpName[];

/** Processes of one sequence: the first and three children. */
export const PROCESSES_MAX = 4;
