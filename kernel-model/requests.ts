/** What calls ask for, whichever design answers. */

export interface MmapRequest {
  /** 0 for anywhere. */
  readonly address: number;
  readonly lengthBytes: number;
  readonly prot: number;
  readonly shared: boolean;
  readonly fixed: boolean;
  /** With `fixed`: fail rather than replace. */
  readonly noreplace: boolean;
  readonly populate: boolean;
  /** Undefined for anonymous memory. */
  readonly path: string | undefined;
  readonly offset: number;
  /** MAP_PRIVATE. With `shared` it is MAP_SHARED_VALIDATE; neither is no type at all. The rest is Linux's, too. */
  readonly private?: boolean | undefined;
  readonly locked?: boolean | undefined;
  readonly growsdown?: boolean | undefined;
  readonly noreserve?: boolean | undefined;
  /** MAP_STACK. */
  readonly stack?: boolean | undefined;
  /** A flag bit that no kernel defines. */
  readonly unknownFlag?: boolean | undefined;
  /** Which open file description of the file: VMAs of two do not merge. */
  readonly description?: number | undefined;
  /** The file was opened for reading only. */
  readonly readonly?: boolean | undefined;
}

export interface MremapRequest {
  readonly address: number;
  readonly oldBytes: number;
  readonly newBytes: number;
  readonly mayMove: boolean;
  readonly fixed: boolean;
  readonly newAddress: number;
  /** Linux only. */
  readonly dontUnmap?: boolean | undefined;
}

/** Advice that both designs know. */
export const COMMON_ADVICE = ['normal', 'random', 'sequential', 'willneed', 'dontneed', 'free', 'hugepage', 'nohugepage'] as const;

export type Advice =
  | (typeof COMMON_ADVICE)[number]
  | 'remove'
  | 'dontfork'
  | 'dofork'
  | 'dontdump'
  | 'dodump'
  | 'wipeonfork'
  | 'keeponfork'
  | 'cold'
  | 'pageout'
  | 'populateRead'
  | 'populateWrite'
  | 'collapse'
  | 'guardInstall'
  | 'guardRemove';
