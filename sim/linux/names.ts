/**
 * Byte strings: how file names are kept.
 *
 * A name of Linux is any bytes without NUL and slash. Inside the small Linux it is a JavaScript string with one character a byte
 * (U+0000 to U+00FF), so nothing is lost and names compare as bytes. Texts (argv and the environment as the trace has them,
 * what a report shows) are Unicode; bytes that are no UTF-8 become U+FFFD there.
 */
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

export const bytesOf = (name: string): Uint8Array => Uint8Array.from(name, (char) => char.charCodeAt(0));

/** The name with these bytes. */
export function nameOf(bytes: Uint8Array): string {
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte);
  return name;
}

export const textOf = (name: string): string => decodeText(bytesOf(name));
export const nameOfText = (text: string): string => nameOf(ENCODER.encode(text));
export const encodeText = (text: string): Uint8Array => ENCODER.encode(text);
export const decodeText = (bytes: Uint8Array): string => DECODER.decode(bytes);
