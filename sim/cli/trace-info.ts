/** What a trace holds, counted in one pass. */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import type { FileSpec, TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { counted, indent } from '../report.ts';
import type { Terminal } from './terminal.ts';
import { openTrace } from './trace-file.ts';

export interface TraceSummary {
  readonly path: string;
  readonly kernel: TraceHeader['kernel'];
  readonly source: TraceHeader['source'] | null;
  readonly expect: TraceHeader['expect'] | null;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly links: number;
    readonly segments: number;
    readonly content: string;
  }[];
  readonly ops: number;
  readonly processes: number;
  /** How often each op occurs, the most frequent first. */
  readonly opsByKind: Readonly<Record<string, number>>;
  /** Pages touched, each run of pages counted in full. */
  readonly touchedPages: number;
  /** Pages touched, each address once a process. */
  readonly distinctPages: number;
  readonly recordedResults: number;
  readonly marks: readonly string[];
}

/** @throws TraceError of the first malformed line; Interrupted */
export async function summarize(path: string, terminal: Terminal): Promise<TraceSummary> {
  const { header, ops: batches } = await openTrace(path);
  const counts = new Counts();
  for await (const batch of batches) {
    for (const op of batch) counts.add(op);
    terminal.throwIfInterrupted(() => `at line ${counts.ops + 1} of ${path}`);
  }
  return {
    path,
    kernel: header.kernel,
    source: header.source ?? null,
    expect: header.expect ?? null,
    files: header.files.map(fileSummary),
    ...counts.summary(),
  };
}

const fileSummary = ({ path, size, links = [], segments = [], content }: FileSpec): TraceSummary['files'][number] => ({
  path,
  size,
  links: links.length,
  segments: segments.length,
  content: 'seed' in content ? 'synthetic' : 'sha256' in content ? `to be supplied, sha256 ${content.sha256}` : 'in the trace',
});

class Counts {
  ops = 0;
  private readonly kinds = new Map<string, number>();
  private readonly pids = new Set<number>();
  private readonly pages = new Map<number, Set<number>>();
  private readonly marks: string[] = [];
  private touchedPages = 0;
  private recordedResults = 0;

  add(op: Op): void {
    this.ops++;
    this.kinds.set(op.op, (this.kinds.get(op.op) ?? 0) + 1);
    this.pids.add(op.pid);
    if (op.result !== undefined) this.recordedResults++;
    if (op.op === 'fork' || op.op === 'vfork') this.pids.add(op.child);
    else if (op.op === 'mark') this.marks.push(op.name);
    else if (op.op === 'touch') this.addTouch(op.pid, Math.floor(op.addr / PAGE_BYTES), op.pages ?? 1);
  }

  private addTouch(pid: number, first: number, count: number): void {
    let pages = this.pages.get(pid);
    if (pages === undefined) this.pages.set(pid, (pages = new Set()));
    for (let page = first; page < first + count; page++) pages.add(page);
    this.touchedPages += count;
  }

  summary(): Omit<TraceSummary, 'path' | 'kernel' | 'source' | 'expect' | 'files'> {
    return {
      ops: this.ops,
      processes: this.pids.size,
      opsByKind: Object.fromEntries([...this.kinds].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
      touchedPages: this.touchedPages,
      distinctPages: [...this.pages.values()].reduce((sum, pages) => sum + pages.size, 0),
      recordedResults: this.recordedResults,
      marks: this.marks,
    };
  }
}

export function summaryLines(summary: TraceSummary): string[] {
  const { path, kernel, source, expect, files, ops, processes, opsByKind, marks } = summary;
  const { name, ...parameters } = kernel;
  return [
    path,
    `  kernel     ${name}${Object.entries(parameters)
      .map(([key, value]) => `, ${key} ${value}`)
      .join('')}`,
    ...(source === null ? [] : indent(Object.entries(source ?? {}).map(([key, value]) => `${key.padEnd(10)} ${value}`))),
    ...(expect === null ? [] : [`  expects    ${Object.values(expect ?? {}).join(' ')}`]),
    `  processes  ${processes}, execs ${opsByKind['exec'] ?? 0}`,
    `  touches    ${counted(summary.touchedPages, 'page')}, ${summary.distinctPages} different ones by process and address`,
    `  answers    ${summary.recordedResults} recorded`,
    `  ops        ${ops}`,
    ...Object.entries(opsByKind).map(([kind, count]) => `    ${kind.padEnd(10)} ${count}`),
    `  files      ${files.length}`,
    ...files.map(
      ({ path: file, size, links, segments, content }) =>
        `    ${file}, ${counted(size, 'byte')}, ${counted(segments, 'segment')}, ${counted(links, 'link')}, ${content}`,
    ),
    ...(marks.length === 0 ? [] : [`  checks     ${marks.length}`, ...marks.map((mark, i) => `    ${i + 1} ${mark}`)]),
  ];
}
