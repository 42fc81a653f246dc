/**
 * The journal of a shrink: every answer so far, one JSON line each, beside the output file.
 *
 * A shrink is a function of the trace, the options and the answers. So a run that was killed is taken up by giving the answers of
 * the journal first; what comes then is what would have come without the interruption. The first line says what it is a
 * journal of; a journal of something else is thrown away.
 */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Answer } from '../shrink/question.ts';

/** Raised whenever the shrinker asks other questions than before. */
const JOURNAL_VERSION = 1;

export class Journal {
  private readonly path: string;
  private readonly answers: readonly Answer[];
  private next = 0;

  /** @param identity - of the trace and of every option that questions depend on */
  constructor(path: string, identity: string) {
    this.path = path;
    const first = JSON.stringify({ journal: JOURNAL_VERSION, of: identity });
    const [header, ...lines] = linesOf(path);
    this.answers = header === first ? lines.map((line) => JSON.parse(line) as Answer).map(withHoles) : [];
    // Written anew: the last line may have been torn.
    writeFileSync(path, [first, ...this.answers.map(lineOf)].map((line) => `${line}\n`).join(''));
  }

  /** Answers that an earlier run left. */
  get known(): number {
    return this.answers.length;
  }

  /** The next answer of the earlier run, if there is one. */
  take(): Answer | undefined {
    return this.answers[this.next++];
  }

  add(answer: Answer): void {
    appendFileSync(this.path, `${lineOf(answer)}\n`);
  }

  /** The shrink is complete. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

const lineOf = (answer: Answer): string => JSON.stringify({ ...answer, failures: answer.failures.map((failure) => failure ?? null) });

const withHoles = (answer: Answer): Answer => ({ ...answer, failures: answer.failures.map((failure) => failure ?? undefined) });

/** The whole lines of a file; none if it does not exist. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
