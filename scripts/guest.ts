/**
 * `npm run guest`: gets the BusyBox that live runs execute.
 *
 *     npm run guest                Debian's own busybox-static for riscv64    → guest/busybox
 *     npm run guest -- PATH        any static riscv64 BusyBox                 → guest/busybox
 *     npm run guest -- --build     BusyBox built to have the story's hazard   → guest/busybox-0x400000
 *
 * Beside the program lies a `.json`: digest, source, version, applets. Both appear whole or not at all. The folder is not
 * committed: faultline ships no program of others.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { hex, PAGE_BYTES } from '../kernel-model/index.ts';
import { buildBusybox } from './guest-build.ts';
import { busyboxOfDebian, type Found } from './guest-debian.ts';
import { GuestError } from './guest-error.ts';
import { readGuestImage, segmentText, sharedFilePage, type GuestImage } from './guest-image.ts';

const ROOT = join(import.meta.dirname, '..');
/** Says with which BusyBoxes the committed data were made. */
const SUITE = join(ROOT, 'traces/suites/busybox.json');
const USAGE = 'usage: npm run guest [-- PATH | -- --build] [-- --out FOLDER]';

/** What lies beside a guest. */
export interface GuestDescription {
  readonly sha256: string;
  readonly bytes: number;
  readonly source: string;
  readonly version: string;
  readonly applets: readonly string[];
}

type Say = (line: string) => void;

/** Gets a guest and keeps it. @throws GuestError if there is none; nothing is changed then */
export function getGuest(args: readonly string[], say: Say): void {
  const { path, isBuild, folder } = readArguments(args);
  const found = isBuild ? buildBusybox(say) : path === undefined ? busyboxOfDebian(say) : fromPath(path);
  const guest = readGuestImage(found.bytes, path ?? 'busybox');
  const description = describe(found, guest);
  for (const line of descriptionLines(description, guest)) say(line);
  const file = join(folder, isBuild ? 'busybox-0x400000' : 'busybox');
  keep(file, found.bytes, description);
  say(`kept as ${relative(process.cwd(), file)}`);
}

function readArguments(args: readonly string[]): { path: string | undefined; isBuild: boolean; folder: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { build: { type: 'boolean', default: false }, out: { type: 'string', default: join(ROOT, 'guest') } },
    allowPositionals: true,
  });
  if (positionals.length > 1 || (values.build && positionals.length > 0)) throw new GuestError(USAGE);
  return { path: positionals[0], isBuild: values.build, folder: resolve(values.out) };
}

function fromPath(path: string): Found {
  try {
    return { bytes: readFileSync(path), source: `given as ${path}` };
  } catch (error) {
    throw new GuestError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

const describe = ({ bytes, source }: Found, { version, applets }: GuestImage): GuestDescription => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.length,
  source,
  version,
  applets,
});

function descriptionLines({ sha256, bytes, source, version, applets }: GuestDescription, { image }: GuestImage): string[] {
  const page = sharedFilePage(image);
  const known = knownGuests();
  return [
    `BusyBox ${version}: ${bytes} bytes, ${applets.length} applets`,
    `  from     ${source}`,
    `  sha256   ${sha256}`,
    ...image.segments.map((segment, index) => `  ${index === 0 ? 'segments' : '        '} ${segmentText(segment)}`),
    typeof page === 'number'
      ? `  shared   file page ${hex(page / PAGE_BYTES)}: what is only read ends in it and the data begin`
      : `  shared   no page: ${page}`,
    ...(known.some((one) => one.sha256 === sha256) ? [] : otherGuestLines(known)),
  ];
}

const otherGuestLines = (known: readonly KnownGuest[]): string[] => [
  '  note     the committed data were made with others; what depends on the program may differ:',
  ...known.map(({ program, sha256 }) => `             ${sha256.slice(0, 16)}… ${program}`),
];

interface KnownGuest {
  readonly program: string;
  readonly sha256: string;
}

const knownGuests = (): readonly KnownGuest[] => (JSON.parse(readFileSync(SUITE, 'utf8')) as { guests: KnownGuest[] }).guests;

/** Program and description appear under their names when both are written. */
function keep(file: string, bytes: Uint8Array, description: GuestDescription): void {
  mkdirSync(join(file, '..'), { recursive: true });
  const [program, text] = [`${file}.part`, `${file}.json.part`];
  try {
    writeFileSync(program, bytes, { mode: 0o755 });
    writeFileSync(text, `${JSON.stringify(description, undefined, 2)}\n`);
    renameSync(program, file);
    renameSync(text, `${file}.json`);
  } finally {
    rmSync(program, { force: true });
    rmSync(text, { force: true });
  }
}

function main(args: readonly string[]): void {
  try {
    getGuest(args, (line) => {
      console.log(line);
    });
  } catch (error) {
    if (!(error instanceof GuestError) && !(error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`guest: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
