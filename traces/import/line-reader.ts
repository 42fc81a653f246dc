/** What reads the text of a recording: lines go in, records come out. */
import type { Recorded } from './recorded.ts';

export interface LineReader {
  /** @param file - of several files of one recording, the name of the one that the line is in */
  read(text: string, line: number, file: string): Iterable<Recorded>;
  /** Records that had to wait for the end. */
  finish(): Iterable<Recorded>;
}
