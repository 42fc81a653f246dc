/**
 * The file tree: one root, inodes with names, and the walk from a path to what it names.
 *
 * Everybody is root here, so permission bits are kept and shown but only the execute bits decide anything (in execve).
 *
 * @see path_resolution(7)
 */
import type { Errno } from '../errno.ts';
import { nameOfText } from '../names.ts';
import { emptyContent, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, deviceNumber } from './inode.ts';
import type { Attributes, ComputedEntries, Device, Directory, Fifo, Inode, RegularFile, Symlink } from './inode.ts';
import { Pipe } from './pipe.ts';

const SYMLINKS_MAX = 40;
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;

/** Where a walk starts: a process's root and working directory. */
export interface Origin {
  readonly root: Directory;
  readonly cwd: Directory;
}

/**
 * What a walk does with the last name. `follow` and `keep` look up what is there, through a symlink or not; one with a slash behind
 * it is followed. `create` is `follow` for open with O_CREAT. `name` takes the name as it is: for calls that change names.
 */
export type LastName = 'follow' | 'keep' | 'create' | 'name';

/** Where a path leads. If it ends in `.`, `..` or is `/`, that is the name, and the directory is the thing itself. */
export interface Place {
  readonly directory: Directory;
  readonly name: string;
  readonly inode: Inode | undefined;
  /** The path ended in a slash, so only a directory will do. */
  readonly mustBeDirectory: boolean;
}

export class FileTree {
  readonly root: Directory;
  /** Nanoseconds since 1970; the system sets it, so that time stamps follow its clock. */
  now: () => bigint;
  private nextIno = 1;
  private nextDev = 1;
  readonly dev: number;

  /** @param time - nanoseconds since 1970, for what is made before there is a system */
  constructor(time: bigint) {
    this.now = () => time;
    this.dev = this.newDevice();
    this.root = this.newRoot(this.dev, 0o755);
  }

  newDevice(): number {
    return this.nextDev++;
  }

  /** The attributes of a new inode; its link count is 1. */
  attributes(mode: number, dev = this.dev): Attributes {
    const now = this.now();
    return { dev, ino: this.nextIno++, mode, uid: 0, gid: 0, nlink: 1, atime: now, mtime: now, ctime: now };
  }

  newRoot(dev: number, permissions: number, entries: Directory['entries'] = new Map<string, Inode>()): Directory {
    const root = { kind: 'directory', ...this.attributes(S_IFDIR | permissions, dev), name: '', entries, mounted: undefined } as const;
    const whole: Directory = Object.assign(root, { parent: undefined as unknown as Directory });
    whole.parent = whole;
    whole.nlink = 2;
    return whole;
  }

  newDirectory(parent: Directory, name: string, permissions: number, entries: Map<string, Inode> | ComputedEntries = new Map()): Directory {
    const attributes = this.attributes(S_IFDIR | permissions, parent.dev);
    return { kind: 'directory', ...attributes, nlink: 2, name, parent, entries, mounted: undefined };
  }

  newFile(permissions: number, dev = this.dev): RegularFile {
    return { kind: 'file', ...this.attributes(S_IFREG | permissions, dev), content: emptyContent(), version: 0, runners: 0 };
  }

  newSymlink(target: string, dev = this.dev): Symlink {
    return { kind: 'symlink', ...this.attributes(S_IFLNK | 0o777, dev), target: () => target };
  }

  newFifo(permissions: number, dev = this.dev): Fifo {
    return { kind: 'fifo', ...this.attributes(S_IFIFO | permissions, dev), pipe: new Pipe() };
  }

  newDeviceNode(permissions: number, major: number, minor: number, dev = this.dev): Device {
    return { kind: 'device', ...this.attributes(S_IFCHR | permissions, dev), major, minor };
  }

  /**
   * Follows a path of bytes. A symlink that is not the last name is always followed; `last` says what to do with the last one.
   *
   * @returns the place, whose inode is undefined if only the last name is missing; else ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG,
   *   or EISDIR for a path to `create` that ends in a slash
   */
  walk(origin: Origin, path: string, last: LastName): Place | Errno {
    if (path === '') return 'ENOENT';
    if (path.length >= PATH_BYTES_MAX) return 'ENAMETOOLONG';
    let directory = path.startsWith('/') ? origin.root : origin.cwd;
    let rest = namesOf(path);
    let mustBeDirectory = path.endsWith('/');
    let special = '/';
    for (let links = 0; rest.length > 0;) {
      const [name, ...behind] = rest as [string, ...string[]];
      rest = behind;
      special = name;
      if (name === '.' || name === '..') {
        if (name === '..' && directory !== origin.root) directory = directory.parent;
        continue;
      }
      if (name.length > NAME_BYTES_MAX) return 'ENAMETOOLONG';
      const inode = childOf(directory, name);
      const isLast = rest.length === 0;
      if (isLast && last === 'create' && mustBeDirectory) return 'EISDIR';
      if (isLast && last === 'name') return { directory, name, inode, mustBeDirectory };
      if (inode?.kind === 'symlink' && (!isLast || last !== 'keep' || mustBeDirectory)) {
        if (++links > SYMLINKS_MAX) return 'ELOOP';
        const jumped = inode.jump?.();
        if (jumped !== undefined && jumped.kind !== 'directory') {
          return isLast && !mustBeDirectory ? { directory, name, inode: jumped, mustBeDirectory } : 'ENOTDIR';
        }
        if (jumped !== undefined) directory = jumped;
        else {
          const target = inode.target();
          if (target === '') return 'ENOENT';
          if (target.startsWith('/')) directory = origin.root;
          mustBeDirectory ||= isLast && target.endsWith('/');
          rest = [...namesOf(target), ...rest];
        }
        continue;
      }
      if (isLast && (inode === undefined || inode.kind !== 'directory')) {
        return mustBeDirectory && inode !== undefined ? 'ENOTDIR' : { directory, name, inode, mustBeDirectory };
      }
      if (inode === undefined) return 'ENOENT';
      if (inode.kind !== 'directory') return 'ENOTDIR';
      if (isLast) return { directory, name, inode, mustBeDirectory };
      directory = inode;
    }
    return { directory, name: special === '..' || special === '/' ? special : '.', inode: directory, mustBeDirectory };
  }

  /** As `walk`, for something that must be there. */
  find(origin: Origin, path: string, last: 'follow' | 'keep' = 'follow'): Inode | Errno {
    const place = this.walk(origin, path, last);
    return typeof place === 'string' ? place : (place.inode ?? 'ENOENT');
  }

  /** Puts a regular file at an absolute path, making directories as needed: for the initial tree. @throws if the path leads over a file */
  addFile(path: string, bytes: Uint8Array, mode = 0o644): RegularFile {
    const file = this.newFile(mode);
    file.content.write(0, bytes);
    this.add(path, file);
    return file;
  }

  addSymlink(path: string, target: string): void {
    this.add(path, this.newSymlink(nameOfText(target)));
  }

  /** Puts an inode at an absolute path of text, making directories as needed. */
  add(path: string, inode: Exclude<Inode, Directory>): void {
    const at = path.lastIndexOf('/');
    const directory = this.addDirectory(path.slice(0, at));
    mapOf(directory).set(nameOfText(path.slice(at + 1)), inode);
  }

  addDirectory(path: string, permissions = 0o755): Directory {
    let directory = this.root;
    for (const name of nameOfText(path)
      .split('/')
      .filter((part) => part !== '')) {
      let next = childOf(directory, name);
      if (next === undefined) {
        next = this.newDirectory(directory, name, permissions);
        mapOf(directory).set(name, next);
        directory.nlink++;
      }
      if (next.kind !== 'directory') throw new RangeError(`${path}: ${name} is no directory`);
      directory = next;
    }
    return directory;
  }
}

function mapOf({ entries, name }: Directory): Map<string, Inode> {
  if (!(entries instanceof Map)) throw new RangeError(`the directory ${name} is computed`);
  return entries;
}

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '');

/** Does a place have a name that can be given or taken away? */
export const isNamed = ({ name }: Place): boolean => name !== '.' && name !== '..' && name !== '/';

/** What `name` means in a directory, seen through a mount. */
export function childOf(directory: Directory, name: string): Inode | undefined {
  const child = directory.entries.get(name);
  return child?.kind === 'directory' && child.mounted !== undefined ? child.mounted : child;
}

/** The absolute path of a directory as seen from `root`; undefined for one that was removed or lies outside. */
export function pathOf(root: Directory, directory: Directory): string | undefined {
  const names: string[] = [];
  for (let at = directory; at !== root; at = at.parent) {
    if (at.nlink === 0 || at === at.parent) return undefined;
    names.unshift(at.name);
  }
  return '/' + names.join('/');
}

/** The path by which /proc and reports name a file; pipes and what was removed get a name that is no path. */
export function describeName(
  root: Directory,
  inode: Inode,
  name: { readonly directory: Directory; readonly name: string } | undefined,
): string {
  if (inode.kind === 'directory') return pathOf(root, inode) ?? '(unreachable)';
  if (name === undefined) return inode.kind === 'fifo' ? `pipe:[${inode.ino}]` : `anon_inode:[${inode.ino}]`;
  const directory = pathOf(root, name.directory);
  const path = directory === undefined ? `(unreachable)/${name.name}` : directory === '/' ? `/${name.name}` : `${directory}/${name.name}`;
  return childOf(name.directory, name.name) === inode ? path : `${path} (deleted)`;
}

/** st_rdev. */
export const rdevOf = (inode: Inode): number => (inode.kind === 'device' ? deviceNumber(inode.major, inode.minor) : 0);
