/**
 * Values as strace prints them: numbers, products, flags by name, strings, and what stands for a structure.
 *
 * strace shows what a pointer points to instead of the pointer, so most buffers have no address; such an argument is 0.
 */
import { SIGCHLD } from './calls.ts';

/** Flags of the calls that become ops. Others keep their numbers, or are 0. */
const CONSTANTS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    NULL: 0,
    AT_FDCWD: -100,
    PROT_NONE: 0,
    PROT_READ: 1,
    PROT_WRITE: 2,
    PROT_EXEC: 4,
    MAP_FILE: 0,
    MAP_SHARED: 1,
    MAP_PRIVATE: 2,
    MAP_SHARED_VALIDATE: 3,
    MAP_FIXED: 0x10,
    MAP_ANONYMOUS: 0x20,
    MAP_ANON: 0x20,
    MAP_GROWSDOWN: 0x100,
    MAP_DENYWRITE: 0x800,
    MAP_LOCKED: 0x2000,
    MAP_NORESERVE: 0x4000,
    MAP_POPULATE: 0x8000,
    MAP_NONBLOCK: 0x10000,
    MAP_STACK: 0x20000,
    MAP_FIXED_NOREPLACE: 0x100000,
    MREMAP_MAYMOVE: 1,
    MREMAP_FIXED: 2,
    MREMAP_DONTUNMAP: 4,
    MADV_NORMAL: 0,
    MADV_RANDOM: 1,
    MADV_SEQUENTIAL: 2,
    MADV_WILLNEED: 3,
    MADV_DONTNEED: 4,
    MADV_FREE: 8,
    MADV_HUGEPAGE: 14,
    MADV_NOHUGEPAGE: 15,
    MS_ASYNC: 1,
    MS_INVALIDATE: 2,
    MS_SYNC: 4,
    CLONE_VM: 0x100,
    CLONE_FS: 0x200,
    CLONE_FILES: 0x400,
    CLONE_SIGHAND: 0x800,
    CLONE_VFORK: 0x4000,
    CLONE_THREAD: 0x10000,
    CLONE_SYSVSEM: 0x40000,
    CLONE_SETTLS: 0x80000,
    CLONE_PARENT_SETTID: 0x100000,
    CLONE_CHILD_CLEARTID: 0x200000,
    CLONE_CHILD_SETTID: 0x1000000,
    SIGCHLD,
    TCGETS: 0x5401,
    TCSETS: 0x5402,
    TIOCGWINSZ: 0x5413,
    PR_SET_NAME: 15,
    PR_GET_NAME: 16,
  }),
);

/** Splits an argument list at its top-level commas: not in strings, brackets, or what -y says of a descriptor. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let [depth, angles, start] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '"') i = endOfString(text, i);
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === '<' && (angles > 0 || /[\dD]/.test(text[i - 1] ?? '')) && text[i + 1] !== '<') angles++;
    else if (char === '>' && angles > 0 && text[i - 1] !== '-') angles--;
    else if (char === ',' && depth === 0 && angles === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  if (last !== '' || parts.length > 0) parts.push(last);
  return parts;
}

/** Index of the closing quote of the string that opens at `start`, or of the last character. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return text.length - 1;
}

/** `flags=X` without the name. */
const withoutName = (text: string): string => text.replace(/^[a-z_]\w*=(?!=)/, '');

/** The number that an argument is; 0 for what has none in the text. */
export function numberOf(argument: string): number {
  const text = withoutName(argument)
    .replace(/\/\*.*?\*\//g, '')
    .trim();
  const plain = /^(-?\d+|0x[0-9a-f]+)(<.*>)?$/.exec(text);
  if (plain !== null) return Number(plain[1]);
  const product = /^(\d+)\*(\d+)$/.exec(text);
  if (product !== null) return Number(product[1]) * Number(product[2]);
  if (!/^[\w|<.>/()-]+$/.test(text)) return 0;
  const bits = text
    .split('|')
    .map((word) => CONSTANTS.get(word.replace(/<.*>$/, '')) ?? (/^(0x[0-9a-f]+|\d+)$/.test(word) ? Number(word) : 0));
  return bits.length === 1 ? bits[0]! : bits.reduce((sum, bit) => sum + bit, 0);
}

/** A string literal with its escapes undone; `isCut` if strace cut it. Undefined for what is no string. */
export function stringOf(argument: string): { readonly text: string; readonly isCut: boolean } | undefined {
  const trimmed = withoutName(argument).trim();
  if (!trimmed.startsWith('"')) return undefined;
  const end = endOfString(trimmed, 0);
  return { text: unescape(trimmed.slice(1, end)), isCut: trimmed.slice(end + 1).startsWith('...') };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f', a: '\x07', b: '\b', e: '\x1b' };

/** Bytes above 127 that are UTF-8 become characters; others U+FFFD. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      bytes.push(...encoder.encode(text[i]));
      continue;
    }
    const number = /^(?:x([0-9a-f]{2})|([0-7]{1,3}))/.exec(text.slice(i + 1, i + 4));
    if (number === null) {
      i++;
      bytes.push(...encoder.encode(ESCAPES[text[i] ?? ''] ?? text[i] ?? ''));
    } else {
      i += number[0].length;
      bytes.push(number[1] === undefined ? Number.parseInt(number[2]!, 8) & 255 : Number.parseInt(number[1], 16));
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** `["a", "b"]` as its strings; undefined if it is no list, or not all of it is there. */
export function stringsOf(argument: string): string[] | undefined {
  const inside = /^\[(.*)\]$/s.exec(argument.trim())?.[1];
  if (inside === undefined) return undefined;
  const strings = splitArguments(inside).map(stringOf);
  return strings.every((string) => string?.isCut === false) ? strings.map((string) => string!.text) : undefined;
}

/** The path that -y prints behind a descriptor: `3</etc/passwd>`. */
export const pathBehind = (argument: string): string | undefined => /^\d+<(\/[^>]*)>$/.exec(argument.trim())?.[1];
