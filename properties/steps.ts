/**
 * The steps of random scripts: for each class of ops a few small scenes, from one op to half a dozen that belong together.
 *
 * A scene is what programs do (warm a file and exec again, write on both sides of a fork, give back part of a huge page and
 * look at it), never what a particular bug needs: places, pages, lengths and protections are drawn.
 */
import type { OpClass } from './swarm.ts';
import { FILE_STEPS } from './steps/files.ts';
import { KERNEL_STEPS } from './steps/kernel.ts';
import { LINUX_STEPS } from './steps/linux.ts';
import { MEMORY_STEPS } from './steps/memory.ts';
import type { Step } from './steps/parts.ts';
import { PROCESS_STEPS } from './steps/processes.ts';

export const STEPS: Readonly<Record<OpClass, readonly Step[]>> = {
  ...MEMORY_STEPS,
  ...PROCESS_STEPS,
  ...FILE_STEPS,
  ...KERNEL_STEPS,
  ...LINUX_STEPS,
};
