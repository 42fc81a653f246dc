/** Frames: who holds them, who reaches them, which are free, and what pins promise. */
import { checkAllocator } from '../frame-allocator.ts';
import type { Kernel, Pin } from '../kernel.ts';
import { frameOfPte, PTE_WRITE, rightsOfPte } from '../pte.ts';
import { hex, pfn, vaddrOf, type Pfn } from '../units.ts';
import type { Survey } from './survey.ts';
import { firstOverEntries, type Violation } from './violation.ts';

export function refcountExact(k: Kernel, survey: Survey): Violation | undefined {
  const counts = survey.references;
  const { refs } = k.frames;
  for (let frame = 1; frame < counts.length; frame++) {
    if (counts[frame] !== refs[frame])
      return { message: `frame ${hex(frame)} (${k.frames.useOf(pfn(frame))}) counts ${refs[frame]!} references and has ${counts[frame]!}` };
  }
  return undefined;
}

export function freedUnreachable(k: Kernel, survey: Survey): Violation | undefined {
  const counts = survey.references;
  for (let frame = 1; frame < counts.length; frame++) {
    if (counts[frame]! > 0 && k.frames.isUnused(pfn(frame)))
      return { message: `frame ${hex(frame)} is free but has ${counts[frame]!} references: ${whoReaches(k, pfn(frame))}` };
  }
  let violation: Violation | undefined;
  for (const cpu of k.cpus) {
    cpu.tlb.each((translation) => {
      if (k.frames.isUnused(translation.frame))
        violation ??= {
          message: `cpu ${cpu.id} still translates page ${hex(vaddrOf(translation.vpn))} to frame ${hex(translation.frame)}, which is free`,
          address: vaddrOf(translation.vpn),
        };
    });
  }
  return violation;
}

function whoReaches(k: Kernel, wanted: Pfn): string {
  let who = 'a table, a block or a pin';
  k.cache.eachPage((file, index, { frame }) => {
    if (frame === wanted) who = `page ${index} of ${file.path} in the cache`;
  });
  for (const space of k.spaces) {
    k.tables.eachEntry(space.root, (page, entry) => {
      if (frameOfPte(entry) === wanted) who = `pid ${space.pid} at ${hex(vaddrOf(page))}`;
    });
  }
  return who;
}

export function allocWellformed(k: Kernel): Violation | undefined {
  const message = checkAllocator(k.frames, k.allocator);
  return message === undefined ? undefined : { message };
}

export function freshZero(k: Kernel): Violation | undefined {
  const dirty = k.allocator.pools()[1].find((frame) => !k.memory.isZero(frame));
  return dirty === undefined ? undefined : { message: `frame ${hex(dirty)} lies in the zeroed pool and is not zero` };
}

export function pinCoherent(k: Kernel): Violation | undefined {
  for (const pin of k.pins.values()) {
    if (!pin.writable) {
      const violation = whoWritesUnder(k, pin);
      if (violation !== undefined) return violation;
      continue;
    }
    if (pin.page === undefined) continue;
    const entry = k.tables.entryOf(pin.space.root, pin.page);
    if (entry === 0 || frameOfPte(entry) === pin.frame) continue;
    return {
      message: `pin ${pin.id} holds frame ${hex(pin.frame)}, but page ${hex(vaddrOf(pin.page))} maps frame ${hex(frameOfPte(entry))}`,
      pid: pin.space.pid,
      address: vaddrOf(pin.page),
    };
  }
  return undefined;
}

/** An entry of another space that can write a frame which a pin reads; shared mappings may. */
function whoWritesUnder(k: Kernel, pin: Pin): Violation | undefined {
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    const first = frameOfPte(entry);
    const isOther = space !== pin.space && first <= pin.frame && pin.frame < first + (isHuge ? k.parameters.hugePages : 1);
    if (!isOther || (rightsOfPte(entry) & PTE_WRITE) === 0) return undefined;
    const address = vaddrOf(page + pin.frame - first);
    if (space.vmas.onPage(address).some((vma) => vma.shared)) return undefined;
    return `page ${hex(address)} can write frame ${hex(pin.frame)}, which pin ${pin.id} of pid ${pin.space.pid} reads`;
  });
}
