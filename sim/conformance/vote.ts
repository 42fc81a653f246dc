/**
 * Three voices on a sequence: a real kernel, the model, and the reference reader, which knows neither. Who stands alone is named.
 *
 * The reference has no opinion where a kernel may choose (addresses, presence, fault counts): there it sides with both.
 */
import type { Recording } from '../../traces/sequences/sequence.ts';
import { auditRecording } from './audit.ts';
import type { Difference } from './compare.ts';

/** `nobody`: all three differ, or the reference has no opinion. */
export type Odd = 'kernel' | 'model' | 'reference' | 'nobody';

export interface Dissent {
  readonly odd: Odd;
  readonly difference: Difference;
}

const isSamePlace = (one: Difference, other: Difference): boolean => one.index === other.index && one.field === other.field;

/**
 * @param differences - where the kernel's recording and the model's differ, `expected` the kernel's
 * @returns those, and what the reference says against both, each with who is odd
 */
export function vote(real: Recording, model: Recording, differences: readonly Difference[]): Dissent[] {
  const [againstReal, againstModel] = [auditRecording(real), auditRecording(model)];
  const dissents = differences.map((difference): Dissent => {
    const isAgainst = (audit: readonly Difference[]): boolean => audit.some((one) => isSamePlace(one, difference));
    return { odd: oddOne(isAgainst(againstReal), isAgainst(againstModel)), difference };
  });
  // Where the two kernels agree and the reference contradicts both, it stands alone. What follows its first contradiction is consequence.
  const alone = againstReal.find(
    (one) => againstModel.some((other) => isSamePlace(one, other)) && !differences.some((other) => isSamePlace(one, other)),
  );
  return alone === undefined ? dissents : [...dissents, { odd: 'reference', difference: alone }];
}

function oddOne(contradictsKernel: boolean, contradictsModel: boolean): Odd {
  if (contradictsKernel === contradictsModel) return 'nobody';
  return contradictsKernel ? 'kernel' : 'model';
}
