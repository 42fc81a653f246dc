/** Files that appear whole or not at all: they are written beside their place and renamed. */
import { rename, unlink, writeFile } from 'node:fs/promises';

export const writeWhole = (path: string, text: string): Promise<void> => appearWhole(path, (temporary) => writeFile(temporary, text));

/** @param write - makes the file under the name that it gets, beside `path` */
export async function appearWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
