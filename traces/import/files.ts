/**
 * The files of an imported trace: the programs that were executed, their interpreters, and the files that were mapped.
 *
 * A recording holds no bytes of files, and of a mapped file not even its size: it is taken to end with its last mapping.
 */
import type { FileSpec } from '../header.ts';
import type { Loaded } from './images.ts';
import { linkedAtHome, programFile, UNKNOWN_LAYOUT, type ProgramLayout } from './layout.ts';
import type { ReportBook } from './report.ts';

/** A larger file is not made up. */
const MAPPED_BYTES_MAX = 64 * 2 ** 20;

/** The layouts that the user gave. */
export interface Layouts {
  /** By path. */
  readonly named: ReadonlyMap<string, ProgramLayout>;
  /** Of every other program: one file, of which all their paths are links. */
  readonly other?: { readonly path: string; readonly links?: readonly string[]; readonly layout: ProgramLayout } | undefined;
}

export class TraceFiles {
  private readonly layouts: Layouts;
  private readonly book: ReportBook;
  /** Paths that programs name as their interpreters. */
  private readonly interpreters: ReadonlySet<string>;
  private readonly programs = new Set<string>();
  private readonly mapped = new Map<string, number>();

  constructor(layouts: Layouts, book: ReportBook) {
    this.layouts = layouts;
    this.book = book;
    this.interpreters = new Set([...layouts.named.values(), layouts.other?.layout].flatMap((layout) => layout?.interp ?? []));
  }

  /** What an exec of `path` loads now. */
  execute(path: string): Loaded {
    this.programs.add(path);
    const known = this.layouts.named.get(path) ?? this.layouts.other?.layout;
    if (known === undefined) {
      this.book.miss(`the layout of ${path} (give --binary ${path}=FILE): the pages it used stand in for it`);
      return { program: UNKNOWN_LAYOUT };
    }
    const program = this.asInTrace(path, known);
    if (program.interp === undefined) {
      if (known.interp !== undefined) this.missInterpreter(path, known.interp);
      return { program };
    }
    this.programs.add(program.interp);
    return { program, interpreter: this.layouts.named.get(program.interp) };
  }

  private missInterpreter(path: string, interp: string): void {
    const isGiven = this.layouts.named.has(interp);
    this.book.miss(
      isGiven
        ? `an interpreter for ${path} (the file given for ${interp} is linked for a fixed address): the pages it used stand in for it`
        : `the layout of ${interp}, the interpreter of ${path} (give --binary ${interp}=FILE@0xBASE): the pages it used stand in for it`,
    );
  }

  /** The layout of a program or an interpreter; one whose interpreter is not known is executed without. */
  private asInTrace(path: string, layout: ProgramLayout): ProgramLayout {
    if (this.interpreters.has(path)) return layout;
    const { interp, ...alone } = linkedAtHome(layout);
    return interp !== undefined && this.layouts.named.get(interp)?.type === 'dyn' ? { ...alone, interp } : alone;
  }

  /** May this part of the file be mapped in the trace? If so, the file will hold it. */
  mapFile(path: string, offset: number, length: number): boolean {
    const end = offset + length;
    if (!path.startsWith('/') || end > MAPPED_BYTES_MAX || this.programs.has(path)) return false;
    this.mapped.set(path, Math.max(this.mapped.get(path) ?? 0, end));
    return true;
  }

  /** @param entry - of a program whose layout does not say */
  finish(entry: number | undefined): FileSpec[] {
    const { named, other } = this.layouts;
    const files: FileSpec[] = [];
    const links = [...this.programs].filter((path) => !named.has(path));
    if (other !== undefined) {
      const all = [...new Set([...(other.links ?? []), ...links])].filter((path) => path !== other.path);
      const layout = this.asInTrace(other.path, other.layout);
      files.push(programFile(other.path, all, layout, layout.entry ?? entry));
    }
    for (const path of this.programs) {
      const layout = named.get(path) ?? (other === undefined ? UNKNOWN_LAYOUT : undefined);
      if (layout !== undefined) files.push(programFile(path, [], this.asInTrace(path, layout)));
    }
    const taken = new Set(files.flatMap(({ path, links: more = [] }) => [path, ...more]));
    for (const [path, size] of this.mapped) {
      if (taken.has(path)) continue;
      this.book.assume(`${path} ends with its last mapping, at ${size} bytes, and holds made-up bytes`, 0);
      files.push({ path, size, content: { seed: path } });
    }
    return files;
  }
}
