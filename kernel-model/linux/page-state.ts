/**
 * The state of each page of a range as one letter, in the alphabet of recordings of a real kernel (PAGEMAP_SCAN):
 *
 *     .  nothing         z  zero page              A  private memory that one page maps    a  private memory that several map
 *     f  page of a file  Z  huge zero page         H  the same, by a huge leaf             h  the same, by a huge leaf
 *     s  guard marker    F  file, by a huge leaf
 *
 * Under a huge leaf it is the first page that tells for all whether others map it, as in the kernel.
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { frameOfPte, isGuard } from '../pte.ts';
import type { Pfn, Vpn } from '../units.ts';
import { isAnon } from './leaf.ts';

/** One letter a page of [start, end). */
export function pageStates(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): string {
  const states = new Array<string>(end - start).fill('.');
  k.tables.eachEntryIn(space.root, start, end, (page, entry, _slot, isHuge) => {
    const last = Math.min(page + (isHuge ? k.parameters.hugePages : 1), end);
    states.fill(isGuard(entry) ? 's' : stateOf(k, frameOfPte(entry), isHuge), Math.max(page, start) - start, last - start);
  });
  return states.join('');
}

function stateOf(k: Kernel, frame: Pfn, isHuge: boolean): string {
  if (k.isZeroPage(frame)) return isHuge ? 'Z' : 'z';
  if (!isAnon(k, frame)) return isHuge ? 'F' : 'f';
  const isMappedOnce = mappingsOf(k, frame) === 1;
  if (isHuge) return isMappedOnce ? 'H' : 'h';
  return isMappedOnce ? 'A' : 'a';
}

/** How many entries map a frame of private memory: all its references but those of pins. */
function mappingsOf(k: Kernel, frame: Pfn): number {
  return k.frames.refs[frame]! - k.frames.writePins[frame]! - k.readPinsOf(frame);
}
