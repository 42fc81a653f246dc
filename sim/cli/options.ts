/** Flags that several commands share, and how their values are read. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { kernelNamed } from '../../kernel-model/index.ts';
import { CHECK_MODES } from '../check/checker.ts';
import { namesModule } from './kernel-module.ts';

/** @throws InvalidArgumentError, which commander shows with the name of the flag */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** The name of a kernel, or the path of a module that exports one, which is loaded before the command runs (program.ts). */
export function kernelName(text: string): string {
  if (namesModule(text)) return text;
  const kernel = kernelNamed(text);
  if (typeof kernel === 'string') throw new InvalidArgumentError(`It names no kernel: ${kernel}.`);
  return text;
}

export const kernelNames = (text: string): string[] => text.split(',').map(kernelName);

export const wholeNumbers = (text: string): number[] => text.split(',').map(wholeNumber);

/** `SHA256=PATH`, collected over repeated flags: the content of a file that a trace names by digest only. */
export function suppliedFile(text: string, others: ReadonlyMap<string, Uint8Array> = new Map()): ReadonlyMap<string, Uint8Array> {
  const [, digest, path] = /^([0-9a-fA-F]{64})=(.+)$/s.exec(text) ?? [];
  if (digest === undefined || path === undefined) throw new InvalidArgumentError('It must be SHA256=PATH, the digest in 64 hex digits.');
  const bytes = readSupplied(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== digest.toLowerCase()) throw new InvalidArgumentError(`${path} has the digest ${found}.`);
  return new Map([...others, [found, bytes]]);
}

function readSupplied(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${(error as Error).message}.`);
  }
}

export const checkOption = (): Option =>
  new Option('--check <mode>', 'when to compare and check: after every op, after changes of mappings, at the end, or not at all')
    .choices(CHECK_MODES)
    .default('changes');

export const jsonOption = (): Option => new Option('--json', 'print JSON, times included');

/** @throws InvalidArgumentError, which commander shows with the name of the flag */
export function address(text: string): number {
  if (!/^0x[0-9a-f]{1,12}$/.test(text)) throw new InvalidArgumentError('It must be an address in hex, such as 0x7ffffffff000.');
  return Number(text);
}
