/** Compares lists of VMAs as what they are to a program: a map from address to what is there. */
import { describeVma, type Vma } from '../../kernel-model/index.ts';

/** Two VMAs, each in one line, that should be equal; undefined where a list has ended. */
export interface VmaDifference {
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** The first difference between two ascending lists, or undefined. Where VMAs are split makes none. */
export function vmaDifference(expected: readonly Vma[], actual: readonly Vma[]): VmaDifference | undefined {
  const [wanted, found] = [joined(expected), joined(actual)];
  const at = wanted.findIndex((line, i) => line !== found[i]);
  if (at < 0 && found.length === wanted.length) return undefined;
  const i = at < 0 ? wanted.length : at;
  return { expected: wanted[i], actual: found[i] };
}

/** VMAs as lines, neighbours that continue each other joined. */
function joined(vmas: readonly Vma[]): readonly string[] {
  const whole: Vma[] = [];
  for (const vma of vmas) {
    const last = whole.at(-1);
    if (last !== undefined && continues(last, vma)) whole[whole.length - 1] = { ...last, end: vma.end };
    else whole.push(vma);
  }
  return whole.map((vma) => describeVma({ ...vma, role: 'mapping' }));
}

function continues(a: Vma, b: Vma): boolean {
  if (a.end !== b.start || a.prot !== b.prot || a.shared !== b.shared || a.backing?.file.path !== b.backing?.file.path) return false;
  return a.backing === undefined || a.backing.offset + (a.end - a.start) === b.backing!.offset;
}
