/** Small texts and colours that several views share. Strings of a trace only ever become text nodes, never markup. */
import type { Piece, Range, Source } from '../page-pieces.ts';

export const hex = (value: number): string => '0x' + value.toString(16);
export const hexByte = (value: number): string => value.toString(16).padStart(2, '0');
/** 1234567 as `1 234 567`. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
export const counted = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;

export const PAGE_BYTES = 4096;

export const SOURCE_TEXT: Readonly<Record<Source, string>> = {
  cache: 'page cache',
  file: 'file, read for this page',
  zero: 'zero fill',
  gap: 'gap: no VMA, or a pad',
  copy: 'private copy',
  written: 'written by a program',
  kernel: 'made by the kernel',
  unknown: 'unknown',
};

/** The pieces of a page to scale, as a CSS background: gradients over the hatching of gaps. */
export function piecesGradient(pieces: readonly Piece[]): string {
  const solid = pieces
    .filter(({ source }) => source !== 'gap')
    .map(({ start, end, source }) => ({ start, end, colour: `var(--${source})` }));
  return `${gradient(solid)}, var(--gap)`;
}

/** Wrong bytes to scale; at least a visible sliver each. */
export function wrongGradient(wrong: readonly Range[]): string {
  const visible = wrong.map(({ start, end }) => ({ start, end: Math.max(end, Math.min(PAGE_BYTES, start + 160)), colour: 'var(--wrong)' }));
  return gradient(visible.length > 64 ? [{ start: visible[0]!.start, end: visible.at(-1)!.end, colour: 'var(--wrong)' }] : visible);
}

function gradient(parts: readonly (Range & { readonly colour: string })[]): string {
  const stops: string[] = [];
  let at = 0;
  for (const { start, end, colour } of parts) {
    if (end <= at) continue;
    const from = Math.max(at, start);
    if (from > at) stops.push(`transparent ${percent(at)}`, `transparent ${percent(from)}`);
    stops.push(`${colour} ${percent(from)}`, `${colour} ${percent(end)}`);
    at = end;
  }
  if (at < PAGE_BYTES) stops.push(`transparent ${percent(at)}`, `transparent 100%`);
  return `linear-gradient(90deg, ${stops.join(', ')})`;
}

const percent = (bytes: number): string => `${((bytes / PAGE_BYTES) * 100).toFixed(2)}%`;

export const wrongCount = (wrong: readonly Range[]): number => wrong.reduce((sum, { start, end }) => sum + end - start, 0);
