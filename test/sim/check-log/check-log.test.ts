/** check-log: a log of the model itself is explained, and the line that somebody altered is the one that is not. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  designOf,
  EVENT_FIELDS,
  eventAsKevlarLine,
  kernelNamed,
  DEFAULT_PARAMETERS,
  type EventType,
  type KernelEvent,
} from '../../../kernel-model/index.ts';
import { LogChecker, ModelJudge } from '../../../sim/check-log/check-log.ts';
import type { LogVerdict } from '../../../sim/check-log/finding.ts';
import { readEvent, type LogEvent } from '../../../sim/check-log/log-event.ts';
import { LogWitness } from '../../../sim/check-log/log-witness.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { createDigester } from '../../../sim/digest.ts';
import { replay } from '../../../sim/replay.ts';
import { parseKevlarLine } from '../../../traces/import/kevlar-line.ts';

const TRACE = new URL('../../../traces/recorded/ls-sort-head-exec.jsonl.gz', import.meta.url).pathname;
const events: KernelEvent[] = [];
let lines: string[] = [];
let expected: LogEvent[] = [];

before(async () => {
  const trace = await readTrace(TRACE);
  replay(trace, { check: 'none', digester: await createDigester(), onEvent: (event) => void events.push(event) });
  lines = events.map(eventAsKevlarLine);
  expected = lines.map(
    (line) => readEvent(parseKevlarLine(line) as Exclude<ReturnType<typeof parseKevlarLine>, string | undefined>) as LogEvent,
  );
});

function newWitness(kernelName = 'kevlar'): LogWitness {
  const kernel = kernelNamed(kernelName);
  if (typeof kernel === 'string') throw new Error(kernel);
  const design = designOf(kernel, { ...DEFAULT_PARAMETERS, ...kernel.parameters });
  return new LogWitness({ design, expectsVerifierFailures: kernel.mutants.length > 0, planOf: () => undefined });
}

/** Checks a log, against the model's own events too if `isLockstep`. */
function check(log: readonly string[], isLockstep = false, isLossy = false, kernelName = 'kevlar'): LogVerdict {
  const kinds = new Set(log.map((line) => /"type":"(\w+)"/.exec(line)?.[1] ?? ''));
  const judge = new ModelJudge(expected, kinds, isLossy);
  const checker = new LogChecker(newWitness(kernelName), isLockstep ? [(event) => judge.problemWith(event)] : []);
  for (const line of log) if (!checker.add(line)) break;
  return checker.finish();
}

const altered = (index: number, change: (event: Record<string, unknown>) => void): string[] => {
  const event = { ...events[index]! } as Record<string, unknown>;
  change(event);
  return lines.with(index, eventAsKevlarLine(event as KernelEvent));
};

const indexOf = (type: EventType, nth = 0): number => events.flatMap((event, index) => (event.type === type ? [index] : []))[nth]!;

describe('check-log', () => {
  it('explains the log of a replay, with and without the trace', () => {
    expect(check(lines).unexplained).to.equal(undefined);
    expect(check(lines, true).unexplained).to.equal(undefined);
    expect(check(lines)).to.include({ processes: 4, lines: lines.length });
  });

  it('explains it among console text and colours, and where its filters let only some kinds through', () => {
    const noisy = lines.flatMap((line, i) => [`[  ${i}.5] \u001b[32mkernel\u001b[0m: text`, `\u001b[1m[${i}] ${line}\u001b[0m`, '']);
    expect(check(noisy, true).unexplained).to.equal(undefined);
    const some = lines.filter((line) => /page_fault|process_/.test(line));
    expect(check(some, true).unexplained).to.equal(undefined);
    expect(check(some).unexplained).to.equal(undefined);
  });

  it('with the trace refuses any one altered field, at its line', () => {
    const places = fc.tuple(fc.nat({ max: events.length - 1 }), fc.nat(), fc.integer({ min: 1, max: 2 ** 32 }));
    fc.assert(
      fc.property(places, ([index, pick, by]) => {
        const fields = EVENT_FIELDS[events[index]!.type].filter(([name]) => name in events[index]!);
        const [name] = fields[pick % fields.length]!;
        const log = altered(index, (event) => {
          const value = event[name];
          if (typeof value === 'number') event[name] = value + by;
          else if (typeof value === 'string') event[name] = `${value}x`;
          else if (typeof value === 'boolean') event[name] = !value;
          else event[name] = [];
        });
        expect(check(log, true).unexplained).to.include({ line: index + 1, event: events[index]!.type });
      }),
    );
  });

  it('with the trace refuses a missing event, unless losses are allowed', () => {
    const fault = indexOf('page_fault', 5);
    const log = lines.toSpliced(fault, 1);
    expect(check(log, true).unexplained?.line).to.be.lessThanOrEqual(indexOf('page_fault', 6));
    expect(check(log, true, true).unexplained).to.equal(undefined);
  });

  // prettier-ignore
  const LIES: readonly (readonly [says: string, type: EventType, nth: number, change: (event: Record<string, unknown>) => void])[] = [
    ['does not lie in its VMA',             'page_fault',     0, (event) => { event['vaddr'] = 0x7000; }],
    ['is no part of',                       'page_fault',     1, (event) => { event['vma_start'] = (event['vma_start'] as number) - 0x1000; }],
    ['but the fault was not resolved',      'page_fault',     3, (event) => { event['resolved'] = false; }],
    ['neither the program',                 'page_fault',     3, (event) => { Object.assign(event, { vaddr: 0x7000_0000, vma_start: 0x7000_0000, vma_end: 0x7000_1000 }); }],
    ['lies in VMA',                         'page_fault',     3, (event) => { Object.assign(event, { reason: 'no_vma', resolved: false, vma_start: undefined, vma_end: undefined, vma_type: undefined }); }],
    ['is no type of VMA',                   'page_fault',     4, (event) => { event['vma_type'] = 'socket'; }],
    ['is of type',                          'page_fault',     1, (event) => { event['vma_type'] = 'anonymous'; }],
    ['was never forked',                    'page_fault',     7, (event) => { event['pid'] = 77; }],
    ['lives already',                       'process_fork',   1, (event) => { event['child_pid'] = 2; }],
    ['was never forked',                    'process_fork',   1, (event) => { event['parent_pid'] = 9; }],
    ['is in no VMA',                        'process_exec',   1, (event) => { event['entry'] = 0x7000_0000; }],
    ['is no exit status',                   'process_exit',   0, (event) => { event['status'] = 700; }],
    ['other bytes than their file',         'page_verify_ok', 1, (event) => { event['failed'] = 1; }],
    ['is not the stack',                    'vm_audit',       0, (event) => { event['vmas'] = (event['vmas'] as object[]).slice(1); }],
    ['whole pages, but',                    'vm_audit',       1, (event) => { event['vmas'] = (event['vmas'] as { mapped: number }[]).map((row, i) => (i === 2 ? { ...row, mapped: row.mapped + 1 } : row)); }],
    ['other rights',                        'vm_audit',       1, (event) => { event['vmas'] = (event['vmas'] as object[]).map((row, i) => (i === 2 ? { ...row, perm_mismatch: 3 } : row)); }],
    ['overlaps',                            'vm_audit',       1, (event) => { event['vmas'] = (event['vmas'] as object[]).map((row, i, all) => (i === 3 ? { ...all[2] } : row)); }],
  ];
  for (const [says, type, nth, change] of LIES) {
    it(`without the trace refuses a ${type} that cannot be, at its line: ${says}`, () => {
      const index = indexOf(type, nth);
      const { unexplained } = check(altered(index, change));
      expect(unexplained).to.include({ line: index + 1, event: type });
      expect(unexplained!.why).to.include(says);
    });
  }

  it('blames a verifier failure on a kernel that is right, and not on one that has wrong bytes', () => {
    const failure =
      'DBG {"type":"huge_page_verify_fail","pid":1,"huge_base":0x400000,"sub_page":284,"first_diff":3056,"expected":0xc0,"actual":0x0,"vma_start":0x51cbf0,"vma_type":"file_rw"}';
    const log = [...lines.slice(0, 40), failure];
    expect(check(log).unexplained).to.deep.equal({
      line: 41,
      event: 'huge_page_verify_fail',
      why: 'a page at 0x51c000 holds 0x0 where its file has 0xc0',
    });
    expect(check(log, false, false, 'kevlar@m9.8').unexplained).to.equal(undefined);
  });

  it('refuses events of a process after its exit, and an event that lacks a field', () => {
    const exit = lines.findIndex((line) => line.includes('process_exit'));
    const { pid } = events[exit] as { readonly pid: number };
    const late = `DBG {"type":"process_exec","pid":${pid},"argv0":"/bin/x","entry":0x10000}`;
    expect(check([...lines.slice(0, exit + 1), late]).unexplained?.why).to.equal(`process ${pid} has exited before`);
    expect(check(['DBG {"type":"page_fault","pid":1}']).unexplained?.why).to.equal('page_fault has no vaddr, or not of its kind');
  });

  it('passes over lines that another CPU wrote into, and says so', () => {
    const verdict = check(['DBG {"type":"page_fault","pid":1,"vad', ...lines]);
    expect(verdict.unexplained).to.equal(undefined);
    expect(verdict.remarks).to.deep.equal(['1 damaged lines were passed over']);
  });
});

describe('a line of Kevlar', () => {
  it('gives back bare hex and numbers beyond 2^53 to the digit, wherever they stand', () => {
    const digits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.array(digits, { maxLength: 6 }), fc.string(), fc.boolean(), (numbers, text, isHex) => {
        const printed = numbers.map((n) => (isHex ? `0x${n.toString(16)}` : String(n)));
        const line = `noise DBG {"type":"x","text":${JSON.stringify(text)},"args":[${printed.join(',')}]}`;
        const event = parseKevlarLine(line) as unknown as {
          readonly fields: { readonly text: string; readonly args: readonly (string | number)[] };
        };
        fc.pre(!/\u001b/.test(text));
        expect(event.fields.text).to.equal(text);
        expect(event.fields.args.map(BigInt)).to.deep.equal(numbers);
      }),
    );
  });
});
