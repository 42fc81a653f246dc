/** What an invariant answers, and the walks over all spaces and entries that invariants share. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import type { Survey } from './survey.ts';
import { vaddrOf, type Vpn } from '../units.ts';

export interface Violation {
  readonly message: string;
  readonly pid?: number;
  readonly address?: number;
}

export interface Invariant {
  readonly id: string;
  readonly statement: string;
  readonly check: (k: Kernel, survey: Survey) => Violation | undefined;
}

/** The first answer that is not undefined, over all live spaces in order of creation. */
export function firstOver(k: Kernel, check: (space: AddressSpace) => Violation | undefined): Violation | undefined {
  for (const space of k.spaces) {
    const violation = check(space);
    if (violation !== undefined) return { pid: space.pid, ...violation };
  }
  return undefined;
}

/** The first answer over every non-empty entry of every live space. */
export function firstOverEntries(
  k: Kernel,
  check: (space: AddressSpace, page: Vpn, entry: number, isHuge: boolean) => string | undefined,
): Violation | undefined {
  return firstOver(k, (space) => {
    let violation: Violation | undefined;
    k.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
      if (violation !== undefined) return;
      const message = check(space, page, entry, isHuge);
      if (message !== undefined) violation = { message, address: vaddrOf(page) };
    });
    return violation;
  });
}
