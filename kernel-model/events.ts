/**
 * What can be observed of the kernel: a typed union, made from one table of fields.
 *
 * The first group are Kevlar's debug events under their own names, fields and field order (memory-model: Debug events);
 * the second group is ours, for what Kevlar leaves silent. In memory addresses are numbers. As JSONL they are strings,
 * so that a line is valid JSON; in Kevlar's own form a line starts with `DBG ` and hex stands bare.
 */
import { hex } from './units.ts';

/** How a field is printed: hex, decimal, string, boolean, list of records, or all fields hex. */
type Form = 'hex' | 'decimal' | 'string' | 'boolean' | readonly (readonly [string, Form])[];
type Field = readonly [name: string, form: Form];

const VM_AUDIT_ROW: readonly Field[] = [
  ['start', 'hex'],
  ['end', 'hex'],
  ['prot', 'decimal'],
  ['mapped', 'decimal'],
  ['unmapped', 'decimal'],
  ['perm_mismatch', 'decimal'],
];

const CRASH_VMA_ROW: readonly Field[] = [
  ['start', 'hex'],
  ['end', 'hex'],
  ['type', 'string'],
];

/** Fields of every event, in the order in which they are printed. An absent optional field is left out. */
export const EVENT_FIELDS = {
  // Kevlar's.
  page_fault: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['ip', 'hex'],
    ['reason', 'string'],
    ['resolved', 'boolean'],
    ['vma_start', 'hex'],
    ['vma_end', 'hex'],
    ['vma_type', 'string'],
  ],
  signal: [
    ['pid', 'decimal'],
    ['signal', 'decimal'],
    ['signal_name', 'string'],
    ['action', 'string'],
    ['ip', 'hex'],
  ],
  process_exit: [
    ['pid', 'decimal'],
    ['status', 'decimal'],
    ['by_signal', 'boolean'],
  ],
  process_exec: [
    ['pid', 'decimal'],
    ['argv0', 'string'],
    ['entry', 'hex'],
  ],
  process_fork: [
    ['parent_pid', 'decimal'],
    ['child_pid', 'decimal'],
  ],
  page_verify_fail: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['first_diff', 'decimal'],
    ['expected', 'hex'],
    ['actual', 'hex'],
    ['file_offset', 'hex'],
    ['vma_start', 'hex'],
  ],
  huge_page_verify_fail: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
    ['sub_page', 'decimal'],
    ['first_diff', 'decimal'],
    ['expected', 'hex'],
    ['actual', 'hex'],
    ['vma_start', 'hex'],
    ['vma_type', 'string'],
  ],
  page_verify_ok: [
    ['pid', 'decimal'],
    ['verified', 'decimal'],
    ['failed', 'decimal'],
  ],
  vm_audit: [
    ['pid', 'decimal'],
    ['vmas', VM_AUDIT_ROW],
  ],
  usercopy: [
    ['pid', 'decimal'],
    ['dir', 'string'],
    ['addr', 'hex'],
    ['len', 'decimal'],
    ['ctx', 'string'],
  ],
  crash_report: [
    ['pid', 'decimal'],
    ['signal', 'decimal'],
    ['signal_name', 'string'],
    ['cmdline', 'string'],
    ['fault_addr', 'hex'],
    ['ip', 'hex'],
    ['vmas', CRASH_VMA_ROW],
  ],
  // Ours.
  frame_allocated: [
    ['frame', 'hex'],
    ['order', 'decimal'],
    ['use', 'string'],
  ],
  frame_denied: [
    ['order', 'decimal'],
    ['use', 'string'],
    ['injected', 'boolean'],
  ],
  frame_freed: [
    ['frame', 'hex'],
    ['order', 'decimal'],
  ],
  double_free: [['frame', 'hex']],
  refcount_refused: [
    ['frame', 'hex'],
    ['refs', 'decimal'],
  ],
  refcount_underflow: [['frame', 'hex']],
  page_mapped: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['frame', 'hex'],
    ['prot', 'string'],
    ['pages', 'decimal'],
    ['why', 'string'],
  ],
  page_unmapped: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['pages', 'decimal'],
  ],
  protection_changed: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['pages', 'decimal'],
    ['prot', 'string'],
  ],
  cache_insert: [
    ['path', 'string'],
    ['index', 'decimal'],
    ['frame', 'hex'],
    ['bytes', 'decimal'],
  ],
  cache_hit: [
    ['pid', 'decimal'],
    ['path', 'string'],
    ['index', 'decimal'],
    ['frame', 'hex'],
  ],
  cache_evict: [
    ['path', 'string'],
    ['index', 'decimal'],
    ['frame', 'hex'],
  ],
  write_back: [
    ['path', 'string'],
    ['index', 'decimal'],
    ['bytes', 'decimal'],
    ['error', 'string'],
  ],
  file_resized: [
    ['path', 'string'],
    ['from', 'decimal'],
    ['to', 'decimal'],
  ],
  short_read: [
    ['path', 'string'],
    ['offset', 'hex'],
    ['wanted', 'decimal'],
    ['got', 'decimal'],
  ],
  assembly_begin: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
    ['cached', 'decimal'],
    ['threshold', 'decimal'],
    ['frame', 'hex'],
  ],
  assembly_page: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
    ['sub_page', 'decimal'],
    ['source', 'string'],
    ['file_offset', 'hex'],
    ['start', 'decimal'],
    ['end', 'decimal'],
  ],
  assembly_end: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
    ['populated', 'decimal'],
  ],
  huge_cache_hit: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
    ['frame', 'hex'],
  ],
  template_replayed: [
    ['pid', 'decimal'],
    ['path', 'string'],
    ['pages', 'decimal'],
  ],
  huge_split: [
    ['pid', 'decimal'],
    ['huge_base', 'hex'],
  ],
  cow_copy: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['from', 'hex'],
    ['to', 'hex'],
    ['refs', 'decimal'],
  ],
  cow_reuse: [
    ['pid', 'decimal'],
    ['vaddr', 'hex'],
    ['frame', 'hex'],
  ],
  flush: [
    ['asid', 'decimal'],
    ['vaddr', 'hex'],
    ['pages', 'decimal'],
  ],
  asid_recycled: [['generation', 'decimal']],
  space_dropped: [
    ['asid', 'decimal'],
    ['frames', 'decimal'],
  ],
} as const satisfies Readonly<Record<string, readonly Field[]>>;

export type EventType = keyof typeof EVENT_FIELDS;

type ValueOf<F> = F extends 'hex' | 'decimal'
  ? number
  : F extends 'string'
    ? string
    : F extends 'boolean'
      ? boolean
      : F extends readonly (readonly [string, Form])[]
        ? readonly Readonly<Record<string, number | string>>[]
        : never;
type OptionalField = 'vma_start' | 'vma_end' | 'vma_type' | 'error';
type FieldsOf<T extends EventType> = (typeof EVENT_FIELDS)[T][number];
/** Events of which some fields only appear at times. */
type WithOptional = 'page_fault' | 'write_back';

/** One event: its type and its fields; addresses and frames are numbers. */
export type KernelEvent = {
  [T in EventType]: { readonly type: T } & {
    readonly [F in FieldsOf<T> as F[0] extends OptionalField ? (T extends WithOptional ? never : F[0]) : F[0]]: ValueOf<F[1]>;
  } & (T extends WithOptional
      ? { readonly [F in FieldsOf<T> as F[0] extends OptionalField ? F[0] : never]?: ValueOf<F[1]> | undefined }
      : unknown);
}[EventType];

export type EventOf<T extends EventType> = Extract<KernelEvent, { readonly type: T }>;

/** One line of valid JSON, without the newline; hex fields are strings. */
export function eventAsJson(event: KernelEvent): string {
  return print(event, (value) => JSON.stringify(hex(value)));
}

/** The line that Kevlar prints: `DBG {…}` with bare hex, which is no valid JSON. */
export function eventAsKevlarLine(event: KernelEvent): string {
  return 'DBG ' + print(event, hex);
}

function print(event: KernelEvent, printHex: (value: number) => string): string {
  return printRecord([['type', 'string'], ...EVENT_FIELDS[event.type]], event, printHex);
}

function printRecord(fields: readonly Field[], record: object, printHex: (value: number) => string): string {
  const parts: string[] = [];
  for (const [name, form] of fields) {
    const value = (record as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    parts.push(`"${name}":${printValue(form, value, printHex)}`);
  }
  return `{${parts.join(',')}}`;
}

function printValue(form: Form, value: unknown, printHex: (value: number) => string): string {
  if (form === 'hex') return printHex(value as number);
  if (typeof form === 'string') return JSON.stringify(value);
  return `[${(value as readonly object[]).map((row) => printRecord(form, row, printHex)).join(',')}]`;
}
