/** Programs for tests: small ELF files whose segments begin and end in mid-page. */
import { File } from '../../kernel-model/index.ts';
import { fileBytes } from '../../traces/content.ts';
import type { FileSpec } from '../../traces/header.ts';

/** Text and data that share file page 2 but no page of memory; then two pages of zeros, then the heap at 0x17000. */
export const PROGRAM: FileSpec = {
  path: '/bin/program',
  size: 0x4000,
  type: 'exec',
  segments: [
    { vaddr: 0x10000, offset: 0, filesz: 0x21f0, memsz: 0x21f0, flags: 'rx' },
    { vaddr: 0x13bf0, offset: 0x2bf0, filesz: 0x800, memsz: 0x3410, flags: 'rw' },
  ],
  content: { seed: 'program' },
};

export const programFile = (spec: FileSpec = PROGRAM): File => new File(spec.path, [], fileBytes(spec), true);
