/**
 * Run-length coded letters of pages, as in `3n2y`: a count, which is left out for 1, and a letter.
 *
 * Letters of `pg`: `.` nothing, `z` zero page, `A` anonymous and mapped once, `a` anonymous and shared, `f` a page of a file or of shared
 * memory, `H` and `h` a huge page mapped as one, once or shared, `Z` the huge zero page, `F` a huge page of a file, `s` an entry that is no
 * page (a guard). Letters of `mc`: `n` not in memory, `y` in memory, `-` not mapped.
 */

/** One letter a page, to text. */
export function encodeRuns(letters: string): string {
  let text = '';
  for (let start = 0; start < letters.length;) {
    let end = start + 1;
    while (end < letters.length && letters[end] === letters[start]) end++;
    text += `${end - start > 1 ? end - start : ''}${letters[start]!}`;
    start = end;
  }
  return text;
}

/** Text to one letter a page; at most `pagesMax` of them. */
export function decodeRuns(text: string, pagesMax: number): string[] {
  const letters: string[] = [];
  for (const [, digits, letter] of text.matchAll(/(\d*)(\D)/g)) {
    const count = Math.min(digits === '' ? 1 : Number(digits), pagesMax - letters.length);
    for (let i = 0; i < count; i++) letters.push(letter!);
  }
  return letters;
}
