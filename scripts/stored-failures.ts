/**
 * Do stored failures replay? Writes many failing random traces with what they must show, digest included, and replays them.
 *
 *     node --import tsx/esm scripts/stored-failures.ts write FOLDER [--count 1000] [--seed 1]
 *     node --import tsx/esm scripts/stored-failures.ts check FOLDER
 *
 * The second command may run on another version of Node or another machine: the digests must be equal there.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KERNELS } from '../kernel-model/index.ts';
import { traceOfRun } from '../properties/fuzz.ts';
import { readTrace, writeTrace } from '../sim/cli/trace-file.ts';
import { createDigester, type Digester } from '../sim/digest.ts';
import { replay } from '../sim/replay.ts';

const USAGE = 'usage: stored-failures.ts write|check FOLDER [--count N] [--seed TEXT]';
/** The kernels that fail, in turn. */
const FAILING = KERNELS.filter(({ mutants }) => mutants.length > 0).map(({ name }) => name);

async function write(folder: string, count: number, seed: string, digester: Digester): Promise<void> {
  mkdirSync(folder, { recursive: true });
  let written = 0;
  for (let run = 0; written < count; run++) {
    const kernel = FAILING[run % FAILING.length]!;
    const { header, ops } = traceOfRun({ kernel, seed, check: 'changes', opsMax: 60 }, run);
    const { failure, digest } = replay({ header, ops }, { digester, check: 'changes' });
    if (failure === undefined) continue;
    const expect = { verdict: 'failed' as const, kind: failure.kind, id: failure.id, op: failure.op, digest };
    await writeTrace(join(folder, `${String(written++).padStart(4, '0')}.jsonl`), { ...header, expect }, ops);
  }
  console.log(`${folder}: ${written} failing traces`);
}

async function check(folder: string, digester: Digester): Promise<void> {
  const names = readdirSync(folder).sort();
  const different: string[] = [];
  for (const name of names) {
    const { expectation } = replay(await readTrace(join(folder, name)), { digester, check: 'changes' });
    if (expectation !== 'met') different.push(name);
  }
  console.log(`node ${process.version}: ${names.length - different.length} of ${names.length} fail as stored, digests equal`);
  if (different.length > 0) console.log(`not as stored: ${different.join(' ')}`);
  process.exitCode = different.length === 0 ? 0 : 1;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const [what, folder] = positionals;
if (folder === undefined || (what !== 'write' && what !== 'check')) throw new Error(USAGE);
const digester = await createDigester();
await (what === 'write' ? write(folder, Number(values.count), values.seed, digester) : check(folder, digester));
