/**
 * Makes traces/recorded/ from the raw recordings of the page-touch plugin.
 *
 *     node --import tsx/esm scripts/import-recordings.ts RAW… --out traces/recorded [--rebase 0x400000]
 *
 * All recordings but one are of the riscv64 BusyBox of Debian; with `--rebase` it is moved to that address and the trace's name says so.
 * The other is of a dynamic x86-64 ls. Layouts stand in recorded-layouts.ts, so no program is needed. The output is a function of the
 * input: running it twice changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { encodeHeader, encodeOp, parseJson, type Trace } from '../traces/codec.ts';
import { RecordingImporter } from '../traces/import/importer.ts';
import { importPagetrace } from '../traces/import/pagetrace.ts';
import { BUSYBOX, LD_SO, LD_SO_PATH, LS } from './recorded-layouts.ts';

const MACHINE = { frames: 65536, cpus: 1 };

const SOURCE = {
  tool: 'qemu-riscv64 with a plugin that logs system calls and each page touched between two of them',
  program: 'BusyBox 1.37.0 of Debian, busybox-static 1:1.37.0-6+b9, riscv64',
  sha256: '659d3048d0849dcd03308ece5214c896f657dde1c76ab7a30e9727e3ed8d309b',
};

const DYNAMIC_SOURCE = {
  tool: 'qemu-x86_64 with a plugin that logs system calls and each page touched between two of them',
  program: 'ls of Debian, coreutils 9.1-1 with libc6 2.36-9+deb12u14, amd64',
  note: 'a dynamic program: its interpreter maps and relocates three libraries, then protects what was relocated',
};

/** The recording of a dynamic program, and where its stack ended. */
const DYNAMIC = 'qemu-plugin-x86_64-dynamic-ls';
const DYNAMIC_STACK_END = 0x40_0282_7000;

/** The checks of suite20, one a line of its script: the nth fork of its shell begins the nth. */
const SUITE20 = [
  'echo cat',
  'cp',
  'mv ls',
  'ln rm',
  'seq head tail wc',
  'dd',
  'grep',
  'sed',
  'awk',
  'sort uniq',
  'tr cut',
  'diff cmp',
  'find xargs',
  'tar',
  'gzip md5sum',
  'sha256sum base64 od',
  'expr printf',
  'subshell heredoc',
  'env id uname',
  'jobs',
];

const NOTES: Readonly<Record<string, string>> = {
  suite20: '20 shell checks run by one shell; each applet runs in the forked child or through exec of /proc/self/exe',
  'ls-sort-head': 'ls | sort | head in a folder of 15 files; the applets run in the forked child',
  'ls-sort-head-exec': 'ls | sort | head in a folder of 15 files; each applet runs through execve',
};

/** A raw recording as a trace. @throws TraceError naming file and line */
export function importRecording(raw: string, rebase?: number): Trace {
  return recordingName(raw) === DYNAMIC ? importDynamic(raw) : importBusybox(raw, rebase);
}

function importBusybox(raw: string, rebase: number | undefined): Trace {
  const name = recordingName(raw);
  const note = [NOTES[name] ?? 'imported', ...(rebase === undefined ? [] : [`moved to 0x${rebase.toString(16)}`])].join('; ');
  return importPagetrace(recordsOf(raw), {
    ...BUSYBOX,
    file: basename(raw),
    kernel: { name: 'kevlar', assembleThreshold: 128, ...MACHINE },
    source: { ...SOURCE, note },
    compress: true,
    ...(rebase === undefined ? {} : { rebase }),
    ...(name === 'suite20' ? { marks: SUITE20 } : {}),
  });
}

function importDynamic(raw: string): Trace {
  const importer = new RecordingImporter({
    format: 'plugin',
    file: basename(raw),
    layouts: { named: new Map([[LD_SO_PATH, LD_SO]]), other: { path: '/bin/ls', layout: LS } },
    kernel: { name: 'linux', ...MACHINE },
    stackEnd: DYNAMIC_STACK_END,
  });
  for (const [index, line] of linesOf(raw).entries()) importer.add(line, index + 1);
  const { header, ops } = importer.finish().trace;
  return { header: { ...header, source: DYNAMIC_SOURCE }, ops };
}

/** The text of a trace. */
export const traceText = ({ header, ops }: Trace): string => [encodeHeader(header), ...ops.map(encodeOp), ''].join('\n');

/** File name of the trace of a raw recording: `suite20-0x400000.jsonl.gz`. */
export function traceName(raw: string, rebase?: number): string {
  const name = recordingName(raw);
  return `${name === DYNAMIC ? 'ls-dynamic' : name}${rebase === undefined ? '' : `-0x${rebase.toString(16)}`}.jsonl.gz`;
}

/** The records of a raw recording. */
function* recordsOf(raw: string): Generator {
  for (const [index, line] of linesOf(raw).entries()) yield parseJson(line, { file: basename(raw), line: index + 1 });
}

/** The lines of a raw recording, plain or gzip. */
function linesOf(raw: string): string[] {
  const bytes = readFileSync(raw);
  return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n');
}

/** A raw file's name up to its first dot. */
const recordingName = (raw: string): string => basename(raw).split('.')[0]!;

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    options: { out: { type: 'string' }, rebase: { type: 'string' } },
    allowPositionals: true,
  });
  const rebase = values.rebase === undefined ? undefined : Number(values.rebase);
  if (values.out === undefined || positionals.length === 0 || (rebase !== undefined && !(rebase > 0 && rebase % 4096 === 0))) {
    throw new Error('usage: import-recordings.ts RAW… --out FOLDER [--rebase PAGE-ADDRESS]');
  }
  if (rebase !== undefined && positionals.some((raw) => recordingName(raw) === DYNAMIC))
    throw new Error(`--rebase moves BusyBox, and ${DYNAMIC} is of another program: import it by itself`);
  for (const raw of positionals) {
    const trace = importRecording(raw, rebase);
    const path = join(values.out, traceName(raw, rebase));
    writeFileSync(path, gzipSync(traceText(trace), { level: 9 }));
    console.log(`${path}: ${trace.ops.length} ops`);
  }
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
