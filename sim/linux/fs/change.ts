/**
 * What changes the tree: making, linking, removing and renaming, each as the call of that name does it.
 *
 * @see mkdirat(2), linkat(2), unlinkat(2), renameat2(2)
 */
import type { Errno } from '../errno.ts';
import type { Directory, Inode } from './inode.ts';
import { isNamed, type FileTree, type Place } from './tree.ts';

/** Puts a new inode into a place that must be free. @returns EEXIST, or EPERM where names are computed */
export function create(tree: FileTree, place: Place, make: (directory: Directory, name: string) => Inode): Inode | Errno {
  if (place.inode !== undefined) return 'EEXIST';
  if (place.directory.nlink === 0) return 'ENOENT';
  const names = place.directory.entries;
  if (!(names instanceof Map)) return 'EPERM';
  const inode = make(place.directory, place.name);
  if (place.mustBeDirectory && inode.kind !== 'directory') return 'ENOENT';
  names.set(place.name, inode);
  if (inode.kind === 'directory') place.directory.nlink++;
  noteChange(tree, place.directory);
  return inode;
}

/** Gives an inode one more name. @returns EPERM for a directory, EXDEV between file systems */
export function link(tree: FileTree, inode: Inode, place: Place): 0 | Errno {
  if (place.inode !== undefined) return 'EEXIST';
  if (place.mustBeDirectory) return 'ENOENT';
  if (inode.dev !== place.directory.dev) return 'EXDEV';
  if (inode.kind === 'directory') return 'EPERM';
  const made = create(tree, place, () => inode);
  if (typeof made === 'string') return made;
  inode.nlink++;
  inode.ctime = tree.now();
  return 0;
}

/** Takes the name of something that is no directory away. */
export function unlink(tree: FileTree, place: Place): 0 | Errno {
  const { directory, name, inode, mustBeDirectory } = place;
  if (!isNamed(place)) return 'EISDIR';
  if (inode === undefined) return 'ENOENT';
  if (inode.kind === 'directory') return 'EISDIR';
  if (mustBeDirectory) return 'ENOTDIR';
  if (!(directory.entries instanceof Map)) return 'EPERM';
  directory.entries.delete(name);
  inode.nlink--;
  inode.ctime = tree.now();
  noteChange(tree, directory);
  return 0;
}

const UNREMOVABLE: Readonly<Record<string, Errno>> = { '.': 'EINVAL', '..': 'ENOTEMPTY', '/': 'EBUSY' };

export function removeDirectory(tree: FileTree, { directory, name, inode }: Place): 0 | Errno {
  const special = UNREMOVABLE[name];
  if (special !== undefined) return special;
  if (inode === undefined) return 'ENOENT';
  if (inode.kind !== 'directory') return 'ENOTDIR';
  if (!(directory.entries instanceof Map)) return 'EPERM';
  // The root of a mounted file system stands in its mount point's place.
  if (directory.entries.get(name) !== inode) return 'EBUSY';
  if (!isEmpty(inode)) return 'ENOTEMPTY';
  directory.entries.delete(name);
  inode.nlink = 0;
  directory.nlink--;
  noteChange(tree, directory);
  return 0;
}

export interface RenameRules {
  /** RENAME_NOREPLACE */ readonly keepsTarget: boolean;
  /** RENAME_EXCHANGE */ readonly exchanges: boolean;
}

/** Moves a name, replacing what the new one stood for if the kinds agree. */
export function rename(tree: FileTree, from: Place, to: Place, rules: RenameRules): 0 | Errno {
  const [moved, target] = [from.inode, to.inode];
  const problem = renameProblem(from, to, rules);
  if (problem !== undefined) return problem;
  if (moved === target) return 0;
  if (rules.exchanges) put(target!, from);
  else {
    if (target !== undefined) unname(target, to.directory);
    (from.directory.entries as Map<string, Inode>).delete(from.name);
  }
  put(moved!, to);
  moved!.ctime = tree.now();
  noteChange(tree, from.directory);
  noteChange(tree, to.directory);
  return 0;
}

/** In the order of Linux's do_renameat2, which decides which error a program gets. */
function renameProblem(from: Place, to: Place, { keepsTarget, exchanges }: RenameRules): Errno | undefined {
  const [moved, target] = [from.inode, to.inode];
  if (from.directory.dev !== to.directory.dev) return 'EXDEV';
  if (!isNamed(from)) return 'EBUSY';
  if (!isNamed(to)) return keepsTarget ? 'EEXIST' : 'EBUSY';
  if (moved === undefined) return 'ENOENT';
  if (keepsTarget && target !== undefined) return 'EEXIST';
  if (exchanges && target === undefined) return 'ENOENT';
  if (exchanges && to.mustBeDirectory && target?.kind !== 'directory') return 'ENOTDIR';
  if (moved.kind !== 'directory' && (from.mustBeDirectory || (to.mustBeDirectory && !exchanges))) return 'ENOTDIR';
  if (moved.kind === 'directory' && isInside(to.directory, moved)) return 'EINVAL';
  if (target?.kind === 'directory' && isInside(from.directory, target)) return exchanges ? 'EINVAL' : 'ENOTEMPTY';
  if (!(from.directory.entries instanceof Map) || !(to.directory.entries instanceof Map)) return 'EPERM';
  if (from.directory.entries.get(from.name) !== moved || to.directory.entries.get(to.name) !== target) return 'EBUSY';
  return exchanges || target === undefined || target === moved ? undefined : replaceProblem(moved, target);
}

function replaceProblem(moved: Inode, target: Inode): Errno | undefined {
  if (target.kind === 'directory') {
    if (moved.kind !== 'directory') return 'EISDIR';
    return isEmpty(target) ? undefined : 'ENOTEMPTY';
  }
  return moved.kind === 'directory' ? 'ENOTDIR' : undefined;
}

/** Gives an inode a name; a directory's parent counts its `..` as a link. */
function put(inode: Inode, { directory, name }: Place): void {
  (directory.entries as Map<string, Inode>).set(name, inode);
  if (inode.kind !== 'directory') return;
  inode.parent.nlink--;
  inode.name = name;
  inode.parent = directory;
  directory.nlink++;
}

/** What `rename` replaces. */
function unname(inode: Inode, directory: Directory): void {
  if (inode.kind === 'directory') {
    inode.nlink = 0;
    directory.nlink--;
  } else inode.nlink--;
}

function isInside(directory: Directory, ancestor: Directory): boolean {
  for (let at = directory; ; at = at.parent) {
    if (at === ancestor) return true;
    if (at === at.parent) return false;
  }
}

function isEmpty({ entries }: Directory): boolean {
  for (const _ of entries.keys()) return false;
  return true;
}

function noteChange(tree: FileTree, directory: Directory): void {
  directory.mtime = directory.ctime = tree.now();
}
