/** What an exec makes, by design. */
import type { Design } from './design.ts';
import type { Errno } from './errors.ts';
import { planKevlarExec } from './kevlar/exec-layout.ts';
import type { ExecPlan, ExecRequest } from './exec-request.ts';
import type { File } from './file.ts';
import { planLinuxExec } from './linux/exec-layout.ts';
import { vdsoFile } from './linux/vdso.ts';

/**
 * Plans the address space of `request`.
 *
 * @param vdso - what Linux maps for every program, empty code by default; kevlar has a frame for it instead
 */
export const planExec = (design: Design, request: ExecRequest, vdso: File = vdsoFile()): ExecPlan | Errno =>
  design.name === 'linux' ? planLinuxExec(design, request, vdso) : planKevlarExec(design, request);
