/**
 * A user's own kernel as a script for the viewer's page: his module with what it imports, as a worker of a browser can run it.
 *
 * Of faultline it gets what a kernel is made of, `kernel-model/`; the engine defines the kernel once more, as kernel-module.ts does.
 */
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildFailure } from 'esbuild';
import { UsageError } from './terminal.ts';

/** The sources beside this file when it is a source, the built ones when it is built. */
const KERNEL_MODEL = fileURLToPath(new URL(`../../kernel-model/index${extname(import.meta.url)}`, import.meta.url));

/** A script that appends the kernel of the module to the worker's `ownKernels`. @throws UsageError that begins with the path */
export async function kernelScript(path: string): Promise<string> {
  const { build } = await import('esbuild');
  const file = resolve(path);
  const contents = `import * as exported from ${JSON.stringify(file)};\n(self.ownKernels ??= []).push(exported.kernel ?? exported.default);`;
  try {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: dirname(file) },
      alias: { faultline: KERNEL_MODEL },
      bundle: true,
      write: false,
      minify: true,
      keepNames: true, // a decision is called by its class
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      charset: 'utf8',
      tsconfigRaw: '{}',
      logLevel: 'silent',
    });
    return outputFiles[0]!.text;
  } catch (error) {
    throw new UsageError(`${path}: cannot be put into a page: ${problemOf(error as BuildFailure)}`);
  }
}

function problemOf({ errors, message }: Partial<BuildFailure>): string {
  const [first] = errors ?? [];
  if (first === undefined) return message ?? '';
  return first.location === null ? first.text : `${first.location.file}:${first.location.line}: ${first.text}`;
}
