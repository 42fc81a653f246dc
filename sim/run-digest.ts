/**
 * The digest chain of a run: every op's answer and every event, in order.
 *
 * Two runs are the same run as far as their chains agree; reading the digest after each op finds the first op in which
 * they part. Loads and stores show in the state, so they need no place here. At the end the state's own digest is put on top.
 */
import { EVENT_FIELDS, digestParts, type Kernel, type KernelEvent } from '../kernel-model/index.ts';
import type { Op } from '../traces/op.ts';
import type { Digester, Hasher } from './digest.ts';
import type { Watcher } from './watcher.ts';
import type { Result } from './trace-hart.ts';

const TYPE_NUMBERS = new Map(Object.keys(EVENT_FIELDS).map((type, i) => [type, i]));

export class RunDigest implements Watcher {
  private readonly digester: Digester;
  private readonly hasher: Hasher;

  constructor(digester: Digester) {
    this.digester = digester;
    this.hasher = digester.create();
  }

  event(event: KernelEvent): void {
    this.hasher.u32(TYPE_NUMBERS.get(event.type)!);
    this.writeFields(EVENT_FIELDS[event.type], event);
  }

  after(_op: Op, index: number, result: Result): void {
    this.hasher.u32(index);
    if (typeof result === 'number') this.hasher.f64(result);
    else this.hasher.text(result);
  }

  /** The chain so far, 16 hex digits. */
  soFar(): string {
    return this.hasher.digest();
  }

  /** The chain and the state's digest in one. */
  withState(kernel: Kernel): string {
    const all = this.digester.create();
    all.text(this.soFar());
    for (const [part, digest] of Object.entries(digestParts(kernel, () => this.digester.create()))) all.text(`${part} ${digest}`);
    return all.digest();
  }

  private writeFields(fields: readonly (readonly [string, unknown])[], record: object): void {
    for (const [name, form] of fields) {
      const value = (record as Readonly<Record<string, unknown>>)[name];
      if (typeof value === 'number') this.hasher.f64(value);
      else if (typeof value === 'string') this.hasher.text(value);
      else if (Array.isArray(value))
        for (const row of value) this.writeFields(form as readonly (readonly [string, unknown])[], row as object);
      else this.hasher.u32(value === true ? 1 : 0);
    }
  }
}
