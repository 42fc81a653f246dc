/** The raw recordings of other tools in test/fixtures/, and importing them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp, type Trace } from '../../traces/codec.ts';
import type { Imported } from '../../traces/import/builder.ts';
import { RecordingImporter, type Format, type ImportOptions } from '../../traces/import/importer.ts';

export const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;

export const SAMPLES: readonly (readonly [format: Format, name: string])[] = [
  ['plugin', 'ls-sort-head.riscv64.qemu.jsonl.gz'],
  ['plugin', 'ls-sort-head-exec.riscv64.qemu.jsonl.gz'],
  ['plugin', 'suite20.riscv64.qemu.jsonl.gz'],
  ['plugin', 'qemu-plugin-x86_64-dynamic-ls.jsonl.gz'],
  ['strace', 'strace-f.full.txt'],
  ['strace', 'strace-f-raw.full.txt'],
  ['strace', 'strace-f-exec.full.txt'],
  ['perf', 'perf-script.full.txt.gz'],
  ['ftrace', 'ftrace.full.txt.gz'],
  ['lackey', 'lackey-reduced.jsonl.gz'],
  ['lackey', 'lackey-5.txt'],
  ['kevlar', 'kevlar-synthetic.txt'],
];

export function fixtureText(name: string): string {
  const bytes = readFileSync(fixture(name));
  return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
}

export function importText(format: Format, text: string, options: Partial<ImportOptions> = {}): Imported {
  const file = options.file ?? 'recording';
  const importer = new RecordingImporter({ format, file, layouts: { named: new Map() }, kernel: { name: 'kevlar' }, ...options });
  for (const [index, line] of text.trimEnd().split('\n').entries()) importer.add(line, index + 1, file);
  return importer.finish();
}

export const importSample = (format: Format, name: string): Imported => importText(format, fixtureText(name), { file: name });

/** The trace as it is read back from its file. */
export function asWritten({ header, ops }: Trace): Trace {
  const where = (line: number) => ({ file: 'written', line });
  return {
    header: decodeHeaderLine(encodeHeader(header), where(1)),
    ops: ops.map((op, index) => decodeOpLine(encodeOp(op), where(index + 2))),
  };
}
