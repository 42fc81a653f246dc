/** One moment of a session as plain data: what the last op did, and the state after it. Everything that the page shows of a run. */
import { eventAsJson, hex, type KernelEvent } from '../../kernel-model/index.ts';
import { formatOp } from '../../traces/notation.ts';
import type { Op } from '../../traces/op.ts';
import { viewBytes, type BytesView } from './bytes-view.ts';
import { viewFrames, type FramesView } from './frames-view.ts';
import { sampleOf, type Sample } from './overview.ts';
import { frameAt, spaceOf } from './page-pieces.ts';
import { viewRegion, type RegionView } from './region-view.ts';
import type { Session } from './session.ts';
import { spaceState, viewSpace, type SpaceState, type SpaceView } from './space-view.ts';

/** What to look at; what is left out follows the op. */
export interface Selection {
  readonly pid?: number | undefined;
  readonly address?: number | undefined;
  readonly frame?: number | undefined;
}

export interface EventView {
  readonly type: string;
  /** Its fields, as JSON. */
  readonly text: string;
  readonly pid: number | undefined;
  readonly address: number | undefined;
}

export interface ProcessView {
  readonly pid: number;
  readonly parent: number;
  readonly argv0: string;
  readonly vmas: number;
  readonly isRunning: boolean;
}

export interface Moment {
  readonly kernel: string;
  readonly threshold: number;
  /** Index of the last op that ran, -1 before the first. */
  readonly op: number;
  readonly opText: string;
  readonly result: string | undefined;
  /** The first events of the op. */
  readonly events: readonly EventView[];
  readonly eventCount: number;
  readonly counters: Sample;
  readonly processes: readonly ProcessView[];
  /** What is looked at. */
  readonly pid: number;
  readonly address: number;
  readonly space: SpaceView | undefined;
  readonly region: RegionView | undefined;
  readonly bytes: BytesView | undefined;
  readonly frames: FramesView;
  /** The kernel's own assertion, which ended the run here. */
  readonly bug: string | undefined;
}

const EVENTS_MAX = 400;

/** Goes to the moment after op `op` (-1: before the first) and describes it. */
export function momentAt(session: Session, op: number, selection: Selection): Moment {
  let at = Math.max(0, Math.min(op + 1, session.ops.length));
  session.seek(at - 1);
  if (session.isBroken) session.seek((at = session.at + 1) - 1); // the run ends there, with half of that op
  const current = at === 0 ? undefined : session.ops[at - 1];
  const watched = selection.pid ?? current?.pid;
  const before = new Map(
    [...session.kernel.processes.keys()].filter((pid) => pid === watched).map((pid) => [pid, spaceState(session.kernel, pid)]),
  );
  const events: KernelEvent[] = [];
  session.onEvent = (event) => void events.push(event);
  session.seek(at);
  session.onEvent = undefined;
  return describe(session, current, events, { selection, before });
}

interface Context {
  readonly selection: Selection;
  readonly before: ReadonlyMap<number, SpaceState>;
}

const NOTHING_BEFORE: SpaceState = { vmas: new Set(), entries: new Map() };

function describe(session: Session, op: Op | undefined, events: readonly KernelEvent[], { selection, before }: Context): Moment {
  const { kernel, reference, bug } = session;
  const pid = shownPid(session, op, selection.pid);
  const space = viewSpace(kernel, reference, pid, before.get(pid) ?? NOTHING_BEFORE);
  const address = selection.address ?? focusOf(op, events, space);
  const own = spaceOf(kernel, pid);
  return {
    kernel: session.kernelName,
    threshold: kernel.parameters.assembleThreshold,
    op: session.isBroken ? session.at : session.at - 1,
    opText: op === undefined ? 'before the first op' : formatOp(op),
    result: session.result === undefined ? undefined : answerText(session.result),
    events: events.slice(0, EVENTS_MAX).map(viewEvent),
    eventCount: events.length,
    counters: sampleOf(session),
    processes: processesOf(session, op),
    pid,
    address,
    space,
    region: viewRegion(kernel, reference, pid, address),
    bytes: viewBytes(kernel, reference, pid, address),
    frames: viewFrames(kernel, selection.frame ?? (own === undefined ? undefined : frameAt(kernel, own, address))),
    bug: session.isBroken ? bug?.message : undefined,
  };
}

const answerText = (result: number | string): string =>
  typeof result === 'string' ? result : result >= 4096 ? hex(result) : String(result);

function shownPid({ kernel }: Session, op: Op | undefined, wanted: number | undefined): number {
  const alive = [...kernel.processes.keys()];
  return [wanted, op?.pid].find((pid) => alive.some((one) => one === pid)) ?? alive[0] ?? op?.pid ?? 0;
}

/** The address that an op is about: a page it made wrong, what it assembled, where it faulted, what it names. */
function focusOf(op: Op | undefined, events: readonly KernelEvent[], space: SpaceView | undefined): number {
  const named = op !== undefined && 'addr' in op && op.addr > 0 ? op.addr : undefined;
  const isWrong = (page: number): boolean => space?.wrongPages.includes(page - (page % 4096)) === true;
  const changed = space?.runs.find((run) => run.isWrong && run.isChanged)?.start;
  if (changed !== undefined) return changed;
  if (named !== undefined && isWrong(named)) return named;
  const assembled = events.find((event) => event.type === 'assembly_end')?.huge_base;
  const faulted = events.find((event) => event.type === 'page_fault')?.vaddr;
  const mapped = events.find((event) => event.type === 'page_mapped' && event.pid === op?.pid);
  const placed = mapped?.type === 'page_mapped' ? mapped.vaddr : undefined;
  const image = space?.vmas.find((vma) => vma.role === 'segment' || vma.role === 'mapping')?.start ?? space?.vmas[0]?.start;
  return assembled ?? faulted ?? named ?? space?.wrongPages[0] ?? (op?.op === 'exec' ? image : undefined) ?? placed ?? image ?? 0;
}

function viewEvent(event: KernelEvent): EventView {
  const at = 'vaddr' in event ? event.vaddr : 'huge_base' in event ? event.huge_base : undefined;
  return { type: event.type, text: eventAsJson(event), pid: 'pid' in event ? event.pid : undefined, address: at };
}

function processesOf({ kernel }: Session, op: Op | undefined): readonly ProcessView[] {
  return [...kernel.processes.values()].map(({ pid, parent, argv0, space }) => {
    return { pid, parent, argv0, vmas: space.vmas.ascending.length, isRunning: pid === op?.pid };
  });
}
