/**
 * Records a live run as a trace, which replays with nothing but itself.
 *
 * A watcher: it writes down every op with its answer, and between two ops of a process the first access of each kind to each
 * page, at the very byte. An access that faults is written down however often its page was, because it changed the kernel.
 * Programs are listed with their digest and their segments and replay with made-up bytes of the same layout: a kernel decides
 * by layout, not by content. What is left out: the bytes that programs and calls wrote.
 */
import {
  DEFAULT_PARAMETERS,
  floorToPage,
  PAGE_BYTES,
  parseElf,
  type Access,
  type Image,
  type Kernel,
  type KernelEvent,
  type Process,
  type Refusal,
} from '../kernel-model/index.ts';
import { TOUCH_PAGES_MAX } from '../traces/field.ts';
import type { Trace } from '../traces/codec.ts';
import type { FileSpec, KernelSpec, SegmentSpec } from '../traces/header.ts';
import type { Op, OpOf } from '../traces/op.ts';
import type { Result } from './trace-hart.ts';
import type { Watcher } from './watcher.ts';

const KINDS: Readonly<Record<Access, OpOf<'touch'>['access']>> = { load: 'r', store: 'w', fetch: 'x' };
const KIND_NUMBERS: Readonly<Record<Access, number>> = { load: 0, store: 1, fetch: 2 };
const FLAGS: readonly SegmentSpec['flags'][] = ['none', 'x', 'w', 'wx', 'r', 'rx', 'rw', 'rwx'];
/** Ops whose answer is a fact of the run; a mark and a pin have none. */
const WITHOUT_RESULT: ReadonlySet<Op['op']> = new Set(['mark', 'switchCpu', 'inject', 'unpin', 'wait', 'exit']);

export class Recorder implements Watcher {
  private readonly ops: Op[] = [];
  private readonly programs: { readonly path: string; readonly bytes: Uint8Array }[] = [];
  /** By process: pages touched since its last op, each with its kind. */
  private readonly seen = new Map<number, Set<number>>();
  private inOp = false;
  /** A fault since the last access: the next one that is reported has caused it. */
  private hasFaulted = false;

  program(path: string, bytes: Uint8Array): void {
    this.programs.push({ path, bytes });
  }

  before(): void {
    this.inOp = true;
  }

  after(op: Op, _index: number, result: Result): void {
    this.inOp = this.hasFaulted = false;
    this.seen.get(op.pid)?.clear();
    if (op.op === 'exit') this.seen.delete(op.pid);
    this.ops.push(WITHOUT_RESULT.has(op.op) ? op : { ...op, result });
  }

  event({ type }: KernelEvent): void {
    if (type === 'page_fault' && !this.inOp) this.hasFaulted = true;
  }

  touch({ pid }: Process, address: number, access: Access, refusal?: Refusal): void {
    const pages = this.seen.get(pid) ?? new Set();
    this.seen.set(pid, pages);
    const page = floorToPage(address) * 4 + KIND_NUMBERS[access];
    if (pages.has(page) && !this.hasFaulted && refusal === undefined) return;
    this.hasFaulted = false;
    pages.add(page);
    this.note(pid, address, KINDS[access], refusal);
  }

  /**
   * What was recorded, as a whole trace.
   *
   * @param name - of the kernel that ran; its parameters are written down
   * @param digestOf - sha256 in lowercase hex
   */
  trace(name: string, { parameters }: Kernel, digestOf: (bytes: Uint8Array) => string): Trace {
    return {
      header: {
        faultline: 1,
        kernel: { name, ...recordedParameters(parameters) },
        files: this.programs.map(({ path, bytes }) => fileOf(path, bytes, digestOf(bytes))),
      },
      ops: [...this.ops],
    };
  }

  /** Writes an access down; one of the page that follows the last one, at its first byte, becomes part of it. */
  private note(pid: number, addr: number, access: OpOf<'touch'>['access'], refusal: Refusal | undefined): void {
    const last = this.ops.at(-1);
    if (refusal === undefined && last?.op === 'touch' && last.pid === pid && last.access === access && last.result === undefined) {
      const pages = last.pages ?? 1;
      if (addr === floorToPage(last.addr) + pages * PAGE_BYTES && pages < TOUCH_PAGES_MAX) {
        this.ops[this.ops.length - 1] = { ...last, pages: pages + 1 };
        return;
      }
    }
    this.ops.push({ pid, op: 'touch', addr, access, ...(refusal === undefined ? {} : { result: refusal }) });
  }
}

/** Parameters that a header has besides the usual three, written down where they are not the default. */
const RARE = [
  ...(['profile', 'hugePages', 'faultAroundPages', 'prefaultPagesMax', 'refcountMax', 'asids', 'singlesMax', 'zeroedMax'] as const),
  ...(['tlbEntries', 'faultsMax'] as const),
];

function recordedParameters(parameters: Kernel['parameters']): Omit<KernelSpec, 'name'> {
  const { assembleThreshold, frames, cpus } = parameters;
  const rare = RARE.filter((name) => parameters[name] !== DEFAULT_PARAMETERS[name]);
  return { assembleThreshold, frames, cpus, ...Object.fromEntries(rare.map((name) => [name, parameters[name]])) };
}

/** A program as a trace lists it: made-up bytes in its layout. */
function fileOf(path: string, bytes: Uint8Array, sha256: string): FileSpec {
  const image = parseElf(bytes, bytes.length);
  const file = { path, size: bytes.length, immutable: true, content: { seed: sha256 } };
  return 'field' in image ? file : { ...file, ...layoutOf(image, bytes) };
}

function layoutOf({ type, entry, segments, interp }: Image, bytes: Uint8Array): Partial<FileSpec> {
  const name = interp === undefined ? undefined : bytes.subarray(interp.offset, interp.offset + interp.lengthBytes - 1);
  return {
    type,
    entry,
    ...(name === undefined ? {} : { interp: String.fromCharCode(...name) }),
    segments: segments.map(({ vaddr, offset, fileBytes, memoryBytes, flags }) => ({
      vaddr,
      offset,
      filesz: fileBytes,
      memsz: memoryBytes,
      flags: FLAGS[flags]!,
    })),
  };
}
