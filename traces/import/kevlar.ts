/**
 * Reads the debug events of a Kevlar kernel's serial log as a recording.
 *
 * A page fault says where, and in which VMA, but not whether it read, wrote or fetched: it is taken for a fetch if the instruction
 * pointer is in that page, else for a read. A fault that was resolved must succeed in the trace too; one that found no VMA must not.
 */
import { floorToPage } from '../../kernel-model/index.ts';
import { numberedCall, type Architecture } from './calls.ts';
import { numberField, numberOf, parseKevlarLine, textField, type KevlarEvent } from './kevlar-line.ts';
import type { LineReader } from './line-reader.ts';
import type { Recorded } from './recorded.ts';
import type { ReportBook } from './report.ts';

export class KevlarReader implements LineReader {
  private readonly architecture: Architecture;
  private readonly book: ReportBook;
  private readonly signals = new Map<number, string>();

  constructor(architecture: Architecture, book: ReportBook) {
    this.architecture = architecture;
    this.book = book;
  }

  *read(text: string, line: number): Iterable<Recorded> {
    const event = parseKevlarLine(text);
    if (event === undefined) {
      if (text.trim() !== '') this.book.read('lines of console');
      return;
    }
    const records = typeof event === 'string' ? event : this.recordsOf(event, line);
    if (typeof records === 'string') this.book.skip(records, line);
    else {
      this.book.read((event as KevlarEvent).type);
      yield* records;
    }
  }

  *finish(): Iterable<Recorded> {
    yield* [];
  }

  /** What an event says of the recorded run; a text if a field is missing. */
  private recordsOf({ type, fields }: KevlarEvent, line: number): readonly Recorded[] | string {
    const task = numberField(fields, 'pid') ?? numberField(fields, 'parent_pid');
    if (task === undefined) return `${type} without a pid`;
    switch (type) {
      case 'process_exec': {
        const path = textField(fields, 'argv0');
        return [{ kind: 'image', line, task, ...(path === undefined || path === '' ? {} : { path }) }];
      }
      case 'process_fork': {
        const child = numberField(fields, 'child_pid');
        return child === undefined ? `${type} without a child` : [{ kind: 'child', line, task: child, parent: task }];
      }
      case 'process_exit':
        return [this.death(fields, line, task)];
      case 'signal':
        this.signals.set(task, textField(fields, 'signal_name') ?? 'SIGKILL');
        return [];
      case 'syscall_entry': {
        const args = fields['args'];
        const nr = numberField(fields, 'nr');
        if (!Array.isArray(args) || nr === undefined) return `${type} without number or arguments`;
        return [
          {
            kind: 'enter',
            line,
            task,
            call: numberedCall(
              this.architecture,
              nr,
              args.map((arg) => numberOf(arg) ?? 0),
            ),
          },
        ];
      }
      case 'syscall_exit': {
        const [nr, result] = [numberField(fields, 'nr'), numberField(fields, 'result')];
        if (nr === undefined || result === undefined) return `${type} without number or result`;
        return [{ kind: 'return', line, task, nr: numberedCall(this.architecture, nr, []).nr, result }];
      }
      case 'page_fault':
        return this.fault(fields, line, task);
      default:
        return [];
    }
  }

  private death(fields: KevlarEvent['fields'], line: number, task: number): Recorded {
    const status = numberField(fields, 'status') ?? 0;
    const signal = this.signals.get(task) ?? 'SIGKILL';
    return fields['by_signal'] === true
      ? { kind: 'death', line, task, signal }
      : { kind: 'death', line, task, status: ((status % 256) + 256) % 256 };
  }

  private fault(fields: KevlarEvent['fields'], line: number, task: number): readonly Recorded[] | string {
    const [addr, ip, start, end] = ['vaddr', 'ip', 'vma_start', 'vma_end'].map((name) => numberField(fields, name));
    if (addr === undefined) return 'page_fault without an address';
    const isFetch = ip !== undefined && floorToPage(ip) === floorToPage(addr);
    if (!isFetch) this.book.assume('a fault that is no fetch is a read: the log does not say', line);
    const isResolved = fields['resolved'] === true;
    const touch: Recorded = { kind: 'touch', line, task, addr, access: isFetch ? 'x' : 'r', outcome: isResolved ? 0 : 'SIGSEGV' };
    const vma: Recorded[] = start === undefined || end === undefined ? [] : [{ kind: 'vma', line, task, start, end }];
    return [...vma, touch];
  }
}
