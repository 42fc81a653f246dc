/** The lines of a text file that a stranger may have made: plain, gzip or zstd, in batches, each line bounded. */
import { TraceError } from '../../traces/format-error.ts';
import { CompressionError, readBytes } from './trace-bytes.ts';

const LINE_CHARACTERS_MAX = 2 ** 20;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file (check the path)',
  EISDIR: 'is a directory (name a file in it)',
  EACCES: 'may not be read (check its permissions)',
};

/** The lines without their ends; `-` is standard input. @throws TraceError naming file and line */
export async function* textLines(path: string): AsyncGenerator<readonly string[]> {
  const file = path === '-' ? '<stdin>' : path;
  const decoder = new TextDecoder();
  let [rest, count] = ['', 0];
  try {
    for await (const chunk of readBytes(path)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      count += lines.length;
      if (rest.length > LINE_CHARACTERS_MAX)
        throw new TraceError({ file, line: count + 1 }, '', `is longer than ${LINE_CHARACTERS_MAX} characters (is this a text file?)`);
      yield lines.map((line) => line.replace(/\r$/, ''));
    }
    rest += decoder.decode();
    if (rest !== '') yield [rest];
  } catch (error) {
    if (error instanceof CompressionError) throw new TraceError({ file, line: count }, '', `the file ${error.message} (fetch it again)`);
    const problem = PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''];
    throw problem === undefined ? error : new TraceError({ file, line: 0 }, '', problem);
  }
}
