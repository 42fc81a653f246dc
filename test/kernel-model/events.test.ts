/** Both text forms of every event: fields in the order of the table, hex where the table says so, JSON that is JSON. */
import { expect } from 'chai';
import fc from 'fast-check';
import { EVENT_FIELDS, eventAsJson, eventAsKevlarLine, type EventType, type KernelEvent } from '../../kernel-model/events.ts';
import { parseNotation } from '../../traces/notation.ts';
import { Machine } from '../../sim/machine.ts';
import { configOf, fileOf } from '../helpers/model.ts';
import { runs } from '../helpers/seed.ts';

type Form = 'hex' | 'decimal' | 'string' | 'boolean' | Fields;
type Fields = readonly (readonly [name: string, form: Form])[];

const TYPES = Object.keys(EVENT_FIELDS) as EventType[];
const fieldsOf = (type: EventType): Fields => EVENT_FIELDS[type];

/** Fields that an event may be without. */
const OPTIONAL: Readonly<Partial<Record<EventType, readonly string[]>>> = {
  page_fault: ['vma_start', 'vma_end', 'vma_type'],
  write_back: ['error'],
};

function someValue(form: Form): fc.Arbitrary<unknown> {
  if (form === 'hex' || form === 'decimal') return fc.nat({ max: 2 ** 47 - 1 });
  if (form === 'boolean') return fc.boolean();
  if (form === 'string') return fc.string({ unit: 'binary', maxLength: 12 });
  return fc.array(someRecord(form), { maxLength: 3 });
}

const someRecord = (fields: Fields): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(fields.map(([name, form]) => [name, someValue(form)])));

const someEvent: fc.Arbitrary<KernelEvent> = fc
  .constantFrom(...TYPES)
  .chain((type) =>
    fc
      .tuple(someRecord(fieldsOf(type)), fc.subarray([...(OPTIONAL[type] ?? [])]))
      .map(
        ([record, absent]) =>
          ({ type, ...Object.fromEntries(Object.entries(record).filter(([name]) => !absent.includes(name))) }) as unknown as KernelEvent,
      ),
  );

/** The record as its JSON line should parse. */
function asJson(fields: Fields, record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const present = fields.filter(([name]) => record[name] !== undefined);
  return Object.fromEntries(present.map(([name, form]) => [name, valueAsJson(form, record[name])]));
}

function valueAsJson(form: Form, value: unknown): unknown {
  if (form === 'hex') return '0x' + (value as number).toString(16);
  return typeof form === 'string' ? value : (value as Record<string, unknown>[]).map((row) => asJson(form, row));
}

describe('eventAsJson', () => {
  it('prints JSON with the fields of the table in its order, addresses as hex strings', () => {
    fc.assert(
      fc.property(someEvent, (event) => {
        const parsed = JSON.parse(eventAsJson(event)) as Record<string, unknown>;
        const expected = { type: event.type, ...asJson(fieldsOf(event.type), event) };
        expect(parsed).to.deep.equal(expected);
        expect(Object.keys(parsed)).to.deep.equal(Object.keys(expected));
        expect(eventAsJson(event)).to.not.include('\n');
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('eventAsKevlarLine', () => {
  it('is the same line with hex bare behind `DBG `', () => {
    const someAsciiEvent = someEvent.filter((event) => !JSON.stringify(event).includes('0x'));
    fc.assert(
      fc.property(someAsciiEvent, (event) => {
        expect(eventAsKevlarLine(event)).to.equal('DBG ' + eventAsJson(event).replace(/"(0x[0-9a-f]+)"/g, '$1'));
      }),
      { numRuns: runs(200) },
    );
  });

  it('is what Kevlar prints', () => {
    const fail: KernelEvent = {
      type: 'huge_page_verify_fail',
      pid: 130,
      huge_base: 0x400000,
      sub_page: 284,
      first_diff: 3056,
      expected: 0xc0,
      actual: 0,
      vma_start: 0x51cbf0,
      vma_type: 'file_rw',
    };
    expect(eventAsKevlarLine(fail)).to.equal(
      'DBG {"type":"huge_page_verify_fail","pid":130,"huge_base":0x400000,"sub_page":284,"first_diff":3056,"expected":0xc0,"actual":0x0,"vma_start":0x51cbf0,"vma_type":"file_rw"}',
    );
    const fault: KernelEvent = { type: 'page_fault', pid: 1, vaddr: 0, ip: 0, reason: 'null_pointer', resolved: false };
    expect(eventAsKevlarLine(fault)).to.equal(
      'DBG {"type":"page_fault","pid":1,"vaddr":0x0,"ip":0x0,"reason":"null_pointer","resolved":false}',
    );
  });
});

describe('the kernel', () => {
  it('emits events with exactly the fields of the table', () => {
    const events: KernelEvent[] = [];
    const machine = new Machine(configOf({ files: [fileOf('/f', 5000)], parameters: { asids: 3 } }));
    machine.kernel.observer = (event) => events.push(event);
    const ops = parseNotation(`
      p1 mmap 0x0 32768 rw private,anonymous
      p1 touch w 0xa00000000+8
      p1 mmap 0x0 8192 rw shared path=/f
      p1 touch w 0xa00008000
      p1 fork p2
      p2 touch w 0xa00000000
      p2 copyOut 0xa00001000 10
      p1 touch r 0x0
      p1 sync
      p1 truncate /f 100
      p1 inject noFrame 1
      p1 fork p3
      p2 exit 0
      p1 fork p4
      p4 touch w 0xa00000000
      p4 exit signal=SIGSEGV`);
    for (const [index, op] of ops.entries()) machine.tick(op, index);
    machine.shutDown();
    for (const event of events) {
      const optional = OPTIONAL[event.type] ?? [];
      const names = ['type', ...fieldsOf(event.type).map(([name]) => name)];
      const given = Object.keys(event);
      expect(names, event.type).to.include.members(given);
      expect(given, event.type).to.include.members(names.filter((name) => !optional.includes(name)));
    }
    expect(new Set(events.map(({ type }) => type)).size).to.be.at.least(14);
  });
});
