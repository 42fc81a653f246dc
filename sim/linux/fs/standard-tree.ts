/**
 * The tree that programs find at first: BusyBox and its applets, a few files of /etc, empty places to work in, devices.
 */
import { encodeText } from '../names.ts';
import { addDevices } from './devices.ts';
import { FileTree } from './tree.ts';

export interface StandardTree {
  /** The executable. */
  readonly busybox: Uint8Array;
  /** Names that lead to it, as `busybox --list` gives them. */
  readonly applets: readonly string[];
  readonly hostname: string;
  /** Time stamp of all of it, in nanoseconds since 1970. */
  readonly time: bigint;
}

const DIRECTORIES: readonly (readonly [path: string, permissions: number])[] = [
  ['/bin', 0o755],
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/home', 0o755],
  ['/mnt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/tmp', 0o1777],
  ['/var', 0o755],
  ['/var/log', 0o755],
  ['/var/run', 0o755],
];

const etc = (hostname: string): readonly (readonly [name: string, text: string])[] => [
  ['passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'],
  ['group', 'root:x:0:\nnogroup:x:65534:\n'],
  ['shadow', 'root::0:0:99999:7:::\n'],
  ['hosts', `127.0.0.1\tlocalhost ${hostname}\n`],
  ['hostname', `${hostname}\n`],
  ['shells', '/bin/sh\n'],
];

export function standardTree({ busybox, applets, hostname, time }: StandardTree): FileTree {
  const tree = new FileTree(time);
  for (const [path, permissions] of DIRECTORIES) tree.addDirectory(path, permissions);
  tree.addFile('/bin/busybox', busybox, 0o755);
  for (const applet of applets) if (applet !== 'busybox') tree.addSymlink(`/bin/${applet}`, 'busybox');
  for (const [name, text] of etc(hostname)) tree.addFile(`/etc/${name}`, encodeText(text));
  tree.addSymlink('/etc/mtab', '/proc/mounts');
  for (const name of ['sbin', 'usr/bin', 'usr/sbin']) {
    tree.addDirectory(`/${name}`.replace(/\/[^/]*$/, ''));
    tree.addSymlink(`/${name}`, '/bin');
  }
  addDevices(tree);
  return tree;
}
