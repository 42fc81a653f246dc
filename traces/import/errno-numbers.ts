/** Numbers of errors by name, as Linux has them on the architectures that are imported. */
import { errnoOf } from '../riscv-linux-calls.ts';

const EINTR = 4;
/** Of no interest but that they are errors. */
const EINVAL = 22;
const ERRNO_MAX = 133;

const NUMBERS = new Map(Array.from({ length: ERRNO_MAX }, (_, i) => [errnoOf(-i - 1)!, i + 1]));

/** What the kernel calls ERESTART… is EINTR to a program; a name that is not known is EINVAL. */
export const errnoNumber = (name: string): number => NUMBERS.get(name) ?? (name.startsWith('ERESTART') ? EINTR : EINVAL);
