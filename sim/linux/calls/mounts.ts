/** mount and umount2: tmpfs and proc can cover a directory; there are no block devices. */
import type { CallRow, Handler } from '../call.ts';
import { decodeText } from '../names.ts';
import { procRoot } from '../proc.ts';
import { readPath, readString } from '../user-memory.ts';
import { AT_FDCWD, inodeAt } from './files-of.ts';

const TYPE_BYTES_MAX = 256;
const MS_REMOUNT = 32;

const mount: Handler = (linux, process, [sourceAddress, targetAddress, typeAddress, flags]) => {
  const source = sourceAddress === 0 ? { name: 'none' } : readPath(linux, process, sourceAddress);
  if (typeof source === 'string') return source;
  const directory = inodeAt(linux, process, AT_FDCWD, targetAddress, 0);
  if (typeof directory === 'string') return directory;
  if (directory.kind !== 'directory') return 'ENOTDIR';
  if ((flags & MS_REMOUNT) !== 0) return 0;
  const type = typeAddress === 0 ? 'EINVAL' : readString(linux, process, typeAddress, TYPE_BYTES_MAX, 'EINVAL');
  if (typeof type === 'string') return type;
  const { tree } = linux;
  const name = decodeText(type);
  if (name !== 'tmpfs' && name !== 'proc') return 'ENODEV';
  const root = name === 'proc' ? procRoot(linux) : tree.newRoot(tree.newDevice(), 0o1777);
  if (directory.parent === directory) return 'EBUSY';
  root.name = directory.name;
  root.parent = directory.parent;
  // The root of a mount that is here already is covered by covering what it covers.
  const covered = linux.mounts.find((other) => other.root === directory)?.covered ?? directory;
  covered.mounted = root;
  linux.mounts.push({ source: source.name, type: name, covered, root });
  return 0;
};

const umount2: Handler = (linux, process, [address]) => {
  const root = inodeAt(linux, process, AT_FDCWD, address, 0);
  if (typeof root === 'string') return root;
  const at = linux.mounts.findLastIndex((mounted) => mounted.root === root);
  const [found] = at < 0 ? [] : linux.mounts.splice(at, 1);
  if (found === undefined) return 'EINVAL';
  found.covered.mounted = linux.mounts.findLast(({ covered }) => covered === found.covered)?.root;
  return 0;
};

export const MOUNT_CALLS: readonly CallRow[] = [
  [39, 'umount2', umount2],
  [40, 'mount', mount],
];
