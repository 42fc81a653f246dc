/**
 * Makes traces/regressions/linux/: of each scene a trace with the answers of a real kernel, which a replay on `linux` holds.
 *
 *     node --import tsx/esm scripts/write-linux-regressions.ts --out traces/regressions/linux [--record]
 *
 * `--record` asks the kernel of this machine for the answers anew (Linux 6.18) and writes test/linux/found.jsonl.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { traceWithAnswers } from '../sim/conformance/difference-trace.ts';
import { formatRecording, parseRecordings, parseSequences, type Recording, type Sequence } from '../traces/sequences/sequence.ts';
import { buildHost, runOnHost } from './host-program.ts';
import { traceText } from './import-recordings.ts';
import { LINUX_SCENES, type LinuxScene } from './regressions/linux.ts';

/** What the kernel answered to the scenes, in their order. */
export const FOUND = join(import.meta.dirname, '..', 'test', 'linux', 'found.jsonl');

/** Scene number `id` as a sequence. @throws TraceError naming the line of the scene that is no op */
export const sequenceOf = ({ ops, mode = 'small', id: name }: LinuxScene, id: number): Sequence =>
  parseSequences(`seq ${id} ${mode}\n${ops}`, name)[0]!;

export const foundRecordings = (): readonly Recording[] => [...parseRecordings(readFileSync(FOUND, 'utf8').split('\n'), FOUND)];

/** The name and the text of the file of a scene. */
export function fileOf({ id, note }: LinuxScene, recording: Recording): { readonly name: string; readonly text: string } {
  const { header, ops } = traceWithAnswers(recording, note);
  return { name: `${id}.jsonl`, text: traceText({ header: { ...header, expect: { verdict: 'held' } }, ops }) };
}

function record(): void {
  const folder = mkdtempSync(join(tmpdir(), 'mm-host-'));
  try {
    const recordings = [...runOnHost(buildHost(folder), LINUX_SCENES.map(sequenceOf))];
    writeFileSync(FOUND, `${recordings.flatMap(formatRecording).join('\n')}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function main(args: string[]): void {
  const { values } = parseArgs({ args, options: { out: { type: 'string' }, record: { type: 'boolean', default: false } } });
  if (values.out === undefined) throw new Error('usage: write-linux-regressions.ts --out FOLDER [--record]');
  if (values.record) record();
  const recordings = foundRecordings();
  for (const [i, scene] of LINUX_SCENES.entries()) {
    const { name, text } = fileOf(scene, recordings[i]!);
    writeFileSync(join(values.out, name), text);
  }
  console.log(`${values.out}: ${LINUX_SCENES.length} traces`);
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
