/**
 * Listening to a kernel decide: which of its rules it asks.
 *
 * The listener is one more mixin on top of the kernel's rules. It changes no answer, so the run is the same run.
 */
import type { NamedKernel, Rules } from '../kernel-model/index.ts';

type RuleName = keyof Rules;
type Method = (this: Rules, ...args: readonly unknown[]) => unknown;

/** The same kernel; `hear` is told the name of each of `rules` whenever it is asked. */
export function listenedTo(kernel: NamedKernel, rules: readonly RuleName[], hear: (rule: RuleName) => void): NamedKernel {
  const apply = (base: typeof Rules): typeof Rules => {
    const Listener = class extends base {};
    for (const name of rules) {
      const decide = (base.prototype as unknown as Readonly<Record<RuleName, Method>>)[name];
      const value: Method = function (...args) {
        hear(name);
        return decide.apply(this, [...args]);
      };
      Object.defineProperty(Listener.prototype, name, { value });
    }
    return Listener;
  };
  const listener = { id: 'listener', rule: rules[0]!, says: 'nothing: it listens', source: '', brokenBy: [], apply };
  return { ...kernel, mutants: [...kernel.mutants, listener] };
}
