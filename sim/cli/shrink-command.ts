/** `faultline shrink`: the smallest trace that fails as a given one does, and the wrong decisions it needs. */
import { createHash } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { Option } from 'commander';
import { kernelNamed, PAGE_BYTES } from '../../kernel-model/index.ts';
import type { Trace } from '../../traces/codec.ts';
import { encodeHeader, encodeOp } from '../../traces/codec.ts';
import { formatOp } from '../../traces/notation.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import { createDigester } from '../digest.ts';
import { alignColumns, counted, indent } from '../report.ts';
import type { CertificateLine } from '../shrink/certificate.ts';
import { FIXABLE, ShrinkError, type Fixed, type ShrinkResult } from '../shrink/shrink.ts';
import { signatureText } from '../shrink/signature.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { kernelFlag, moduleText } from './kernel-module.ts';
import { checkOption, jsonOption, kernelName, seconds, suppliedFile, wholeNumber } from './options.ts';
import { packageVersion } from './package-files.ts';
import { Journal } from './shrink-journal.ts';
import { quoted } from './shell-word.ts';
import { driveShrink, jobsMax, type DriveOptions } from './shrink-run.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { readTrace, writeTrace } from './trace-file.ts';

interface ShrinkFlags {
  readonly out?: string;
  readonly kernel?: string;
  readonly threshold?: number;
  readonly check: CheckMode;
  readonly finding?: string;
  readonly fix: readonly Fixed[];
  readonly budget?: number;
  readonly maxReplays?: number;
  readonly jobs: number;
  readonly json?: boolean;
  readonly file?: ReadonlyMap<string, Uint8Array>;
}

const EXAMPLES = `
Examples:
  faultline shrink traces/recorded/suite20-0x400000.jsonl.gz --kernel kevlar@m9.8
  faultline shrink traces/recorded/suite20-0x400000.jsonl.gz --kernel kevlar@m9.8 --fix threshold --out at-128.jsonl
  faultline shrink t.jsonl --kernel kevlar@m9.8.1 --finding cache-truth --json
  faultline shrink t.jsonl --budget 60 --jobs 4

The output is a failing trace at every moment. A shrink that was stopped, or whose budget ended, goes on where it was when
the same command is given again. Failures of another kind that are met on the way are written beside the output.

Exit codes: 0 shrunk, 1 usage, or the trace does not fail, 5 the budget ended it, 130 Ctrl-C.`;

export const defineShrink: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('shrink')
    .description('make a failing trace as small as it can be')
    .argument('<trace>', 'trace file, or - for standard input')
    .option('-o, --out <file>', 'where the smaller trace goes (default: NAME.shrunk.jsonl in this folder)')
    .option('-k, --kernel <kernel>', 'kernel instead of the trace’s own, or the file of your own', kernelName)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page, instead of the trace’s own', wholeNumber)
    .addOption(checkOption())
    .option('--finding <id>', 'the finding to keep, if it is not the one that the verdict names')
    .option('--fix <list>', 'keep threshold (with all of the configuration), rules, or both', fixed, [])
    .option('--budget <seconds>', 'stop after so much time', seconds)
    .option('--max-replays <count>', 'stop after so many replays', wholeNumber)
    .addOption(new Option('-j, --jobs <count>', 'threads; the result does not depend on it').argParser(wholeNumber).default(1))
    .option('--file <sha256=path>', 'content of a file that the trace names by digest; may be repeated', suppliedFile)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ShrinkFlags) => {
      exitWith(await shrinkCommand(path, flags, terminal));
    });
};

function fixed(text: string): readonly Fixed[] {
  const words = text.split(',');
  const wrong = words.find((word) => !FIXABLE.some((one) => one === word));
  if (wrong !== undefined) throw new UsageError(`--fix ${wrong}: it keeps ${FIXABLE.join(' or ')}`);
  return words as Fixed[];
}

async function shrinkCommand(path: string, flags: ShrinkFlags, terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const out = flags.out ?? `${nameOf(path)}.shrunk.jsonl`;
  if (out === '-') throw new UsageError('--out -: a shrink writes its output again and again, so it must be a file');
  const trace = withFlags(await readTrace(path), flags);
  const journal = new Journal(`${out}.journal`, identityOf(trace, flags));
  if (journal.known > 0) terminal.remark(`going on after ${counted(journal.known, 'answer')} of ${out}.journal`);
  const progress = terminal.progress('shrinking', trace.ops.length);
  try {
    const result = await driveShrink(
      trace,
      {
        ...(await optionsOf(flags, startedAt)),
        out,
        journal,
        onBest: ({ ops }) => {
          progress.update(trace.ops.length - ops.length);
        },
      },
      terminal,
    );
    progress.stop();
    const others = await writeOthers(result, out);
    const report: Report = { result, out, others, elapsedMs: performance.now() - startedAt, opsRead: trace.ops.length };
    await terminal.writeLines(flags.json === true ? [JSON.stringify(documentOf(report))] : reportOf(report, flags));
    return result.isComplete ? EXIT.held : EXIT.limit;
  } catch (error) {
    if (!(error instanceof ShrinkError)) throw error;
    if (journal.known === 0) journal.remove();
    throw new UsageError(`${path}: ${error.message}`);
  } finally {
    progress.stop();
  }
}

async function optionsOf(flags: ShrinkFlags, startedAt: number): Promise<Omit<DriveOptions, 'out' | 'journal'>> {
  const { check, finding, fix, budget, maxReplays, jobs, file } = flags;
  return {
    check,
    digester: await createDigester(),
    fixed: fix,
    wanted: finding,
    replaysMax: maxReplays,
    isOutOfTime: budget === undefined ? undefined : () => performance.now() - startedAt > budget * 1000,
    supplied: file,
    jobs: Math.max(1, Math.min(jobs, jobsMax())),
  };
}

/** The trace on the kernel that the flags name. */
function withFlags({ header, ops }: Trace, { kernel, threshold }: ShrinkFlags): Trace {
  const spec = { ...header.kernel, ...(kernel === undefined ? {} : { name: kernel }) };
  return { header: { ...header, kernel: threshold === undefined ? spec : { ...spec, assembleThreshold: threshold } }, ops };
}

/** What a journal must be of to be used: the trace and the options that questions depend on. */
function identityOf({ header, ops }: Trace, { check, finding, fix }: ShrinkFlags): string {
  const hash = createHash('sha256').update(JSON.stringify([packageVersion(), encodeHeader(header), check, finding, fix]));
  hash.update(moduleText(header.kernel.name));
  for (const op of ops)
    hash.update(op.op === 'touch' ? `${op.pid} ${op.access} ${op.addr} ${op.pages} ${op.width} ${op.value}` : encodeOp(op));
  return hash.digest('hex');
}

/** `suite20` of `traces/suite20.jsonl.gz`. */
function nameOf(path: string): string {
  if (path === '-') return 'trace';
  return basename(path)
    .replace(/\.(gz|zst)$/, '')
    .replace(/\.jsonl$/, '');
}

/** Failures of another kind, each as a trace of its own. @returns where they are */
async function writeOthers({ slipped }: ShrinkResult, out: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { signature, trace } of slipped) {
    const stem = join(dirname(out), basename(out, extname(out)));
    const same = paths.filter((path) => path.startsWith(`${stem}.other-${signature.id}`)).length;
    const path = `${stem}.other-${signature.id}${same === 0 ? '' : `-${same + 1}`}.jsonl`;
    const { expect: _, ...header } = trace.header;
    const { kind, id } = signature;
    await writeTrace(path, { ...header, expect: { verdict: 'failed', kind, id } }, trace.ops);
    paths.push(path);
  }
  return paths;
}

interface Report {
  readonly result: ShrinkResult;
  readonly out: string;
  readonly others: readonly string[];
  readonly elapsedMs: number;
  readonly opsRead: number;
}

/** Pages that the touches of a trace ask for, and its other ops: its size when touches were not fused. */
const stepsOf = (ops: readonly Op[]): number => ops.reduce((sum, op) => sum + (op.op === 'touch' ? (op.pages ?? 1) : 1), 0);

function documentOf({ result, out, others, elapsedMs, opsRead }: Report): object {
  const { trace, signature, rules, certificate, known, replays, replaysByStage, isComplete } = result;
  return {
    out,
    signature,
    opsBefore: opsRead,
    ops: trace.ops.length,
    steps: stepsOf(trace.ops),
    kernel: trace.header.kernel,
    rules,
    trace: trace.ops.map(formatOp),
    certificate: certificate?.map(({ op, without, failure }) => ({ op, without, failure: failure && signatureText(failure) })),
    expect: trace.header.expect,
    others,
    known: known.map(signatureText),
    replays,
    replaysByStage: Object.fromEntries(replaysByStage),
    elapsedMs,
    isComplete,
  };
}

function reportOf({ result, out, others, elapsedMs, opsRead }: Report, { jobs }: ShrinkFlags): string[] {
  const { trace, signature, rules, certificate, replays, isComplete } = result;
  const { ops, header } = trace;
  const steps = stepsOf(ops);
  const size = steps === ops.length ? counted(ops.length, 'op') : `${counted(ops.length, 'op')} (${steps} with each touched page as one)`;
  const time = `${counted(replays, 'replay')}, ${(elapsedMs / 1000).toFixed(1)} s${jobs > 1 ? `, ${jobs} threads` : ''}`;
  const { name, module: _, ...parameters } = header.kernel;
  const settings = Object.entries(parameters).map(([field, value]) => `${field} ${value}`);
  return [
    `${isComplete ? 'shrunk' : 'shrunk so far'}: ${signatureText(signature)}`,
    `  from ${opsRead} ops to ${size}; ${time}`,
    '',
    ...indent(opLines(ops, certificate)),
    '',
    `  kernel     ${name}`,
    ...(settings.length === 0 ? [] : [`  with       ${settings.join(', ')}`]),
    `  files      ${header.files.map(({ path, size: bytes }) => `${path} of ${counted(Math.ceil(bytes / PAGE_BYTES), 'page')}`).join(', ') || 'none'}`,
    ...rules.map((id, i) => `  ${i === 0 ? 'to blame' : '        '}   ${id}: ${saysOf(header.kernel.name, id)}`),
    ...(rules.length === 0 ? ['  to blame   the model itself: no wrong decision is needed'] : []),
    ...(certificate === undefined && isComplete ? ['  not every op has been proved to be needed'] : []),
    ...(others.length === 0 ? [] : ['', 'other failures met on the way', ...indent(others)]),
    '',
    'next',
    `  faultline replay ${quoted(out)}${kernelFlag(name)}`,
    ...(isComplete ? [] : ['  the same command again goes on from here']),
  ];
}

/** What a wrong decision of a kernel is. */
function saysOf(name: string, id: string): string {
  const kernel = kernelNamed(name);
  return typeof kernel === 'string' ? '' : kernel.mutants.find((one) => one.id === id)!.says;
}

/** Each op, and what happens without it. */
function opLines(ops: readonly Op[], certificate: readonly CertificateLine[] | undefined): string[] {
  const rows = ops.map((op, i) => [String(i), formatOp(op), withoutText(certificate?.[i])]);
  return alignColumns(rows, new Set([0]));
}

function withoutText(line: CertificateLine | undefined): string {
  if (line === undefined) return '';
  return line.failure === undefined ? '  without it: holds' : `  without it: ${signatureText(line.failure)}`;
}
