/** What an event means, as a clause that can stand behind an op. */
import { EVENT_FIELDS, hex, PAGE_BYTES, type KernelEvent } from '../../kernel-model/index.ts';
import { counted } from '../report.ts';

/** `frame 0x1b enters the page cache as page 283 (0x11b) of /bin/busybox: 496 file bytes, then 3600 zeros`. */
export function phraseOf(event: KernelEvent): string {
  switch (event.type) {
    case 'page_fault':
      return event.resolved
        ? `pid ${event.pid} faults at ${hex(event.vaddr)}, in the VMA ${rangeText(event.vma_start, event.vma_end)}`
        : `pid ${event.pid} faults at ${hex(event.vaddr)}, and there is no VMA`;
    case 'frame_allocated':
      return `${framesText(event.frame, 2 ** event.order)} taken as ${event.use}`;
    case 'frame_freed':
      return `${framesText(event.frame, 2 ** event.order)} freed`;
    case 'page_mapped':
      return mappedPhrase(event.pages, event);
    case 'page_unmapped':
      return `${event.pages === 1 ? 'page' : `${event.pages} pages from`} ${hex(event.vaddr)} of pid ${event.pid} unmapped`;
    case 'protection_changed':
      return `protection of ${event.pages === 1 ? 'page' : `${event.pages} pages from`} ${hex(event.vaddr)} becomes ${event.prot}`;
    case 'cache_insert':
      return `frame ${hex(event.frame)} enters the page cache as ${filePage(event)}: ${bytesText(event.bytes)}`;
    case 'cache_hit':
      return `pid ${event.pid} gets frame ${hex(event.frame)} from the page cache, as ${filePage(event)}`;
    case 'cache_evict':
      return `${filePage(event)} leaves the page cache, frame ${hex(event.frame)}`;
    case 'write_back':
      return `${counted(event.bytes, 'byte')} of ${filePage(event)} written back${event.error === undefined ? '' : `: ${event.error}`}`;
    case 'file_resized':
      return `${event.path} goes from ${event.from} to ${counted(event.to, 'byte')}`;
    case 'short_read':
      return `the store gives ${event.got} of ${counted(event.wanted, 'byte')} of ${event.path} at ${hex(event.offset)}`;
    case 'assembly_begin':
      return `${counted(event.cached, 'page')} of the region ${hex(event.huge_base)} cached, the threshold is ${event.threshold}: exec assembles a huge page`;
    case 'assembly_page':
      return assemblyPhrase(event);
    case 'huge_cache_hit':
      return `the huge page assembled before for ${hex(event.huge_base)} is taken again, frame ${hex(event.frame)}`;
    case 'huge_split':
      return `the huge leaf at ${hex(event.huge_base)} split into pages`;
    case 'cow_copy':
      return `a write by pid ${event.pid} at ${hex(event.vaddr)} copies frame ${hex(event.from)}, held ${event.refs} times, to ${hex(event.to)}`;
    case 'cow_reuse':
      return `a write by pid ${event.pid} at ${hex(event.vaddr)} takes frame ${hex(event.frame)} over`;
    case 'double_free':
      return `frame ${hex(event.frame)} freed a second time`;
    case 'refcount_refused':
      return `a reference to frame ${hex(event.frame)} refused at ${event.refs}`;
    case 'refcount_underflow':
      return `the count of frame ${hex(event.frame)} falls below 0`;
    default:
      return `${event.type} ${EVENT_FIELDS[event.type].map(([name]) => `${name} ${String((event as unknown as Record<string, unknown>)[name])}`).join(', ')}`;
  }
}

function mappedPhrase(
  pages: number,
  event: { readonly vaddr: number; readonly pid: number; readonly frame: number; readonly prot: string; readonly why: string },
): string {
  const { vaddr, pid, frame, prot, why } = event;
  const what =
    pages === 1
      ? `frame ${hex(frame)} mapped at ${hex(vaddr)}`
      : `${pages} frames from ${hex(frame)} mapped by one huge leaf at ${hex(vaddr)}`;
  return `${what} of pid ${pid}, ${prot} (${why})`;
}

function assemblyPhrase(event: Extract<KernelEvent, { readonly type: 'assembly_page' }>): string {
  const { huge_base, sub_page, source, file_offset, start, end } = event;
  const index = Math.floor(file_offset / PAGE_BYTES);
  const where = `sub-page ${sub_page} (${hex(huge_base + sub_page * PAGE_BYTES)})`;
  const from = source === 'file' ? `read from the file at ${hex(file_offset)}` : `copied from the cached page ${index} (${hex(index)})`;
  return `${where}: bytes ${start} to ${end} ${from}`;
}

const filePage = ({ path, index }: { readonly path: string; readonly index: number }): string => `page ${index} (${hex(index)}) of ${path}`;
const framesText = (frame: number, count: number): string =>
  count === 1 ? `frame ${hex(frame)} is` : `frames ${hex(frame)} to ${hex(frame + count - 1)} are`;
const rangeText = (start: number | undefined, end: number | undefined): string =>
  start === undefined || end === undefined ? '' : `${hex(start)}-${hex(end)}`;
const bytesText = (bytes: number): string =>
  bytes >= PAGE_BYTES ? 'all of it' : `${counted(bytes, 'file byte')}, then ${counted(PAGE_BYTES - bytes, 'zero')}`;
