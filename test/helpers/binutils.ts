/**
 * The oracle for encodings: GNU as and objdump for RISC-V, which we did not write.
 *
 * They come from Debian's package binutils-riscv64-linux-gnu. A test that misses it calls `skipUnlessBinutils`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'riscv64-linux-gnu-';
const OUTPUT_BYTES_MAX = 2 ** 30;

/** Skips the running test or suite, and says why, if binutils are not installed. */
export function skipUnlessBinutils(context: Mocha.Context): void {
  if (spawnSync(`${PREFIX}objdump`, ['--version']).error === undefined) return;
  console.log(`skipped: ${PREFIX}objdump not found (apt-get install binutils-riscv64-linux-gnu)`);
  context.skip();
}

/**
 * Disassembles bytes with `objdump -M no-aliases`.
 *
 * @param at - address of the first byte
 * @returns by address the instruction as objdump prints it, without comments
 */
export function objdump(bytes: Uint8Array, at: bigint): Map<bigint, string> {
  const lines = inDirectory((directory) => {
    const path = join(directory, 'text.bin');
    writeFileSync(path, bytes);
    const how = ['-D', '-z', '-M', 'no-aliases', '-b', 'binary', '-m', 'riscv:rv64', `--adjust-vma=0x${at.toString(16)}`];
    return run('objdump', [...how, path]).split('\n');
  });
  const found = new Map<bigint, string>();
  for (const line of lines) {
    const [, address, text] = /^\s*([\da-f]+):\t[\da-f ]+\t(.*)$/.exec(line) ?? [];
    if (address !== undefined) found.set(BigInt('0x' + address), text!.replace(/ #.*$/, '').trimEnd());
  }
  return found;
}

/** Assembles a source file with GNU as, and answers the bytes of its text section. */
export function gnuAssemble(source: string): Uint8Array {
  return inDirectory((directory) => {
    const [text, object, binary] = ['text.s', 'text.o', 'text.bin'].map((name) => join(directory, name)) as [string, string, string];
    writeFileSync(text, source);
    run('as', ['-march=rv64gc', '-o', object, text]);
    run('objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
    return readFileSync(binary);
  });
}

/** The bytes and address of a section of an ELF file. */
export function section(path: string, name: string): { readonly bytes: Uint8Array; readonly at: bigint } {
  const [, address] = new RegExp(`\\s${name.replace('.', '\\.')}\\s+[\\da-f]+\\s+([\\da-f]+)`).exec(run('objdump', ['-h', path])) ?? [];
  if (address === undefined) throw new Error(`${path}: no section ${name}`);
  const bytes = inDirectory((directory) => {
    const binary = join(directory, 'section.bin');
    run('objcopy', ['-O', 'binary', '-j', name, path, binary]);
    return readFileSync(binary);
  });
  return { bytes, at: BigInt('0x' + address) };
}

function inDirectory<Answer>(work: (directory: string) => Answer): Answer {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-binutils-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @throws Error with the tool's words if it fails */
function run(tool: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(PREFIX + tool, args, { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${PREFIX}${tool} ${args.join(' ')}: exit code ${status}\n${stderr}`);
  return stdout;
}
