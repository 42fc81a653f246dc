/** Imports recordings of any format: lines go in, a trace with its report comes out. */
import { parseJson } from '../codec.ts';
import type { KernelSpec } from '../header.ts';
import { TraceBuilder, type Imported } from './builder.ts';
import type { Architecture } from './calls.ts';
import type { Layouts } from './files.ts';
import { KevlarReader } from './kevlar.ts';
import { LACKEY_STACK_END, LackeyReader } from './lackey.ts';
import type { LineReader } from './line-reader.ts';
import { QEMU_STACK_END } from './pagetrace.ts';
import { PluginReader } from './plugin.ts';
import type { Recorded } from './recorded.ts';
import { ReportBook } from './report.ts';
import { StraceReader } from './strace.ts';
import { TracepointReader } from './tracepoints.ts';

export const FORMATS = ['plugin', 'strace', 'perf', 'ftrace', 'lackey', 'kevlar'] as const;
export type Format = (typeof FORMATS)[number];

export interface ImportOptions {
  readonly format: Format;
  /** Name of the recording, for errors and the header. */
  readonly file: string;
  /** Of what was recorded; the plugin's recordings say it themselves. */
  readonly architecture?: Architecture | undefined;
  readonly layouts: Layouts;
  readonly kernel: KernelSpec;
  /** End of the recorded stack, where the recording does not show it. */
  readonly stackEnd?: number | undefined;
}

const TOOLS: Readonly<Record<Format, string>> = {
  plugin: 'qemu-user with the page-touch plugin',
  strace: 'strace',
  perf: 'perf script of tracepoints',
  ftrace: 'ftrace',
  lackey: 'valgrind --tool=lackey',
  kevlar: 'debug events of a Kevlar kernel',
};

/** One import under way. */
export class RecordingImporter {
  private readonly options: ImportOptions;
  private readonly reader: LineReader;
  private readonly book = new ReportBook();
  private builder: TraceBuilder | undefined;
  private architecture: Architecture;

  constructor(options: ImportOptions) {
    this.options = options;
    this.architecture = options.architecture ?? 'x86_64';
    this.reader = this.readerOf(options.format);
  }

  /** @throws TraceError if the format is JSONL and the line is malformed */
  add(text: string, line: number, file = this.options.file): void {
    for (const record of this.reader.read(text, line, file)) this.build(record);
  }

  /** Of what was read so far, and what waited for the end. */
  finish(): Imported {
    for (const record of this.reader.finish()) this.build(record);
    return this.theBuilder().finish();
  }

  private build(record: Recorded): void {
    this.theBuilder().add(record);
  }

  /** It is made with the first record, which may say what was recorded. */
  private theBuilder(): TraceBuilder {
    this.builder ??= this.newBuilder();
    return this.builder;
  }

  private newBuilder(): TraceBuilder {
    const { file, format, layouts, kernel } = this.options;
    const isQemuRiscv = format === 'plugin' && this.architecture === 'riscv64';
    const usual = isQemuRiscv ? QEMU_STACK_END : format === 'lackey' ? LACKEY_STACK_END : undefined;
    return new TraceBuilder(
      {
        file,
        architecture: this.architecture,
        layouts,
        kernel,
        source: { tool: TOOLS[format], note: `imported from ${file.replace(/^.*\//, '')}` },
        stackEnd: this.options.stackEnd ?? usual,
        trampoline: isQemuRiscv ? QEMU_STACK_END : undefined,
        compress: true,
        isStrict: false,
        fillsGaps: true,
      },
      this.book,
    );
  }

  private readerOf(format: Format): LineReader {
    switch (format) {
      case 'plugin':
        return this.pluginLines();
      case 'strace':
        return new StraceReader(this.architecture, this.book);
      case 'perf':
      case 'ftrace':
        return new TracepointReader(format, this.architecture, this.book);
      case 'lackey':
        return new LackeyReader(this.book);
      case 'kevlar':
        return new KevlarReader(this.architecture, this.book);
    }
  }

  private pluginLines(): LineReader {
    const reader = new PluginReader(this.options.file, this.architecture);
    return {
      read: (text, line, file) => {
        if (text.trim() === '') return [];
        const record = reader.read(parseJson(text, { file, line }), line);
        this.book.read(record.kind === 'touch' ? 'touches' : record.kind === 'enter' ? 'calls' : 'other records');
        this.architecture = reader.architecture;
        return [record];
      },
      finish: () => [],
    };
  }
}
