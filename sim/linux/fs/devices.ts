/**
 * Character devices that hold nothing: null, zero, full, random and urandom. Numbers are those of Linux's devices.txt.
 */
import type { Stream as RandomStream } from '../../prng.ts';
import type { FileTree } from './tree.ts';
import { POLLIN, POLLOUT, type Stream } from './stream.ts';

export const MEMORY_MAJOR = 1;
export const TTY_MAJOR = 5;
export const TTY_MINOR = 0;
export const CONSOLE_MINOR = 1;

const NODES: readonly (readonly [path: string, major: number, minor: number])[] = [
  ['/dev/null', MEMORY_MAJOR, 3],
  ['/dev/zero', MEMORY_MAJOR, 5],
  ['/dev/full', MEMORY_MAJOR, 7],
  ['/dev/random', MEMORY_MAJOR, 8],
  ['/dev/urandom', MEMORY_MAJOR, 9],
  ['/dev/tty', TTY_MAJOR, TTY_MINOR],
  ['/dev/console', TTY_MAJOR, CONSOLE_MINOR],
];

/** Largest read of an endless device, in bytes. */
const ENDLESS_READ_MAX = 2 ** 20;

export function addDevices(tree: FileTree): void {
  for (const [path, major, minor] of NODES) tree.add(path, tree.newDeviceNode(0o666, major, minor));
  for (const [i, name] of ['stdin', 'stdout', 'stderr'].entries()) tree.addSymlink(`/dev/${name}`, `/proc/self/fd/${i}`);
  tree.addSymlink('/dev/fd', '/proc/self/fd');
}

/** `lengthBytes` random bytes off a named stream. */
export const randomBytes = (random: RandomStream, lengthBytes: number): Uint8Array =>
  Uint8Array.from({ length: lengthBytes }, () => random.uint32() & 0xff);

/** The stream of a memory device; undefined if there is no such device. */
export function memoryDevice(minor: number, random: RandomStream): Stream | undefined {
  const always = { seekable: true, poll: () => POLLIN | POLLOUT };
  const takesAll = (_offset: number, bytes: Uint8Array): number => bytes.length;
  const zeros = (_offset: number, lengthBytes: number): Uint8Array => new Uint8Array(Math.min(lengthBytes, ENDLESS_READ_MAX));
  const chance = (_offset: number, lengthBytes: number): Uint8Array => randomBytes(random, Math.min(lengthBytes, ENDLESS_READ_MAX));
  switch (minor) {
    case 3:
      return { ...always, read: () => new Uint8Array(0), write: takesAll };
    case 5:
      return { ...always, read: zeros, write: takesAll };
    case 7:
      return { ...always, read: zeros, write: (_offset, bytes) => (bytes.length === 0 ? 0 : 'ENOSPC') };
    case 8:
    case 9:
      return { ...always, read: chance, write: takesAll };
    default:
      return undefined;
  }
}
