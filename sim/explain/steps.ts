/**
 * From events to a story: the few ops that matter, each with what happened in it.
 *
 * An op matters if the wrong byte passed through it, if a decision to blame was taken in it, if it is the failing one, or if
 * something happened in it to the page, the frame or the file page in the life in which they mattered. In a short trace
 * every op is told. Where there are too many the ones in which a frame was merely used again are counted, not told.
 */
import { hex, PAGE_BYTES, type KernelEvent, type ProvenanceRecord } from '../../kernel-model/index.ts';
import { formatOp } from '../../traces/notation.ts';
import type { Op } from '../../traces/op.ts';
import type { Explanation } from './explain.ts';
import { phraseOf } from './phrases.ts';
import type { WrongAnswer } from './spy.ts';
import { subjectOf, type StoryEvent, type Subject } from './story.ts';

/** One op of the story. */
export interface Step {
  readonly op: number;
  /** In notation; null for the end of the run. */
  readonly text: string | null;
  /** What happened in it, in order. */
  readonly facts: readonly string[];
  /** Answers of the rules to blame that the right ones would not give. */
  readonly wrong: readonly WrongAnswer[];
}

export interface Story {
  readonly steps: readonly Step[];
  /** Ops in which something concerned was used again, and that are not told. */
  readonly untold: number;
}

/** More ops than this are too many to read. */
const STEPS_MAX = 10;
/** A trace as short as this is told whole. */
const SHORT = 10;
const FACTS_MAX = 6;

export function storyOf(explanation: Explanation): Story {
  const { finding, ops } = explanation;
  const subject = subjectOf(finding, ops.length);
  const told = eventsInTheirLives(explanation, subject);
  const wrong = decisionsTaken(explanation, told);
  const record = finding.byte?.provenance;
  const must = new Set([finding.op, ...provenanceOps(record), ...wrong.map(({ op }) => op)]);
  if (finding.op < SHORT) for (let op = 0; op < finding.op; op++) must.add(op);
  else if ((explanation.needed?.length ?? Infinity) <= SHORT) for (const op of explanation.needed!) must.add(op);
  const others = [...new Set(told.map(({ op }) => op))].filter((op) => !must.has(op));
  const room = Math.max(0, STEPS_MAX - must.size);
  // Of a byte the way is known; of what else is wrong every use of the frame may be the one that matters.
  const news = finding.byte === undefined ? others : others.filter((op) => told.some((one) => one.op === op && !isMereUse(one.event)));
  const chosen = new Set([...must, ...mostTelling(news, told, room)]);
  const steps = [...chosen]
    .sort((a, b) => a - b)
    .map((op): Step => {
      const inOp = told.filter((event) => event.op === op);
      const facts = [...new Set([...inOp.map(({ event }) => phraseOf(event)), ...provenanceFacts(record, finding, op)])];
      return { op, text: opText(ops[op]), facts: shortened(facts), wrong: wrong.filter((answer) => answer.op === op) };
    });
  return { steps, untold: others.filter((op) => !chosen.has(op)).length };
}

/** An op in notation, without what is long and does not matter. */
function opText(op: Op | undefined): string | null {
  if (op?.op !== 'exec') return op === undefined ? null : formatOp(op);
  const { env: _env, stack: _stack, ...rest } = op;
  return formatOp(rest);
}

function shortened(facts: readonly string[]): readonly string[] {
  if (facts.length <= FACTS_MAX) return facts;
  return [...facts.slice(0, FACTS_MAX - 1), `… and ${facts.length - FACTS_MAX} more …`, facts.at(-1)!];
}

/** Ops with the rarest kinds of events; of equals the first. */
function mostTelling(ops: readonly number[], events: readonly StoryEvent[], count: number): readonly number[] {
  const counts = new Map<string, number>();
  for (const { event } of events) counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
  const rarest = new Map<number, number>();
  for (const { op, event } of events) rarest.set(op, Math.min(rarest.get(op) ?? Infinity, counts.get(event.type)!));
  return [...ops].sort((a, b) => rarest.get(a)! - rarest.get(b)! || a - b).slice(0, count);
}

const MERE_USES: ReadonlySet<string> = new Set(['cache_hit', 'page_fault', 'page_mapped', 'page_unmapped', 'huge_cache_hit']);

const isMereUse = ({ type }: KernelEvent): boolean => MERE_USES.has(type);

// ---- Lives.

/** The events of each frame in the life in which it mattered, of the page in the process’s present program, of the file page. */
function eventsInTheirLives({ events, scene, finding }: Explanation, { frames, page, filePage }: Subject): StoryEvent[] {
  const kept = new Set<StoryEvent>();
  for (const [frame, at] of frames) {
    const own = events.filter(({ event }) => framesOf(event, frame));
    const birth = own.findLastIndex(({ event, op }) => event.type === 'frame_allocated' && op <= at);
    const death = own.findIndex(({ event, op }, i) => i > birth && event.type === 'frame_freed' && op >= at);
    for (const event of own.slice(Math.max(birth, 0), death < 0 ? undefined : death + 1)) kept.add(event);
  }
  const since = scene?.image?.op ?? 0;
  for (const one of events) {
    const { event, op } = one;
    const isFile = 'path' in event && event.type !== 'cache_hit' && event.path === filePage?.path;
    const isPage =
      page !== undefined &&
      'pid' in event &&
      event.pid === page.pid &&
      !('frame' in event && framesOf(event, event.frame) && !coversPage(event, page.start));
    if (isFile || (isPage && op >= since)) kept.add(one);
  }
  return events.filter((event) => kept.has(event) && event.op <= finding.op);
}

/** Is the event about this frame? */
function framesOf(event: KernelEvent, frame: number): boolean {
  if (event.type === 'cow_copy') return event.from === frame || event.to === frame;
  if (event.type === 'assembly_begin' || event.type === 'assembly_page') return true;
  if (!('frame' in event)) return false;
  const count = 'order' in event ? 2 ** event.order : 'pages' in event ? event.pages : event.type === 'huge_cache_hit' ? HUGE_PAGES_MAX : 1;
  return event.frame <= frame && frame < event.frame + count;
}

const HUGE_PAGES_MAX = 512;

const coversPage = (event: KernelEvent, start: number): boolean =>
  'vaddr' in event &&
  event.vaddr - (event.vaddr % PAGE_BYTES) <= start &&
  start < event.vaddr + ('pages' in event ? event.pages : 1) * PAGE_BYTES;

// ---- Decisions.

/** Of each rule to blame the wrong answer that matters: one given about what is concerned, or else the last before the failure. */
function decisionsTaken({ guilt, wrong, finding }: Explanation, told: readonly StoryEvent[]): WrongAnswer[] {
  const via = new Set(provenanceOps(finding.byte?.provenance));
  const rules = [...new Set(guilt.decisions.map(({ mutant }) => mutant.rule))];
  return rules.flatMap((rule) => {
    const near = told.flatMap((event) => event.wrong.filter((answer) => answer.rule === rule));
    const answer = near.findLast(({ op }) => via.has(op)) ?? near.at(-1) ?? wrong.get(rule)?.last;
    return answer === undefined ? [] : [answer];
  });
}

// ---- The way of the wrong byte.

const provenanceOps = (record: ProvenanceRecord | undefined): number[] =>
  record === undefined ? [] : [record.op, ...record.hops.map(({ op }) => op)];

function provenanceFacts(record: ProvenanceRecord | undefined, { byte }: Explanation['finding'], op: number): string[] {
  if (record === undefined || byte === undefined) return [];
  const at = byte.offsetInPage;
  const { hops } = record;
  const first = hops[0]?.from ?? byte.frame;
  const facts: string[] = [];
  if (record.op === op) facts.push(`byte ${at} of frame ${hex(first ?? 0)} ${originPhrase(record, at)}`);
  hops.forEach((hop, i) => {
    if (hop.op === op)
      facts.push(`byte ${at} is copied from frame ${hex(hop.from)} to frame ${hex(hops[i + 1]?.from ?? byte.frame ?? 0)} (${hop.why})`);
  });
  return facts;
}

function originPhrase({ origin, start, end }: ProvenanceRecord, at: number): string {
  const range = `bytes ${start} to ${end}`;
  switch (origin.kind) {
    case 'file':
      return `is read from ${origin.path} at ${hex(origin.offset + at - start)} (${range})`;
    case 'zero':
      return 'is zero fill';
    case 'write':
      return `is stored by pid ${origin.pid}`;
    case 'kernel':
      return `is ${origin.what}`;
    case 'unknown':
      return 'comes from an unknown source';
  }
}
