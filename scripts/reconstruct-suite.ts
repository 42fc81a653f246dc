/**
 * Makes traces/reconstructed/: the post's runs, written from what it says of them.
 *
 *     node --import tsx/esm scripts/reconstruct-suite.ts --out traces/reconstructed
 *
 * These are no recordings. Layout, pids, execs and counts are the post's and its suite's; which pages an applet touches
 * is drawn. The output is a function of this folder: running it twice changes nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { encodeHeader, encodeOp, type Trace } from '../traces/codec.ts';
import type { FileSpec, TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { BUSYBOX, busyboxWithLinks, STRESS_RUNNER, SUITE_RUNNER } from './suite-files.ts';
import { CHECKS, programsOf, runOf } from './suite-steps.ts';
import { Story } from './suite-story.ts';

/** The shell that boots, and every program that a check runs. */
const PROGRAMS = [...new Set(['sh', 'true', ...CHECKS.flatMap(runOf).flatMap(programsOf)])].sort();

const header = (kernel: string, files: FileSpec[], note: string): TraceHeader => ({
  faultline: 1,
  kernel: { name: kernel, assembleThreshold: 128, frames: 65536, cpus: 1 },
  files,
  source: { program: 'BusyBox 1.37.0, static, x86-64, as Kevlar ran it', note },
});

/** The 102 checks: process 1 is a shell that becomes the runner. */
export function busyboxSuite(): Trace {
  const story = new Story('busybox-102');
  story.startShell(1, SUITE_RUNNER.file.path);
  story.startRunner(1, SUITE_RUNNER);
  for (const check of CHECKS) {
    story.mark(check.name, check.counts);
    story.runAll(1, SUITE_RUNNER, runOf(check));
  }
  const note =
    'reconstructed, not recorded: the 102 checks of Kevlar’s BusyBox suite with their processes and execs; image layout from the post; pages, offsets and all bytes but two are made up';
  return { header: header('kevlar', [busyboxWithLinks(PROGRAMS), SUITE_RUNNER.file], note), ops: story.ops };
}

const ITERATIONS = 300;

/** 300 times: fork, the child execs true, wait. */
export function forkExecStress(): Trace {
  const story = new Story('fork-exec-stress');
  story.startRunner(1, STRESS_RUNNER);
  for (let i = 0; i < ITERATIONS; i++) story.runAll(1, STRESS_RUNNER, [{ program: 'true', steps: [] }]);
  const note = 'reconstructed, not recorded: 300 times fork, exec of /bin/true, wait; about 20 pages a run, so nothing is ever assembled';
  return { header: header('kevlar', [busyboxWithLinks(['true']), STRESS_RUNNER.file], note), ops: story.ops };
}

/** The smallest run that shows the bug: 127 pages and the one that two segments share. */
export function exec127Tail(): Trace {
  const ops: Op[] = [
    { pid: 1, op: 'exec', path: BUSYBOX.path },
    { pid: 1, op: 'touch', addr: 0x400000, access: 'r', pages: 127 },
    { pid: 1, op: 'touch', addr: 0x51b000, access: 'r' },
    { pid: 1, op: 'fork', child: 2 },
    { pid: 2, op: 'exec', path: BUSYBOX.path },
    { pid: 2, op: 'touch', addr: 0x51cbf0, access: 'r', width: 8 },
    { pid: 2, op: 'touch', addr: 0x51cbf0, access: 'w', width: 8 },
    { pid: 2, op: 'exit', status: 0 },
    { pid: 1, op: 'wait', child: 2 },
  ];
  const note = 'reconstructed: a program reads the 127 lowest pages and the last page of constants, 128 in all; the next exec assembles';
  return { header: header('kevlar@m9.8', [BUSYBOX], note), ops };
}

/** By file name. */
export const TRACES: Readonly<Record<string, () => Trace>> = {
  'busybox-102.jsonl.gz': busyboxSuite,
  'fork-exec-stress.jsonl.gz': forkExecStress,
  'exec-127-tail.jsonl': exec127Tail,
};

/** The text of a trace. */
export const traceText = ({ header: head, ops }: Trace): string => [encodeHeader(head), ...ops.map(encodeOp), ''].join('\n');

function main(args: string[]): void {
  const { out } = parseArgs({ args, options: { out: { type: 'string' } } }).values;
  if (out === undefined) throw new Error('usage: reconstruct-suite.ts --out FOLDER');
  mkdirSync(out, { recursive: true });
  for (const [name, make] of Object.entries(TRACES)) {
    const trace = make();
    const text = traceText(trace);
    writeFileSync(join(out, name), name.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text);
    console.log(`${join(out, name)}: ${trace.ops.length} ops`);
  }
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
