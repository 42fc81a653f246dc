/**
 * The first bytes of the stack of a program on Linux (create_elf_tables and copy_strings of Linux 6.18).
 *
 *     from the top:  8 zero bytes | path | envp strings | argv strings | to 16 | platform | 16 random bytes | to 16
 *                    | auxv | envp | argv | argc  <- stack pointer
 */
import { AT } from '../auxv.ts';
import { MACHINE_X86_64, type Image } from '../elf.ts';
import type { ExecPlan, ExecRequest } from '../exec-request.ts';
import { floorTo, floorToPage, vaddr, PAGE_BYTES } from '../units.ts';

/** Where the things lie that the auxiliary vector tells of. */
export interface StackRequest {
  readonly stackTop: number;
  readonly stackBytes: number;
  readonly bias: number;
  readonly interpreterBias: number;
  readonly vdso: number;
}

/** Bytes that stay zero at the very top. */
const TOP_BYTES = 8;
const RANDOM_BYTES = 16;
const ALIGNMENT = 16;

/** What AT_PLATFORM names; other machines have none. */
const platformOf = ({ machine }: Image): string | undefined => (machine === MACHINE_X86_64 ? 'x86_64' : undefined);

/** @returns undefined if the strings leave no room for the vectors */
export function layOutStack(request: ExecRequest, place: StackRequest): Pick<ExecPlan, 'stackPointer' | 'stackPages'> | undefined {
  const { program, argv, env } = request;
  const { stackTop, stackBytes } = place;
  const strings = [...argv, ...env, program.file.path].map((text) => new TextEncoder().encode(text + '\0'));
  const length = strings.reduce((sum, text) => sum + text.length, 0);
  let at = stackTop - TOP_BYTES - length;
  const lowest = at;
  const pointers = strings.map((text) => (at += text.length) - text.length);
  const platform = new TextEncoder().encode(platformOf(program.image) === undefined ? '' : `${platformOf(program.image)!}\0`);
  const platformAt = floorTo(lowest, ALIGNMENT) - platform.length;
  const randomAt = platformAt - RANDOM_BYTES;
  const pathAt = pointers.at(-1)!;
  const words = [
    argv.length,
    ...pointers.slice(0, argv.length),
    0,
    ...pointers.slice(argv.length, -1),
    0,
    ...auxiliaryVector(request, { ...place, randomAt, pathAt, platformAt: platform.length === 0 ? undefined : platformAt }),
  ];
  const stackPointer = floorTo(randomAt - words.length * 8, ALIGNMENT);
  const start = floorToPage(stackPointer);
  if (start < stackTop - stackBytes) return undefined;

  const bytes = new Uint8Array(stackTop - start);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setBigUint64(stackPointer - start + i * 8, BigInt(word), true);
  });
  bytes.set(request.random, randomAt - start);
  bytes.set(platform, platformAt - start);
  strings.forEach((text, i) => {
    bytes.set(text, pointers[i]! - start);
  });
  const stackPages = Array.from({ length: bytes.length / PAGE_BYTES }, (_, i) => ({
    address: vaddr(start + i * PAGE_BYTES),
    bytes: bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES),
  }));
  return { stackPointer: vaddr(stackPointer), stackPages };
}

interface Told extends StackRequest {
  readonly randomAt: number;
  readonly pathAt: number;
  readonly platformAt: number | undefined;
}

/** In the kernel's order. Capabilities of the processor are none that a program could rely on. */
function auxiliaryVector({ program, interpreter }: ExecRequest, told: Told): readonly number[] {
  const { image } = program;
  const { bias, interpreterBias } = told;
  const entries: (readonly [key: number, value: number])[] = [
    [AT.SYSINFO_EHDR, told.vdso],
    [AT.HWCAP, 0],
    [AT.PAGESZ, PAGE_BYTES],
    [AT.CLKTCK, 100],
    [AT.PHDR, bias + addressOfHeaders(image)],
    [AT.PHENT, image.phentsize],
    [AT.PHNUM, image.phnum],
    [AT.BASE, interpreter === undefined ? 0 : interpreterBias],
    [AT.FLAGS, 0],
    [AT.ENTRY, bias + image.entry],
    ...[AT.UID, AT.EUID, AT.GID, AT.EGID, AT.SECURE].map((key) => [key, 0] as const),
    [AT.RANDOM, told.randomAt],
    [AT.HWCAP2, 0],
    [AT.EXECFN, told.pathAt],
  ];
  if (told.platformAt !== undefined) entries.push([AT.PLATFORM, told.platformAt]);
  return [...entries, [0, 0]].flat();
}

/** Where the program headers are in memory: in the segment that has them; else as if the file began at address 0. */
function addressOfHeaders({ segments, phoff }: Image): number {
  const holder = segments.find(({ offset, fileBytes }) => offset <= phoff && phoff < offset + fileBytes);
  return holder === undefined ? phoff : phoff - holder.offset + holder.vaddr;
}
