/**
 * Where the states of two kernels differ, field by field, in the order of the digest's parts.
 *
 * Frames have no names here: two pages are alike if they have the same rights, the same number of holders and the same bytes. This is
 * looked at once digests have said that something differs, so it may take its time.
 */
import { frameOfPte, hex, pfn, vaddrOf, type Kernel, type StatePart, type Vma } from '../kernel-model/index.ts';

/** One field in which the states differ; undefined stands for a thing that one of them does not have. */
export interface StateDifference {
  readonly part: StatePart;
  /** What it is a field of: `process 2`, `process 1 page 0x581000`. */
  readonly of: string;
  readonly field: string;
  readonly values: readonly [a: string | undefined, b: string | undefined];
}

type Fields = Readonly<Record<string, string | Uint8Array>>;
type View = ReadonlyMap<string, Fields>;

/** The differences in those parts, the first `countMax` of each. */
export function stateDifferences(a: Kernel, b: Kernel, parts: readonly StatePart[], countMax: number): StateDifference[] {
  return parts.flatMap((part) => differencesOf(part, VIEWS[part](a), VIEWS[part](b)).slice(0, countMax));
}

function differencesOf(part: StatePart, a: View, b: View): StateDifference[] {
  const found: StateDifference[] = [];
  for (const of of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(of), b.get(of)];
    if (left === undefined || right === undefined) {
      const text = (fields: Fields | undefined): string | undefined => (fields === undefined ? undefined : summary(fields));
      found.push({ part, of, field: '', values: [text(left), text(right)] });
      continue;
    }
    for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const difference = valueDifference(left[field], right[field]);
      if (difference !== undefined) found.push({ part, of, field: `${field}${difference.place}`, values: difference.values });
    }
  }
  return found;
}

function valueDifference(
  a: string | Uint8Array | undefined,
  b: string | Uint8Array | undefined,
): { readonly place: string; readonly values: StateDifference['values'] } | undefined {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const at = a.findIndex((byte, index) => byte !== b[index]);
    return at < 0 ? undefined : { place: ` at ${hex(at)}`, values: [hex(a[at]!), hex(b[at]!)] };
  }
  return a === b ? undefined : { place: '', values: [textOf(a), textOf(b)] };
}

const textOf = (value: string | Uint8Array | undefined): string | undefined =>
  value instanceof Uint8Array ? `${value.length} bytes` : value;

const summary = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([, value]) => typeof value === 'string')
    .map(([name, value]) => `${name} ${value as string}`)
    .join(', ') || 'there';

const VIEWS: Readonly<Record<StatePart, (kernel: Kernel) => View>> = {
  processes: (kernel) =>
    new Map(
      [...kernel.processes.values()]
        .sort((a, b) => a.pid - b.pid)
        .map(({ pid, parent, space, argv0 }) => [`process ${pid}`, { parent: String(parent), space: String(space.id), program: argv0 }]),
    ),
  vmas: (kernel) => new Map(spacesOf(kernel).flatMap(([name, space]) => vmaFields(name, space.vmas.list, space))),
  entries: (kernel) => new Map(spacesOf(kernel).flatMap(([name, space]) => pageFields(kernel, name, space.root))),
  cache: cacheFields,
  files: (kernel) =>
    new Map(
      [...new Set(kernel.files.values())].map((file) => [
        file.path,
        {
          size: String(file.size),
          ...Object.fromEntries([...file.changedPages()].map(([index, bytes]) => [`page ${index}`, bytes.slice()])),
        },
      ]),
    ),
  counts: (kernel) =>
    new Map([
      [
        'kernel',
        Object.fromEntries([
          ...Object.entries(kernel.counts).map(([name, count]) => [name, String(count)]),
          ['free frames', String(kernel.allocator.freeCount())],
        ]) as Fields,
      ],
    ]),
};

function spacesOf(kernel: Kernel): (readonly [name: string, space: Kernel['spaces'] extends Set<infer Space> ? Space : never])[] {
  return [...kernel.spaces].sort((a, b) => a.id - b.id).map((space) => [`process ${space.pid}`, space] as const);
}

function vmaFields(
  name: string,
  vmas: readonly Vma[],
  space: { readonly heapStart: number; readonly heapEnd: number; readonly placementNext: number },
): (readonly [string, Fields])[] {
  const { heapStart, heapEnd, placementNext } = space;
  const own: Fields = { heapStart: hex(heapStart), heapEnd: hex(heapEnd), placementNext: hex(placementNext) };
  return [
    [name, own],
    ...vmas.map((vma, index): readonly [string, Fields] => [
      `${name} VMA ${index}`,
      {
        start: hex(vma.start),
        end: hex(vma.end),
        prot: String(vma.prot),
        role: vma.role,
        shared: String(vma.shared),
        file: vma.backing?.file.path ?? 'none',
        offset: hex(vma.backing?.offset ?? 0),
        fileBytes: hex(vma.backing?.fileBytes ?? 0),
      },
    ]),
  ];
}

const RIGHTS = ['valid', 'r', 'w', 'x', 'u', 'g', 'a', 'd', 'rsw0', 'rsw1'];

function pageFields(kernel: Kernel, name: string, root: Parameters<Kernel['tables']['eachEntry']>[0]): (readonly [string, Fields])[] {
  const pages: (readonly [string, Fields])[] = [];
  kernel.tables.eachEntry(root, (page, entry, _slot, isHuge) => {
    const count = isHuge ? kernel.parameters.hugePages : 1;
    const bits = RIGHTS.filter((_, bit) => ((entry >> bit) & 1) === 1).join(' ');
    for (let i = 0; i < count; i++) {
      const fields = { entry: bits, huge: String(isHuge), ...frameFields(kernel, pfn(frameOfPte(entry) + i)) };
      pages.push([`${name} page ${hex(vaddrOf(page) + i * 4096)}`, fields]);
    }
  });
  return pages;
}

function frameFields(kernel: Kernel, frame: ReturnType<typeof pfn>): Fields {
  if (!kernel.frames.exists(frame)) return { frame: 'does not exist' };
  return { holders: String(kernel.frames.refs[frame]), bytes: kernel.memory.page(frame) };
}

function cacheFields(kernel: Kernel): View {
  const pages = new Map<string, Fields>();
  kernel.cache.eachPage((file, index, { frame, dirty }) => {
    pages.set(`${file.path} page ${index}`, { dirty: String(dirty), ...frameFields(kernel, frame) });
  });
  kernel.cache.eachBlock((block) => {
    for (const [i, populated] of block.populated.entries())
      pages.set(`${block.file.path} block ${block.region} sub-page ${i}`, {
        populated: String(populated),
        ...frameFields(kernel, pfn(block.frame + i)),
      });
  });
  return pages;
}
