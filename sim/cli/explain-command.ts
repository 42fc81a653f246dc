/** `faultline explain`: why a trace fails, in sentences: the byte, its way, the decisions to blame, what would be otherwise. */
import { setImmediate } from 'node:timers/promises';
import type { Trace } from '../../traces/codec.ts';
import type { CheckMode } from '../check/checker.ts';
import { createDigester } from '../digest.ts';
import { explainedDocument } from '../explain/document.ts';
import { explain, type Explained, type ExplainOptions } from '../explain/explain.ts';
import { explanationLines } from '../explain/text.ts';
import { counted } from '../report.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { kernelArgument } from './kernel-module.ts';
import { checkOption, jsonOption, kernelName, suppliedFile, wholeNumber } from './options.ts';
import { quoted } from './shell-word.ts';
import type { Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

interface ExplainFlags {
  readonly kernel?: string;
  readonly threshold?: number;
  readonly check: CheckMode;
  readonly finding?: string;
  readonly json?: boolean;
  readonly file?: ReadonlyMap<string, Uint8Array>;
}

const HELP = `
Examples:
  faultline explain traces/reconstructed/exec-127-tail.jsonl
  faultline explain traces/recorded/busybox-suite.jsonl.gz --kernel kevlar@m9.8
  faultline explain traces/regressions/fork-skips-flush.jsonl
  faultline explain t.jsonl --finding cache-truth --json | jq '.guilt.decisions[].id'

The decisions to blame are found by experiment: the trace is replayed with some of
the kernel's wrong decisions taken away, until the smallest set is left that
fails in the same way. At other thresholds it is replayed, too.

--json prints one object. Numbers of ops and counts are numbers, addresses,
bytes and frames are hex strings, what is unknown is null:
  explained    true; false if the trace does not fail: then verdict, kernel,
               threshold, ops, digest, and nothing else
  kernel, threshold, ops
  failure      kind, id, op, pid, addr, expected, actual, message, place, statement
  byte         null, or: vma, vmasOnPage, vmasOfFilePage, offsetInPage, frame,
               backing {kind, path, offset}, origin {kind, path, offset, op},
               hops [{from, why, op}]
  process      null, or: pid, execOp, argv
  story        steps [{op, text, facts, wrong [{op, rule, asked, answer, right}]}],
               untold, leaks [{op, use, frames}]
  needed       indexes of the ops that fail alike without the others, or null
  guilt        kind (decisions, right: it fails without any, none: it has none),
               decisions [{id, rule, wrong, right, source, curesAlone, answers}],
               others, of, experiments, triedOn, confirmedOn
  right        kernel, ops, failure
  thresholds   own, mostCached, mostCachedAt, failsFrom, failsTo (null: no end),
               isMonotone, rows [{threshold, outcome (same, other, holds),
               failure, assembledAt, loadsOnly}]
  replays      replays made

Exit codes: 0 explained, 1 usage, or the trace does not fail on this kernel,
4 it does not fail, but an answer differs from the recording, 130 Ctrl-C.`;

export const defineExplain: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('explain')
    .description('say why a trace fails: which byte, whence, and which decision allowed it')
    .argument('<trace>', 'trace file, or - for standard input')
    .option('-k, --kernel <kernel>', 'kernel instead of the trace’s own, or the file of your own', kernelName)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page, instead of the trace’s own', wholeNumber)
    .addOption(checkOption())
    .option('--finding <id>', 'the finding to explain, if it is not the one that the verdict names')
    .option('--file <sha256=path>', 'content of a file that the trace names by digest; may be repeated', suppliedFile)
    .addOption(jsonOption())
    .addHelpText('after', HELP)
    .action(async (path: string, flags: ExplainFlags) => {
      exitWith(await explainTrace(path, flags, terminal));
    });
};

async function explainTrace(path: string, flags: ExplainFlags, terminal: Terminal): Promise<number> {
  const { kernel, threshold, check, finding, file } = flags;
  const trace = await readTrace(path);
  const options = { kernel, threshold, check, finding, supplied: file, digester: await createDigester() };
  const explained = await drive(trace, options, terminal);
  if (flags.json === true) await terminal.write(`${JSON.stringify(explainedDocument(explained))}\n`);
  else await terminal.writeLines(linesOf(explained, { path, flags, trace }, terminal));
  if (explained.kind === 'explained') return EXIT.held;
  return explained.result.verdict === 'held' ? EXIT.usage : exitCodeOf(explained.result);
}

/** How long the process may be deaf. */
const SLICE_MS = 50;

async function drive(trace: Trace, options: ExplainOptions, terminal: Terminal): Promise<Explained> {
  const steps = explain(trace, options);
  const progress = terminal.progress('explaining');
  let deafSince = performance.now();
  try {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      const { doing, ops } = step.value;
      progress.update(ops);
      if (performance.now() - deafSince < SLICE_MS) continue;
      await setImmediate();
      terminal.throwIfInterrupted(() => `${doing}, after ${counted(ops, 'op')} replayed`);
      deafSince = performance.now();
    }
  } finally {
    progress.stop();
  }
}

interface Asked {
  readonly path: string;
  readonly flags: ExplainFlags;
  readonly trace: Trace;
}

function linesOf(explained: Explained, asked: Asked, terminal: Terminal): string[] {
  if (explained.kind === 'holds') return heldLines(explained, asked);
  const [verdict = '', ...lines] = explanationLines(explained.explanation);
  return [terminal.colours.red(verdict), ...lines, ...nextLines(explained, asked)];
}

/** What to type next. */
function nextLines({ explanation }: Extract<Explained, { kind: 'explained' }>, { path, flags }: Asked): string[] {
  if (path === '-') return [];
  const { kernel, threshold, finding, ops, guilt } = explanation;
  const file = quoted(path);
  const on = `--kernel ${quoted(kernelArgument(kernel.name))} --threshold ${threshold}`;
  const [first] = guilt.decisions;
  const hints = [
    `faultline replay ${file} ${on}${finding.op < ops.length ? ` --until ${finding.op + 1}` : ''} --events events.jsonl`,
    ...(ops.length > SMALL ? [`faultline shrink ${file} ${on}${flags.finding === undefined ? '' : ` --finding ${flags.finding}`}`] : []),
    ...(first?.curesAlone === true && guilt.of > 1
      ? [`faultline replay ${file} --kernel ${quoted(kernelArgument(`${kernel.name}~${first.mutant.id}`))} --threshold ${threshold}`]
      : []),
    `faultline view ${file} ${on}${finding.op < ops.length ? ` --op ${finding.op}` : ''}`,
  ];
  return ['', 'next', ...hints.map((hint) => `  ${hint}`)];
}

/** A trace of so few ops needs no shrinking. */
const SMALL = 10;

/** There is nothing to explain; what may be meant instead. */
function heldLines({ result }: Extract<Explained, { kind: 'holds' }>, { path, flags, trace }: Asked): string[] {
  const { verdict, kernel, threshold, ops, divergence } = result;
  const { expect, kernel: spec } = trace.header;
  const file = quoted(path);
  const first =
    divergence === undefined
      ? `does not fail: ${verdict} on ${kernel}, threshold ${threshold}, over ${counted(ops, 'op')} (--check ${flags.check})`
      : `does not fail on ${kernel}, threshold ${threshold}; at op ${divergence.op} ${divergence.name} answers other than in the recording`;
  const expectation =
    expect?.verdict === 'failed' ? [`  the header expects ${[expect.kind, expect.id].filter(Boolean).join(' ')} on ${spec.name}`] : [];
  const hints = [
    ...(spec.name !== kernel
      ? [`faultline explain ${file} --kernel ${quoted(kernelArgument(spec.name))}`]
      : [`faultline explain ${file} --kernel kevlar@m9.8`]),
    ...(flags.check === 'every' ? [] : [`faultline explain ${file} --check every`]),
    `faultline sweep ${file}`,
  ];
  return [first, ...expectation, ...(path === '-' ? [] : ['', 'next', ...hints.map((hint) => `  ${hint}`)])];
}
