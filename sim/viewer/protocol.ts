/** What the page and its engine say to each other. The engine is a worker that holds the sessions; the page shows what it answers. */
import type { FindingsSoFar } from './findings.ts';
import type { Partings } from './lockstep.ts';
import type { Moment, Selection } from './moment.ts';
import type { OverviewPart } from './overview.ts';

/** What a page was made with: kernels instead of the trace's, and files that the trace names by digest. */
export interface ViewOptions {
  readonly kernel?: string | undefined;
  readonly against?: string | undefined;
  readonly threshold?: number | undefined;
  /** The op to begin with; a link's comes before it. */
  readonly op?: number | undefined;
  /** By digest the file's bytes, in base64. */
  readonly supplied?: Readonly<Record<string, string>> | undefined;
}

export interface OpenRequest {
  readonly type: 'open';
  readonly name: string;
  /** The trace file, plain or gzip. */
  readonly file: Blob;
  readonly options: ViewOptions;
}

export interface MomentRequest {
  readonly type: 'moment';
  readonly id: number;
  /** -1 is before the first op. */
  readonly op: number;
  readonly selection: Selection;
}

/** Asks for the notation of some ops. */
export interface OpsRequest {
  readonly type: 'ops';
  readonly from: number;
  readonly count: number;
}

export type EngineRequest = OpenRequest | MomentRequest | OpsRequest;

/** What is known of a trace once it is read. */
export interface TraceFacts {
  readonly name: string;
  readonly ops: number;
  readonly kernels: readonly string[];
  readonly threshold: number;
  readonly frames: number;
  readonly hugePages: number;
  readonly note: string | undefined;
  /** Op at which the header expects a failure. */
  readonly expectedOp: number | undefined;
}

/** `side` is 0, or 1 for the other kernel. */
export type EngineAnswer =
  | { readonly type: 'reading'; readonly ops: number }
  | { readonly type: 'opened'; readonly facts: TraceFacts }
  | { readonly type: 'overview'; readonly part: OverviewPart }
  | { readonly type: 'ready'; readonly milliseconds: number }
  | { readonly type: 'findings'; readonly side: number; readonly soFar: FindingsSoFar }
  | { readonly type: 'partings'; readonly partings: Partings }
  | { readonly type: 'moment'; readonly id: number; readonly moments: readonly Moment[] }
  | { readonly type: 'ops'; readonly from: number; readonly lines: readonly string[] }
  | { readonly type: 'failed'; readonly message: string };
