/** Files that show results as a picture or a page: what they may be called, and how they appear. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './terminal.ts';

export type PlotForm = 'svg' | 'html';

/** Reads the name of a file that must end in one of some forms. */
export const plotFile =
  (...forms: readonly PlotForm[]) =>
  (path: string): string => {
    if (forms.some((form) => path.endsWith(`.${form}`))) return path;
    throw new InvalidArgumentError(`Its name must end in ${forms.map((form) => `.${form}`).join(' or ')}.`);
  };

export const plotForm = (path: string): PlotForm => (path.endsWith('.svg') ? 'svg' : 'html');

/** Is there a place for the file? Asked before a long run. @throws UsageError */
export async function checkPlotPlace(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`--plot ${path}: the folder cannot be written: ${(error as Error).message}`);
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) throw new UsageError(`--plot ${path}: it is a folder`);
}
