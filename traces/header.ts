/**
 * The header of a trace: which kernel, which files, what is expected of the run.
 *
 * The schemas give the types and the shape; what a schema cannot say (a segment outside its file, two files of one path, more memory
 * than the caller allows) is checked by `checkHeader`. Nothing here makes the bytes of a file: see content.ts.
 */
import { Type, type Static } from 'typebox';
import { Address, ADDRESS_END, count, HexBytes, Offset, Path, Text, word } from './field.ts';
import { show, TraceError, type Where } from './format-error.ts';

const optional = Type.Optional;
const closed = { additionalProperties: false } as const;
const COUNT_MAX = 2 ** 32;

const SegmentSchema = Type.Object(
  {
    vaddr: Address,
    offset: Offset,
    filesz: Offset,
    memsz: Offset,
    flags: word('none', 'r', 'w', 'x', 'rw', 'rx', 'wx', 'rwx'),
  },
  closed,
);

const ContentSchema = Type.Union(
  [
    Type.Object({ seed: Text }, closed),
    Type.Object({ base64: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'bytes in base64' }) }, closed),
    Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 lowercase hex digits' }) }, closed),
  ],
  { description: '{"seed":…}, {"base64":…} or {"sha256":…}' },
);

const FileSchema = Type.Object(
  {
    path: Path,
    links: optional(Type.Array(Path)),
    size: count(0, COUNT_MAX),
    immutable: optional(Type.Boolean({ description: 'true or false' })),
    type: optional(word('exec', 'dyn')),
    entry: optional(Address),
    interp: optional(Path),
    segments: optional(Type.Array(SegmentSchema, { maxItems: 64, description: 'a list of at most 64 segments' })),
    content: ContentSchema,
    patches: optional(Type.Array(Type.Object({ offset: Offset, hex: HexBytes }, closed))),
  },
  closed,
);

/** Room for a name that takes back or adds every decision there is. */
export const KERNEL_NAME_LENGTH_MAX = 8192;

const KernelSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: KERNEL_NAME_LENGTH_MAX, description: 'the name of a kernel, such as "kevlar@m9.8.1"' }),
    module: optional(Text),
    assembleThreshold: optional(count(0, COUNT_MAX)),
    frames: optional(count(1, Number.MAX_SAFE_INTEGER)),
    cpus: optional(count(1, Number.MAX_SAFE_INTEGER)),
    profile: optional(word('fortress', 'balanced', 'performance', 'ludicrous')),
    hugePages: optional(Type.Enum([2, 4, 8, 16, 32, 64, 128, 256, 512], { description: 'a power of two from 2 to 512' })),
    faultAroundPages: optional(count(0, COUNT_MAX)),
    prefaultPagesMax: optional(count(0, COUNT_MAX)),
    refcountMax: optional(count(1, COUNT_MAX)),
    asids: optional(count(1, 65536)),
    singlesMax: optional(count(0, COUNT_MAX)),
    zeroedMax: optional(count(0, COUNT_MAX)),
    tlbEntries: optional(count(1, 65536)),
    faultsMax: optional(count(1, COUNT_MAX)),
    heapStart: optional(Address),
    initialProcess: optional(count(1, 2 ** 22)),
  },
  closed,
);

const ExpectationSchema = Type.Object(
  {
    verdict: word('held', 'failed', 'diverged'),
    kind: optional(word('invariant', 'reference', 'outcome')),
    id: optional(Text),
    op: optional(count(0, Number.MAX_SAFE_INTEGER)),
    digest: optional(Text),
  },
  closed,
);

const SourceSchema = Type.Object({ tool: optional(Text), program: optional(Text), sha256: optional(Text), note: optional(Text) }, closed);

export const HEADER_SCHEMA = Type.Object(
  {
    faultline: Type.Literal(1, { description: '1, the version of the format this faultline reads' }),
    kernel: KernelSchema,
    files: Type.Array(FileSchema, { maxItems: 4096, description: 'a list of at most 4096 files' }),
    seed: optional(Text),
    source: optional(SourceSchema),
    expect: optional(ExpectationSchema),
  },
  closed,
);

export type TraceHeader = Static<typeof HEADER_SCHEMA>;
export type KernelSpec = Static<typeof KernelSchema>;
export type FileSpec = Static<typeof FileSchema>;
export type SegmentSpec = Static<typeof SegmentSchema>;
export type Expectation = Static<typeof ExpectationSchema>;

/** What a caller lets a trace ask for. A trace from a stranger gets no more, whatever its header says. */
export interface TraceLimits {
  /** Frames of 4 KiB. */ readonly frames: number;
  /** Bytes of all files together. */ readonly fileBytes: number;
  readonly cpus: number;
}

/** 1 GiB of frames, 256 MiB of files, 64 CPUs. */
export const DEFAULT_LIMITS: TraceLimits = { frames: 262144, fileBytes: 256 * 2 ** 20, cpus: 64 };

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** Bytes that the ELF headers take at the start of a seeded file with segments, the interpreter's name included. */
export function elfHeaderBytes(spec: FileSpec): number {
  const segments = spec.segments ?? [];
  const name = spec.interp === undefined ? 0 : new TextEncoder().encode(spec.interp).length + 1;
  return ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES * (segments.length + (name > 0 ? 1 : 0)) + name;
}

/** Checks what the schema cannot say. @throws TraceError that names the first field at fault */
export function checkHeader(header: TraceHeader, where: Where, limits: TraceLimits): void {
  const fail = (field: string, problem: string): never => {
    throw new TraceError(where, field, problem);
  };
  const { frames = 0, cpus = 0 } = header.kernel;
  if (frames > limits.frames)
    fail('kernel.frames', `${frames} frames are more than the limit of ${limits.frames} (raise the limit, or ask for less)`);
  if (cpus > limits.cpus) fail('kernel.cpus', `${cpus} CPUs are more than the limit of ${limits.cpus} (raise the limit, or ask for less)`);
  checkPaths(header.files, fail);
  let total = 0;
  header.files.forEach((file, index) => {
    total += file.size;
    if (total > limits.fileBytes) {
      fail(
        `files[${index}].size`,
        `files of ${total} bytes in all are more than the limit of ${limits.fileBytes} (raise the limit, or cut the files)`,
      );
    }
    checkFile(file, `files[${index}]`, fail);
  });
}

type Fail = (field: string, problem: string) => never;

function checkPaths(files: readonly FileSpec[], fail: Fail): void {
  const seen = new Set<string>();
  const claim = (path: string, field: string): void => {
    if (seen.has(path)) fail(field, `${show(path)} is already the path of a file (give each file its own paths)`);
    seen.add(path);
  };
  files.forEach((file, index) => {
    claim(file.path, `files[${index}].path`);
    file.links?.forEach((link, at) => claim(link, `files[${index}].links[${at}]`));
  });
}

function checkFile(file: FileSpec, field: string, fail: Fail): void {
  file.segments?.forEach((segment, index) => checkSegment(segment, file.size, `${field}.segments[${index}]`, fail));
  checkOverlap(file.segments ?? [], field, fail);
  if (file.segments !== undefined && 'seed' in file.content && file.size < elfHeaderBytes(file)) {
    fail(`${field}.size`, `${file.size} bytes do not hold the ELF headers of the segments (make it ${elfHeaderBytes(file)} or more)`);
  }
  file.patches?.forEach((patch, index) => {
    if (patch.offset + patch.hex.length / 2 > file.size)
      fail(`${field}.patches[${index}].offset`, `the patch ends outside the file of ${file.size} bytes`);
  });
  if ('base64' in file.content) {
    const bytes = base64Length(file.content.base64);
    if (bytes !== file.size) fail(`${field}.content.base64`, `holds ${bytes} bytes, but the file's size is ${file.size}`);
  }
}

function checkSegment(segment: SegmentSpec, size: number, field: string, fail: Fail): void {
  const { vaddr, offset, filesz, memsz } = segment;
  if (filesz > memsz) fail(`${field}.filesz`, 'is larger than memsz (a segment holds its file part)');
  if (offset + filesz > size) fail(`${field}.offset`, `the segment's file part ends outside the file of ${size} bytes`);
  if (vaddr + memsz > ADDRESS_END) fail(`${field}.vaddr`, 'the segment ends above 0x800000000000 (user space ends there)');
}

/** Segments may share a page, never a byte. */
function checkOverlap(segments: readonly SegmentSpec[], field: string, fail: Fail): void {
  const order = segments
    .map((segment, index) => ({ start: segment.vaddr, end: segment.vaddr + segment.memsz, index }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start || a.index - b.index);
  let before = { start: 0, end: 0, index: -1 };
  for (const range of order) {
    if (range.start < before.end) fail(`${field}.segments[${range.index}].vaddr`, `the segment overlaps segments[${before.index}]`);
    before = range;
  }
}

function base64Length(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 ? (text.length / 4) * 3 - padding : -1;
}
