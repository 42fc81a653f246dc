/**
 * Result lines: what a kernel answered to each op of a sequence, and the state of the process behind it.
 *
 *     {"seq":7,"mode":"small","files":[20771,12288],"fs":"memfd"}                  begins a sequence
 *     {"q":7,"i":0,"p":0,"op":"w s+0x1000 0x5","sig":"SEGV","code":"MAPERR","flt":[0,0],"v":[],"pg":"64.","mc":"64-"}
 *
 * | field | is |
 * | --- | --- |
 * | `q`, `i`, `p`, `op` | sequence, index of the op, process, its line without `@K` |
 * | `r` | a number, an address, `P1` (a child), `SKIP` (not executed: it would reach outside the arena), `LIMIT` (no process is left), `NOPROC` |
 * | `e` | with `r` -1: the errno |
 * | `sig`, `code` | SEGV or BUS; MAPERR, ACCERR or ADRERR |
 * | `flt` | faults that this one access took: minor, major |
 * | `b` | the byte that fread read |
 * | `v` | VMAs: start page, end page, protection as in /proc/PID/maps, backing, offset in pages, VmFlags that matter |
 * | `pg` | states of the arena's pages, run-length coded: see page-letters in run-length.ts |
 * | `mc` | mincore's answer, likewise: `n`, `y`, `-` unmapped |
 * | `d` | hash by page, for present pages whose hash changed since the last line of the process |
 * | `brk` | end of the heap, where an arena is about it |
 *
 * The state is that of the process that ran the op. A line without `v` says nothing of it: the process has ended, or there is none.
 */
import { Type, type Static } from 'typebox';
import { count } from '../field.ts';
import { PROCESSES_MAX } from './op.ts';

const closed = { additionalProperties: false } as const;
const optional = Type.Optional;
/** Page numbers relative to the arena: a mapping may begin below it and end above it. */
const PAGE_MAX = 2 ** 36;
const page = Type.Integer({ minimum: -PAGE_MAX, maximum: PAGE_MAX, description: 'a page number' });
const runs = (letters: string) =>
  Type.String({ pattern: `^(\\d{0,7}[${letters}])*$`, description: `counts and letters of ${letters}, such as 3y` });

const Vma = Type.Tuple([
  page,
  page,
  Type.String({ pattern: '^[r-][w-][x-][ps]$', description: 'a protection such as rw-p' }),
  Type.Enum(['-', 'f0', 'f1', 'sa', '?'], { description: 'one of -, f0, f1, sa, ?' }),
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'an offset in pages' }),
  Type.String({ pattern: '^([a-z]{2}( [a-z]{2})*)?$', description: 'VmFlags of two letters' }),
]);

export const BEGIN_SCHEMA = Type.Object(
  {
    seq: count(0, Number.MAX_SAFE_INTEGER),
    mode: Type.Enum(['small', 'huge', 'brk'], { description: 'one of small, huge, brk' }),
    files: optional(Type.Array(count(0, 2 ** 30))),
    fs: optional(Type.String({ maxLength: 64, description: 'a word' })),
  },
  closed,
);

export const RESULT_SCHEMA = Type.Object(
  {
    q: count(0, Number.MAX_SAFE_INTEGER),
    i: count(0, 1_000_000),
    p: count(0, PROCESSES_MAX - 1),
    op: Type.String({ minLength: 1, maxLength: 200, description: 'an op' }),
    r: optional(
      Type.Union([Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }), Type.String({ pattern: '^[\\w+-]{1,20}$' })], {
        description: 'a number, an address such as s+0x1000, or one of P1 P2 P3 SKIP LIMIT NOPROC',
      }),
    ),
    e: optional(Type.String({ pattern: '^E[A-Z0-9]{1,14}$', description: 'an errno such as EINVAL' })),
    sig: optional(Type.Enum(['SEGV', 'BUS'], { description: 'SEGV or BUS' })),
    code: optional(Type.Enum(['MAPERR', 'ACCERR', 'ADRERR'], { description: 'MAPERR, ACCERR or ADRERR' })),
    flt: optional(Type.Tuple([count(0, 1_000_000), count(0, 1_000_000)], { description: 'two counts of faults' })),
    b: optional(count(0, 255)),
    v: optional(Type.Array(Vma, { maxItems: 65536 })),
    pg: optional(runs('.zAafFHhZs')),
    mc: optional(runs('ny-')),
    d: optional(
      Type.Record(Type.String({ pattern: '^(0|[1-9]\\d{0,3})$' }), Type.String({ pattern: '^[0-9a-f]{8}$', description: '8 hex digits' }), {
        additionalProperties: false,
        description: 'hashes of 8 hex digits by page number',
      }),
    ),
    brk: optional(Type.String({ pattern: '^[\\w+-]{1,20}$', description: 'an address such as b+0x1000' })),
  },
  closed,
);

export type VmaRow = Static<typeof Vma>;
export type BeginLine = Static<typeof BEGIN_SCHEMA>;
export type ResultLine = Static<typeof RESULT_SCHEMA>;
/** What a line says besides which op it is of. */
export type StepResult = Omit<ResultLine, 'q' | 'i' | 'p' | 'op'>;

/** Answers that say that the op was not executed. */
const NOT_RUN = ['SKIP', 'LIMIT', 'NOPROC'] as const;
export const isNotRun = ({ r }: StepResult): boolean => (NOT_RUN as readonly unknown[]).includes(r);
