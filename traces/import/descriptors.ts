/** Which files a process has open, by path, as far as calls tell: what lies behind an mmap of a descriptor. */
import { GENERIC_NUMBERS } from './call-names.ts';
import type { Call } from '../riscv-linux-calls.ts';

const [OPENAT, CLOSE, DUP, DUP3] = ['openat', 'close', 'dup', 'dup3'].map((name) => GENERIC_NUMBERS.get(name)!);

export class Descriptors {
  private readonly paths: Map<number, string>;

  constructor(paths: ReadonlyMap<number, string> = new Map()) {
    this.paths = new Map(paths);
  }

  copy(): Descriptors {
    return new Descriptors(this.paths);
  }

  pathOf(descriptor: number): string | undefined {
    return this.paths.get(descriptor);
  }

  /** A call has returned. */
  note({ nr, args, result }: Call, path: string | undefined): void {
    if (result < 0) return;
    if (nr === OPENAT && path !== undefined) this.paths.set(result, path);
    else if (nr === CLOSE) this.paths.delete(args[0]!);
    else if (nr === DUP || nr === DUP3) {
      const source = this.paths.get(args[0]!);
      if (source === undefined) this.paths.delete(result);
      else this.paths.set(result, source);
    }
  }
}
