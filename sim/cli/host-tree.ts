/** Copies a folder of the host into a guest's tree: folders, regular files with their permissions, symlinks. Names in order. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FileTree } from '../linux/fs/tree.ts';
import { UsageError } from './terminal.ts';

const PERMISSIONS = 0o7777;

/** @throws UsageError if the folder or something in it cannot be read, or does not fit over what the tree has */
export function copyTree(tree: FileTree, folder: string): void {
  try {
    copyFolder(tree, folder, '');
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (code !== undefined) throw new UsageError(`${path ?? folder}: cannot be copied for the guest: ${code}`);
    if (error instanceof RangeError) throw new UsageError(`${folder}: cannot be copied for the guest: ${message}`);
    throw error;
  }
}

function copyFolder(tree: FileTree, from: string, to: string): void {
  for (const name of readdirSync(from).sort()) {
    const [source, target] = [join(from, name), `${to}/${name}`];
    const status = lstatSync(source);
    if (status.isSymbolicLink()) tree.addSymlink(target, readlinkSync(source));
    else if (status.isFile()) tree.addFile(target, readFileSync(source), status.mode & PERMISSIONS);
    else if (status.isDirectory()) {
      tree.addDirectory(target, status.mode & PERMISSIONS);
      copyFolder(tree, source, target);
    }
  }
}
