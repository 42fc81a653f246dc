/**
 * The pages that Linux maps for every program by itself: clock data that the kernel keeps current, and code that reads it.
 *
 * Here they are one file that never changes. Clock pages are zero, for there is no clock; the code is what the machine hands the kernel.
 */
import { File } from '../file.ts';
import { PROT_EXEC, PROT_READ } from '../pte.ts';
import { PAGE_BYTES } from '../units.ts';

/** [vvar], [vvar_vclock] and [vdso] of x86-64, in whole pages of the file. */
export const VDSO_SPECIAL: readonly { readonly page: number; readonly pages: number; readonly prot: number }[] = [
  { page: 0, pages: 4, prot: PROT_READ },
  { page: 4, pages: 2, prot: PROT_READ },
  { page: 6, pages: 2, prot: PROT_READ | PROT_EXEC },
];
export const VDSO_PAGES = 8;
/** Where in the file the code lies, in bytes. */
export const VDSO_CODE_OFFSET = VDSO_SPECIAL.at(-1)!.page * PAGE_BYTES;

/** The file behind the pages; `code` is what [vdso] begins with, at most two pages. */
export function vdsoFile(code: Uint8Array = new Uint8Array(0)): File {
  const bytes = new Uint8Array(VDSO_PAGES * PAGE_BYTES);
  bytes.set(code.subarray(0, 2 * PAGE_BYTES), VDSO_CODE_OFFSET);
  return new File('[vdso]', [], bytes, true);
}
