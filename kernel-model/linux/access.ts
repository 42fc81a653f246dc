/** One access that the page table did not allow: what the parts of a fault need to know of it. */
import type { AddressSpace } from '../address-space.ts';
import { defined } from '../errors.ts';
import type { Access } from '../pte.ts';
import type { Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { prepareAnonVma } from './anon-vma.ts';

export interface Fault {
  readonly space: AddressSpace;
  readonly address: number;
  readonly page: Vpn;
  readonly access: Access;
  /** The VMA of the page, as it was when the fault began. */
  readonly vma: Vma;
  /** PROT bits that the fault may grant: the VMA's, unless a rule says otherwise. */
  readonly prot: number;
}

/** The VMA is about to have a private page: it must have an anon_vma before. */
export function expectPrivatePage({ space, address }: Fault): void {
  prepareAnonVma(space, defined(space.vmas.containing(address), 'the fault has a VMA'));
}
