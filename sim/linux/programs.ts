/**
 * Which bytes the kernel model knows under which path.
 *
 * The kernel executes files of its own, which never change; a regular file of the tree is handed to it when it is executed or
 * mapped. The first content that is seen at a path is registered under the path; if the content has changed since, or another
 * file has taken the path, it is registered again as `path;2`, `path;3` and so on. An op names what it really ran.
 */
import type { Machine } from '../machine.ts';
import type { RegularFile } from './fs/inode.ts';

/** Files are sparse, the kernel's copies are not. */
const PROGRAM_BYTES_MAX = 2 ** 28;

export class Programs {
  private readonly machine: Machine;
  private readonly known = new Map<RegularFile, { readonly version: number; readonly path: string }>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /**
   * Sees to it that the kernel knows the file as it is now.
   *
   * @param path - absolute, as text
   * @returns the path by which the kernel knows it; undefined if it is larger than 256 MiB
   */
  register(file: RegularFile, path: string): string | undefined {
    const known = this.known.get(file);
    if (known?.version === file.version) return known.path;
    if (file.content.size > PROGRAM_BYTES_MAX) return undefined;
    const fresh = this.freshPath(path);
    this.machine.addProgram(fresh, file.content.read(0, file.content.size).slice());
    this.known.set(file, { version: file.version, path: fresh });
    return fresh;
  }

  private freshPath(path: string): string {
    const { files } = this.machine.kernel;
    if (!files.has(path)) return path;
    for (let i = 2; ; i++) if (!files.has(`${path};${i}`)) return `${path};${i}`;
  }
}
