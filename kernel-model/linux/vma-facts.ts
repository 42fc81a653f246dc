/** What a VMA of the linux design is besides its bounds, rights and backing; `vma.ts` and `anon-vma.ts` work on it. */

/**
 * An anon_vma: the object through which the private pages of a VMA are found. It is a value without content; what counts
 * is which one it is, and whose child.
 */
export interface AnonVma {
  /** That of the VMA it was forked from; undefined for a root. */
  readonly parent: AnonVma | undefined;
}

export interface LinuxVma {
  /** VM bits. */
  readonly flags: number;
  /** Where its private pages belong, once there are any. */
  readonly anonVma: AnonVma | undefined;
  /** Every anon_vma its pages may belong to: its own, and those of the processes it was forked from. */
  readonly anonChain: readonly AnonVma[];
  /** Offset in pages: in the file, or for private anonymous memory the page number of the place where it was born. */
  readonly pgoff: number;
  /** Which open file description it was mapped through. */
  readonly description: number;
}
