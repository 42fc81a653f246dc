/** The one digester of this package: WebAssembly that is loaded once, when the package is. */
import { createDigester } from '../sim/digest.ts';

export const digester = await createDigester();
