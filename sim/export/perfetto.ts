/**
 * A run as a Perfetto trace: TrackEvents in protobuf, which ui.perfetto.dev and trace_processor open.
 *
 * One packet describes each track, one begins and one ends each slice, one is each instant and each sample of a counter. All packets are
 * of one sequence, whose incremental state is cleared in the first.
 *
 * @see Perfetto protos/perfetto/trace/trace_packet.proto, track_event/track_event.proto, track_event/track_descriptor.proto
 */
import { Message } from './protobuf.ts';
import { COUNTERS, UNIT_NS, type RunRecord, type Value } from './run-record.ts';

// prettier-ignore
const FIELD = {
  trace: { packet: 1 },
  packet: { timestamp: 8, trustedPacketSequenceId: 10, trackEvent: 11, sequenceFlags: 13, trackDescriptor: 60 },
  descriptor: { uuid: 1, name: 2, process: 3, counter: 8 },
  process: { pid: 1, processName: 6 },
  event: { debugAnnotations: 4, type: 9, trackUuid: 11, categories: 22, name: 23, counterValue: 30 },
  annotation: { boolValue: 2, intValue: 4, doubleValue: 5, stringValue: 6, name: 10 },
} as const;

const TYPE = { sliceBegin: 1, sliceEnd: 2, instant: 3, counter: 4 } as const;
const INCREMENTAL_STATE_CLEARED = 1;
const SEQUENCE = 1;
/** Counters have tracks of their own, numbered from here; a process has its number. */
const COUNTER_UUIDS = 2 ** 32;

interface Packet {
  readonly time: number;
  readonly event: Message;
}

/** The packets of the trace, each as its bytes within the trace: written one behind the other they are the file. */
export function* perfettoTrace(record: RunRecord): Generator<Uint8Array> {
  let isFirst = true;
  for (const descriptor of descriptors(record)) {
    const packet = new Message().message(FIELD.packet.trackDescriptor, descriptor).varint(FIELD.packet.trustedPacketSequenceId, SEQUENCE);
    if (isFirst) packet.varint(FIELD.packet.sequenceFlags, INCREMENTAL_STATE_CLEARED);
    isFirst = false;
    yield new Message().message(FIELD.trace.packet, packet).bytes();
  }
  // The sort is stable: at one time an end stands before what begins, because it was put there first.
  for (const { time, event } of packets(record).sort((a, b) => a.time - b.time)) {
    const packet = new Message()
      .varint(FIELD.packet.timestamp, time)
      .message(FIELD.packet.trackEvent, event)
      .varint(FIELD.packet.trustedPacketSequenceId, SEQUENCE);
    yield new Message().message(FIELD.trace.packet, packet).bytes();
  }
}

function* descriptors({ tracks, kernel }: RunRecord): Generator<Message> {
  for (const { pid, name } of tracks) {
    const process = new Message().int64(FIELD.process.pid, pid).text(FIELD.process.processName, `${name} on ${kernel}`);
    yield new Message().varint(FIELD.descriptor.uuid, pid).text(FIELD.descriptor.name, name).message(FIELD.descriptor.process, process);
  }
  for (const [index, name] of COUNTERS.entries()) {
    yield new Message()
      .varint(FIELD.descriptor.uuid, COUNTER_UUIDS + index)
      .text(FIELD.descriptor.name, name)
      .message(FIELD.descriptor.counter, new Message());
  }
}

function packets({ slices, instants, samples }: RunRecord): Packet[] {
  const all: Packet[] = [];
  for (const { pid, name, start, length, args } of slices) {
    all.push({ time: timeOf(start), event: eventOf(TYPE.sliceBegin, pid, { name, category: 'op', args }) });
    all.push({ time: timeOf(start + length), event: eventOf(TYPE.sliceEnd, pid) });
  }
  for (const { pid, name, at, args } of instants)
    all.push({ time: timeOf(at), event: eventOf(TYPE.instant, pid, { name, category: 'kernel', args }) });
  for (const { name, at, value } of samples)
    all.push({
      time: timeOf(at),
      event: eventOf(TYPE.counter, COUNTER_UUIDS + COUNTERS.indexOf(name)).int64(FIELD.event.counterValue, value),
    });
  return all;
}

const timeOf = (unit: number): number => Math.round(unit * UNIT_NS);

interface Shown {
  readonly name: string;
  readonly category: string;
  readonly args: Readonly<Record<string, Value>>;
}

function eventOf(type: number, track: number, shown?: Shown): Message {
  const event = new Message().varint(FIELD.event.type, type).varint(FIELD.event.trackUuid, track);
  if (shown === undefined) return event;
  event.text(FIELD.event.categories, shown.category).text(FIELD.event.name, shown.name);
  for (const [name, value] of Object.entries(shown.args)) event.message(FIELD.event.debugAnnotations, annotation(name, value));
  return event;
}

function annotation(name: string, value: Value): Message {
  const message = new Message().text(FIELD.annotation.name, name);
  if (typeof value === 'string') return message.text(FIELD.annotation.stringValue, value);
  if (typeof value === 'boolean') return message.varint(FIELD.annotation.boolValue, value);
  return Number.isInteger(value) ? message.int64(FIELD.annotation.intValue, value) : message.double(FIELD.annotation.doubleValue, value);
}
