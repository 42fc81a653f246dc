/**
 * Units of the memory model: numbers that the compiler keeps apart.
 *
 * A page number is not an address, and a frame is not a page. Each unit is a plain number at run time and a type of
 * its own at compile time; this file is the only one that casts. User addresses stay below 2^47, so a double holds
 * every one of them exactly. `<<`, `|` and `&` cut to 32 bits: fine for PTE bits and page offsets, never for addresses.
 */

type Unit<Name extends string> = number & { readonly unit: Name };

/** Virtual address, in bytes. */
export type Vaddr = Unit<'vaddr'>;
/** Virtual page number: a virtual address without its page offset. */
export type Vpn = Unit<'vpn'>;
/** Physical frame number, counted from 0; frame 0 belongs to the kernel and is never mapped. */
export type Pfn = Unit<'pfn'>;
/** Address-space identifier, as tagged in the TLB (x86 calls it PCID). */
export type Asid = Unit<'asid'>;
/** CPU number, counted from 0. */
export type CpuId = Unit<'cpu'>;
/** Process id, as the program sees it. */
export type Pid = Unit<'pid'>;

export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
/** First address that no program can have. */
export const USER_END = 2 ** 47;

export const vaddr = (bytes: number): Vaddr => bytes as Vaddr;
export const vpn = (index: number): Vpn => index as Vpn;
export const pfn = (index: number): Pfn => index as Pfn;
export const asid = (index: number): Asid => index as Asid;
export const cpuId = (index: number): CpuId => index as CpuId;
export const pid = (id: number): Pid => id as Pid;

/** The page that holds `address`. */
export const vpnOf = (address: number): Vpn => Math.floor(address / PAGE_BYTES) as Vpn;
/** The first address of `page`. */
export const vaddrOf = (page: number): Vaddr => (page * PAGE_BYTES) as Vaddr;
/** Bytes from the start of the page to `address`, 0 to 4095. */
export const pageOffset = (address: number): number => address % PAGE_BYTES;
export const floorToPage = (address: number): Vaddr => (address - (address % PAGE_BYTES)) as Vaddr;
export const ceilToPage = (address: number): Vaddr => (Math.ceil(address / PAGE_BYTES) * PAGE_BYTES) as Vaddr;
export const isPageAligned = (address: number): boolean => address % PAGE_BYTES === 0;
/** Rounds down to a multiple of `unit`, which need not be a power of two. */
export const floorTo = (value: number, unit: number): number => value - (value % unit);
export const ceilTo = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** The form in which addresses are printed everywhere: lowercase hex. */
export const hex = (value: number): string => '0x' + value.toString(16);
