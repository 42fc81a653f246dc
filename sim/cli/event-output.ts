/** Where the events of a run go: a file or standard output, one a line, in JSON or in Kevlar's own form. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { eventAsJson, eventAsKevlarLine, type KernelEvent } from '../../kernel-model/index.ts';
import { UsageError, type Terminal } from './terminal.ts';

export const EVENT_FORMS = ['json', 'kevlar'] as const;
export type EventForm = (typeof EVENT_FORMS)[number];

/** Lines are held this far before a file gets them. */
const HELD_MAX = 4096;

export class EventOutput {
  private readonly print: (event: KernelEvent) => string;
  private readonly terminal: Terminal;
  /** Undefined for standard output. */
  private readonly file: number | undefined;
  private lines: string[] = [];

  /** @throws UsageError if the file cannot be written */
  constructor(path: string, form: EventForm, terminal: Terminal) {
    this.print = form === 'json' ? eventAsJson : eventAsKevlarLine;
    this.terminal = terminal;
    this.file = path === '-' ? undefined : openForWriting(path);
  }

  add(event: KernelEvent): void {
    this.lines.push(this.print(event), '\n');
    if (this.file !== undefined && this.lines.length > HELD_MAX) writeSync(this.file, this.take());
  }

  async flush(): Promise<void> {
    if (this.file === undefined) await this.terminal.write(this.take());
    else writeSync(this.file, this.take());
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
  }

  private take(): string {
    const text = this.lines.join('');
    this.lines = [];
    return text;
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UsageError(
      `${path}: cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)} (name a file in a folder that exists)`,
    );
  }
}
