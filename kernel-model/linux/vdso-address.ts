/** Where a program finds the code that the kernel maps for it. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import type { Vaddr } from '../units.ts';
import { VDSO_CODE_OFFSET } from './vdso.ts';

/** The first address of the vDSO's code in a space, of either design; undefined if the program has unmapped it. */
export function vdsoCodeAt(k: Kernel, { vmas }: AddressSpace): Vaddr | undefined {
  if (k.design.name === 'kevlar') return k.design.vdso;
  return vmas.ascending.find(({ backing }) => backing?.file === k.vdsoFile && backing.offset === VDSO_CODE_OFFSET)?.start;
}
