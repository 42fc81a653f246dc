/**
 * Hashes of pages as the result lines have them: FNV-1a over the page's 1024 little-endian words of 32 bits.
 *
 * A line lists the present pages whose hash changed since the last line of its process. A process begins with the hash of a page of zeros
 * for every page, a child with what its parent had; a page that is not there falls back to it. `HashBook` keeps that account, for who writes lines and for who reads them.
 */

const OFFSET_BASIS = 0x811c_9dc5;
const PRIME = 0x0100_0193;
const PAGE_WORDS = 1024;

/** The hash of the page whose first word is `words[from]`, in 8 hex digits. */
export function pageHash(words: Int32Array, from: number): string {
  let hash = OFFSET_BASIS;
  for (let i = from; i < from + PAGE_WORDS; i++) hash = Math.imul(hash ^ words[i]!, PRIME);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

export const ZERO_PAGE_HASH = pageHash(new Int32Array(PAGE_WORDS), 0);

/** The last hash that was said of each page, by process. */
export class HashBook {
  private readonly known: Map<number, string>[] = [new Map<number, string>()];

  fork(parent: number, child: number): void {
    this.known[child] = new Map(this.known[parent]);
  }

  /** The hash that holds for a page until a line says otherwise. */
  hashOf(process: number, page: number): string {
    return this.known[process]?.get(page) ?? ZERO_PAGE_HASH;
  }

  /** The pages whose hash is not that of zeros, with their hashes. */
  entries(process: number): ReadonlyMap<number, string> {
    return new Map(this.known[process]);
  }

  /** Only these pages are there now. */
  keep(process: number, pages: Pick<ReadonlySet<number>, 'has'>): void {
    const known = this.known[process];
    for (const page of known?.keys() ?? []) if (!pages.has(page)) known?.delete(page);
  }

  /** Takes over the hash of a page. @returns whether it is news */
  note(process: number, page: number, hash: string): boolean {
    if (this.hashOf(process, page) === hash) return false;
    this.known[process]?.set(page, hash);
    return true;
  }
}
