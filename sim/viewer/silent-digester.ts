/** A digester that digests nothing: whoever looks at a run asks for no digest, and hashing every event would cost a third of the time. */
import type { Digester, Hasher } from '../digest.ts';

const SILENT: Hasher = {
  u32: () => undefined,
  f64: () => undefined,
  bytes: () => undefined,
  text: () => undefined,
  digest: () => '',
};

export const SILENT_DIGESTER: Digester = { create: () => SILENT };
