/** The ops of a trace that is being made, in order. */
import { floorToPage, PAGE_BYTES } from '../../kernel-model/index.ts';
import type { Op, OpOf } from '../op.ts';

export class OpList {
  private readonly ops: Op[] = [];

  get length(): number {
    return this.ops.length;
  }

  get all(): readonly Op[] {
    return this.ops;
  }

  push(op: Op): void {
    this.ops.push(op);
  }

  /** The same as one touch more; it lengthens the last op by this page, if that is a touch that this one continues. */
  pushJoined({ pid, addr, access }: Pick<OpOf<'touch'>, 'pid' | 'addr' | 'access'>): void {
    const last = this.ops.at(-1);
    const isAlike = last?.op === 'touch' && last.pid === pid && last.access === access && last.result === undefined;
    const isNext = isAlike && last.addr === floorToPage(last.addr) && addr === last.addr + (last.pages ?? 1) * PAGE_BYTES;
    if (isNext) this.ops[this.ops.length - 1] = { ...last, pages: (last.pages ?? 1) + 1 };
    else this.push({ pid, op: 'touch', addr, access });
  }
}
