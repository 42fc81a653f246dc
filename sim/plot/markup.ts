/**
 * Markup as data: elements with attributes and children, written as text that is well-formed XML and good HTML alike.
 *
 * A string is always text and is escaped, wherever it stands; characters that XML forbids, and those that turn the direction of a
 * line, become U+FFFD. Only style sheets go in as they are, and they may hold nothing that would need an escape.
 */
export type Child = Element | string;

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly children: readonly Child[];
}

/** An element; attributes that are undefined are left out. */
export const element = (name: string, attributes: Element['attributes'] = {}, ...children: readonly Child[]): Element => ({
  name,
  attributes,
  children,
});

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** C0 and C1 controls but tab and line feed, marks of direction, lone surrogates, and the two that are no characters. */
const UNFIT = /[^\t\n\u0020-\u007e\u00a0-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text for an element or an attribute. */
const escapeText = (text: string): string => text.replace(UNFIT, '\ufffd').replace(/[&<>"']/g, (letter) => ESCAPES[letter]!);

/** The element as text. A sheet for `style` must hold neither `<`, `>`, `&` nor quotes. */
export function render(node: Child): string {
  if (typeof node === 'string') return escapeText(node);
  const { name, attributes, children } = node;
  const written = Object.entries(attributes).map(([key, value]) => (value === undefined ? '' : ` ${key}="${escapeText(String(value))}"`));
  const open = `<${name}${written.join('')}`;
  return name === 'meta' ? `${open}/>` : `${open}>${children.map(render).join('')}</${name}>`;
}

/** A whole HTML page that asks the network for nothing and runs nothing. */
export function page({ title, css, body }: { readonly title: string; readonly css: string; readonly body: readonly Child[] }): string {
  const head = element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: "default-src 'none'; style-src 'unsafe-inline'" }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('title', {}, title),
    element('style', {}, css),
  );
  return `<!doctype html>\n${render(element('html', { lang: 'en' }, head, element('body', {}, element('main', {}, ...body))))}\n`;
}

/** Two characters at the least and an ellipsis instead of what is too long. */
export function shorten(text: string, lengthMax: number): string {
  const letters = Array.from(text);
  return letters.length <= lengthMax ? text : `${letters.slice(0, Math.max(2, lengthMax - 1)).join('')}…`;
}
