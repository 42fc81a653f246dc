/** Exports: an independent decoder, with Perfetto's field numbers written here by hand, finds the run's events in the file. */
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { createDigester } from '../../../sim/digest.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { chromeTrace } from '../../../sim/export/chrome.ts';
import { perfettoTrace } from '../../../sim/export/perfetto.ts';
import { RunTimeline, type RunRecord } from '../../../sim/export/run-record.ts';
import { Replay } from '../../../sim/replay.ts';
import type { KernelEvent } from '../../../kernel-model/index.ts';
import type { Op } from '../../../traces/op.ts';

const path = (name: string): string => new URL(`../../../traces/recorded/${name}.jsonl.gz`, import.meta.url).pathname;

/** From Perfetto's protos/perfetto/trace/: trace.proto, trace_packet.proto, track_event/*.proto. */
const PERFETTO = protobuf.Root.fromJSON({
  nested: {
    Trace: { fields: { packet: { rule: 'repeated', type: 'TracePacket', id: 1 } } },
    TracePacket: {
      fields: {
        timestamp: { type: 'uint64', id: 8 },
        trustedPacketSequenceId: { type: 'uint32', id: 10 },
        trackEvent: { type: 'TrackEvent', id: 11 },
        sequenceFlags: { type: 'uint32', id: 13 },
        trackDescriptor: { type: 'TrackDescriptor', id: 60 },
      },
    },
    TrackDescriptor: {
      fields: {
        uuid: { type: 'uint64', id: 1 },
        name: { type: 'string', id: 2 },
        process: { type: 'ProcessDescriptor', id: 3 },
        counter: { type: 'CounterDescriptor', id: 8 },
      },
    },
    ProcessDescriptor: { fields: { pid: { type: 'int32', id: 1 }, processName: { type: 'string', id: 6 } } },
    CounterDescriptor: { fields: {} },
    TrackEvent: {
      fields: {
        debugAnnotations: { rule: 'repeated', type: 'DebugAnnotation', id: 4 },
        type: { type: 'int32', id: 9 },
        trackUuid: { type: 'uint64', id: 11 },
        categories: { rule: 'repeated', type: 'string', id: 22 },
        name: { type: 'string', id: 23 },
        counterValue: { type: 'int64', id: 30 },
      },
    },
    DebugAnnotation: {
      fields: {
        boolValue: { type: 'bool', id: 2 },
        intValue: { type: 'int64', id: 4 },
        doubleValue: { type: 'double', id: 5 },
        stringValue: { type: 'string', id: 6 },
        name: { type: 'string', id: 10 },
      },
    },
  },
}).lookupType('Trace');

interface Packet {
  readonly timestamp?: number;
  readonly trustedPacketSequenceId: number;
  readonly sequenceFlags?: number;
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly name: string;
    readonly process?: { readonly pid: number };
    readonly counter?: object;
  };
  readonly trackEvent?: {
    readonly type: number;
    readonly trackUuid: number;
    readonly name?: string;
    readonly counterValue?: number;
    readonly debugAnnotations?: readonly Readonly<Record<string, unknown>>[];
  };
}

interface Recorded {
  readonly record: RunRecord;
  readonly events: readonly KernelEvent[];
  readonly ops: readonly Op[];
}

async function recorded(name: string, kernel: string): Promise<Recorded> {
  const { header, ops } = await readTrace(path(name));
  const timeline = new RunTimeline();
  const events: KernelEvent[] = [];
  const run = new Replay(header, {
    kernel,
    parameters: { assembleThreshold: 0 },
    check: 'none',
    digester: await createDigester(),
    onEvent: (event) => {
      events.push(event);
      timeline.event(event);
    },
  });
  for (const [index, op] of ops.entries()) {
    run.step(op);
    timeline.after(op, index, undefined, run.machine);
  }
  return { record: timeline.finish(kernel), events, ops };
}

function decoded(record: RunRecord): Packet[] {
  const bytes = Buffer.concat([...perfettoTrace(record)]);
  const trace = PERFETTO.toObject(PERFETTO.decode(bytes), { longs: Number }) as { readonly packet: Packet[] };
  return trace.packet;
}

describe('export perfetto', () => {
  let run: Recorded;
  let packets: Packet[];

  before(async () => {
    run = await recorded('ls-sort-head-exec', 'kevlar@m9.8');
    packets = decoded(run.record);
  });

  it('has a track a process, with its pid, and one a counter', () => {
    const descriptors = packets.flatMap(({ trackDescriptor }) => trackDescriptor ?? []);
    expect(descriptors.flatMap(({ process }) => process?.pid ?? [])).to.deep.equal(
      [...new Set(run.ops.map(({ pid }) => pid))].sort((a, b) => a - b),
    );
    expect(descriptors.filter(({ counter }) => counter !== undefined).map(({ name }) => name)).to.deep.equal([
      'cached pages',
      'frames free',
      'faults',
      'processes',
    ]);
  });

  it('has every op as a slice of its process that begins and ends, in order', () => {
    const all = packets.flatMap(({ trackEvent }) => trackEvent ?? []);
    const begins = all.filter(({ type }) => type === 1);
    expect(begins.map(({ trackUuid, name }) => [trackUuid, name])).to.deep.equal(run.ops.map(({ pid, op }) => [pid, op]));
    const open = new Map<number, number>();
    for (const { type, trackUuid } of all) {
      if (type === 1) open.set(trackUuid, (open.get(trackUuid) ?? 0) + 1);
      if (type === 2) open.set(trackUuid, open.get(trackUuid)! - 1);
      expect(open.get(trackUuid) ?? 0).to.be.within(0, 1);
    }
    expect([...open.values()].every((count) => count === 0)).to.equal(true);
  });

  it('has every fault, assembly, exec and fork as an instant, with its fields', () => {
    const kinds = ['page_fault', 'assembly_begin', 'assembly_end', 'process_exec', 'process_fork', 'process_exit', 'cow_copy'];
    const instants = packets.flatMap(({ trackEvent }) => (trackEvent?.type === 3 && kinds.includes(trackEvent.name!) ? [trackEvent] : []));
    const wanted = run.events.filter(({ type }) => kinds.includes(type));
    expect(instants.map(({ name }) => name)).to.deep.equal(wanted.map(({ type }) => type));
    expect(wanted.length).to.be.greaterThan(200);
    for (const [i, event] of wanted.entries()) {
      if (event.type !== 'page_fault') continue;
      const annotations = new Map(
        instants[i]!.debugAnnotations!.map((one) => [one['name'], one['stringValue'] ?? one['intValue'] ?? one['boolValue']]),
      );
      expect(instants[i]!.trackUuid).to.equal(event.pid);
      expect(annotations.get('vaddr')).to.equal(`0x${event.vaddr.toString(16)}`);
      expect(annotations.get('resolved')).to.equal(event.resolved);
    }
  });

  it('has counters that end where the run ends, and time that never goes back', () => {
    const last = new Map<number, number>();
    let time = 0;
    for (const { timestamp = 0, trackEvent, trustedPacketSequenceId } of packets) {
      expect(trustedPacketSequenceId).to.equal(1);
      expect(timestamp).to.be.at.least(trackEvent === undefined ? 0 : time);
      time = timestamp;
      if (trackEvent?.type === 4) last.set(trackEvent.trackUuid, trackEvent.counterValue!);
    }
    const faults = run.events.filter(({ type }) => type === 'page_fault').length;
    expect(last.get(2 ** 32 + 2)).to.be.at.least(faults);
    expect(packets[0]!.sequenceFlags).to.equal(1);
  });
});

describe('export chrome', () => {
  it('is JSON with the same slices, instants and counters', async () => {
    const { record, ops } = await recorded('ls-sort-head', 'kevlar');
    const { traceEvents } = JSON.parse([...chromeTrace(record)].join('\n')) as {
      readonly traceEvents: readonly Readonly<Record<string, unknown>>[];
    };
    const of = (ph: string) => traceEvents.filter((event) => event['ph'] === ph);
    expect(of('X').map(({ pid, name, ts }) => [pid, name, ts])).to.deep.equal(ops.map(({ pid, op }, index) => [pid, op, index]));
    expect(of('i')).to.have.length(record.instants.length);
    expect(of('C')).to.have.length(record.samples.length);
    expect(of('M')).to.have.length(record.tracks.length);
  });
});
