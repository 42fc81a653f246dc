/**
 * Reads one line of Kevlar's serial log: finds the `DBG {…}` in it and makes JSON of what Kevlar prints.
 *
 * Console text may stand before it, colours anywhere. Kevlar prints hex bare and 64-bit numbers in full, of which JSON can hold neither:
 * both become strings before the line is parsed.
 *
 * @see kernel-model/events.ts for the events and their fields
 */

export interface KevlarEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const COLOURS = /\x1b\[[0-9;]*[A-Za-z]/g;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?0x[0-9a-fA-F]+|-?\d{16,}/g;

/** The event of a line; undefined if it has none, a text that says what is wrong if it is damaged. */
export function parseKevlarLine(line: string): KevlarEvent | string | undefined {
  const clean = line.replace(COLOURS, '').trimEnd();
  const start = clean.indexOf('DBG {');
  if (start < 0) return undefined;
  const text = clean.slice(start + 'DBG '.length).replace(TOKENS, (token) => (token.startsWith('"') ? token : `"${token}"`));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the event is cut off or mixed with other text';
  }
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' ? { type, fields: value as Record<string, unknown> } : 'the event has no type';
}

/** A number however it is printed; undefined if the field is absent or no number. Above 2^53 it is not exact. */
export function numberField(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  return numberOf(fields[name]);
}

export function textField(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?(0x[0-9a-fA-F]+|\d+)$/.test(value) ? Number(value) : undefined;
}
