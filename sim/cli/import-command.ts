/** `faultline import`: makes a trace of what another tool recorded, and says what it made of it. */
import { readFileSync } from 'node:fs';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { TraceError } from '../../traces/format-error.ts';
import { ARCHITECTURES, type Architecture } from '../../traces/import/calls.ts';
import type { Imported } from '../../traces/import/builder.ts';
import { FORMATS, RecordingImporter, type Format } from '../../traces/import/importer.ts';
import { layoutOfElf, type ProgramLayout } from '../../traces/import/layout.ts';
import { importReportLines } from '../../traces/import/report.ts';
import type { CommandDefinition } from './context.ts';
import { address, jsonOption, kernelName } from './options.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { textLines } from './text-lines.ts';
import { writeTrace } from './trace-file.ts';

interface ImportFlags {
  readonly output: string;
  readonly binary?: readonly Binary[];
  readonly arch?: Architecture;
  readonly stack?: number;
  readonly kernel: string;
  readonly json?: boolean;
}

/** One `--binary`. */
interface Binary {
  /** Undefined for every program that has no other. */
  readonly path: string | undefined;
  readonly file: string;
  readonly layout: ProgramLayout;
}

const EXAMPLES = `
Examples:
  strace -f -y -s 65535 -o log.txt sh -c 'ls | sort'
  faultline import strace log.txt -o t.jsonl --binary /bin/busybox=/bin/busybox
  perf record -e 'raw_syscalls:*,exceptions:*,sched:sched_process_*' -c 1 -m 16M -a -- sh -c ls; perf script > log.txt
  faultline import perf log.txt -o t.jsonl
  valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-children=yes --log-file=log.%p sh -c ls
  faultline import lackey log.* -o t.jsonl.gz
  faultline import plugin recording.jsonl -o t.jsonl && faultline replay t.jsonl

A dynamic program takes two --binary, its own and its interpreter's, each with the address of its first line in /proc/PID/maps.
Recorded under setarch -R both are the same in every run; qemu-user prints its own with -d page:
  setarch -R strace -f -y -s 65535 -o log.txt ls; setarch -R cat /proc/self/maps
  faultline import strace log.txt -o t.jsonl --binary /usr/bin/ls=/usr/bin/ls@0x555555554000 \\
    --binary /lib64/ld-linux-x86-64.so.2=/lib64/ld-linux-x86-64.so.2@0x7ffff7fca000
Each kernel puts them elsewhere; the trace says where the recording had them, and a replay follows.

A page that was touched becomes a touch, a page fault an access that must succeed. What the recording does not hold is
supplied by --binary, or assumed and reported by line: pages that were used and that nothing maps are mapped after exec.`;

export const defineImport: CommandDefinition = (program, { terminal }) => {
  program
    .command('import')
    .description('make a trace of a recording: strace, perf, ftrace, lackey, a Kevlar log, or the page-touch plugin')
    .addArgument(new Argument('<format>', 'who recorded it').choices(FORMATS))
    .argument('<files...>', 'the recording, plain or gzip; of lackey one log a process; - is standard input')
    .requiredOption('-o, --output <file>', 'trace to write: .jsonl or .jsonl.gz; - is standard output')
    .option(
      '--binary <[path=]elf[@base]>',
      'ELF file of a program or interpreter, or of all programs; @0x… is where a position-independent one was; may be repeated',
      binary,
    )
    .addOption(
      new Option('--arch <architecture>', 'of the system calls (default x86_64; the plugin says it itself)').choices(ARCHITECTURES),
    )
    .option('--stack <address>', 'end of the recorded stack, where the recording does not show it', address)
    .option('-k, --kernel <kernel>', 'kernel that the trace names', kernelName, 'kevlar')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (format: Format, files: string[], flags: ImportFlags) => {
      await importFiles(format, files, flags, terminal);
    });
};

async function importFiles(format: Format, files: readonly string[], flags: ImportFlags, terminal: Terminal): Promise<void> {
  if (files.length > 1 && format !== 'lackey') throw new UsageError(`a recording of ${format} is one file (only lackey has one a process)`);
  if (flags.output === '-' && flags.json === true)
    throw new UsageError('--output - and --json both want standard output: name a file for the trace');
  const imported = await readRecording(format, files, flags, terminal);
  const { header, ops } = imported.trace;
  if (ops.length === 0)
    throw new TraceError({ file: files[0]!, line: 0 }, '', `holds nothing that ${format} writes (is it of another format?)`);
  await writeTrace(flags.output, header, ops);
  const lines =
    flags.json === true
      ? [JSON.stringify({ trace: flags.output, ops: ops.length, report: imported.report, processes: imported.processes })]
      : [`${flags.output}: ${ops.length} ops of ${imported.processes.length} processes`, ...importReportLines(imported.report)];
  if (flags.output === '-') for (const line of lines) terminal.remark(line);
  else await terminal.writeLines(lines);
}

async function readRecording(format: Format, files: readonly string[], flags: ImportFlags, terminal: Terminal): Promise<Imported> {
  const { binary: binaries = [], arch, stack, kernel } = flags;
  const others = binaries.filter(({ path }) => path === undefined);
  if (others.length > 1) throw new UsageError('two --binary without PATH=: only one file can stand for all other programs');
  const other = others[0] === undefined ? undefined : { path: others[0].file, layout: others[0].layout };
  const importer = new RecordingImporter({
    format,
    file: files[0]!,
    architecture: arch,
    layouts: { named: new Map(binaries.flatMap(({ path, layout }) => (path === undefined ? [] : [[path, layout] as const]))), other },
    kernel: { name: kernel },
    stackEnd: stack,
  });
  for (const file of files) {
    let line = 0;
    for await (const lines of textLines(file)) {
      for (const text of lines) importer.add(text, ++line, file);
      terminal.throwIfInterrupted(() => `at line ${line} of ${file}`);
    }
  }
  return importer.finish();
}

/** `[PATH=]FILE[@0xBASE]`, collected over repeated flags. */
function binary(text: string, others: readonly Binary[] = []): readonly Binary[] {
  const [, path, file = '', base] = /^(?:([^=]+)=)?(.+?)(?:@(0x[0-9a-f]+))?$/s.exec(text) ?? [];
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${(error as Error).message}.`);
  }
  const layout = layoutOfElf(bytes, file.replace(/^.*\//, ''), base === undefined ? undefined : Number(base));
  if (typeof layout === 'string') throw new InvalidArgumentError(`${file}: ${layout}.`);
  return [...others, { path, file, layout }];
}
