/** Lines of a page of 80 columns: wrapped text, and labelled facts. */
import { hex } from '../../kernel-model/index.ts';

const WIDTH = 80;
const LABEL_WIDTH = 9;

/** `label    text`, wrapped under itself. */
export function fact(label: string, text: string, indent = 2): string[] {
  const [first = '', ...rest] = wrapped(text, 0, 0, WIDTH - indent - LABEL_WIDTH - 1);
  const pad = ' '.repeat(indent);
  return [`${pad}${label.padEnd(LABEL_WIDTH)} ${first}`, ...rest.map((line) => `${pad}${' '.repeat(LABEL_WIDTH)} ${line}`)];
}

export const rawFact = (label: string, text: string): string[] => [`  ${label.padEnd(LABEL_WIDTH)} ${text}`];

/** Words in lines of at most `width` characters, the first indented by `indent`, the others by `hanging`. */
export function wrapped(text: string, indent: number, hanging = indent, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = ' '.repeat(indent);
  let isEmpty = true;
  // Runs of spaces are the text's own columns.
  for (const word of text.split(/ (?! )(?<! {2})/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

export const valueText = (value: number | string | undefined): string => (typeof value === 'number' ? hex(value) : (value ?? 'nothing'));
