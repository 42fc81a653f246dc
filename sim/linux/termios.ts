/**
 * Terminal settings: the kernel's struct termios (36 bytes) and termios2 (44), their flags, and what a terminal has at first.
 *
 *     0 c_iflag  4 c_oflag  8 c_cflag  12 c_lflag  16 c_line  17 c_cc[19]  36 c_ispeed  40 c_ospeed
 *
 * @see Linux include/uapi/asm-generic/termbits.h
 */
export const ICRNL = 0o400;
export const IGNCR = 0o200;
export const INLCR = 0o100;
const IXON = 0o2000;
export const IUTF8 = 0o40000;
export const OPOST = 1;
export const ONLCR = 4;
export const ISIG = 1;
export const ICANON = 2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
const ECHOKE = 0o4000;
const IEXTEN = 0o100000;

/** Places in c_cc. */
export const CC = {
  INTR: 0,
  QUIT: 1,
  ERASE: 2,
  KILL: 3,
  EOF: 4,
  TIME: 5,
  MIN: 6,
  START: 8,
  STOP: 9,
  SUSP: 10,
  EOL: 11,
  WERASE: 14,
  EOL2: 16,
};

export interface Termios {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  line: number;
  readonly cc: Uint8Array;
  /** Baud; only termios2 has them. */
  inputSpeed: number;
  outputSpeed: number;
}

export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
const SPEED = 38400;
const CC_COUNT = 19;
/** 38400 baud, eight bits, receiver on. */
const B38400_CS8_CREAD = 0o277;

/** What Linux gives a fresh terminal (tty_std_termios), and IUTF8, as terminal emulators set it. */
export const freshTermios = (): Termios => ({
  iflag: ICRNL | IXON | IUTF8,
  oflag: OPOST | ONLCR,
  cflag: B38400_CS8_CREAD,
  lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
  line: 0,
  cc: Uint8Array.of(3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0),
  inputSpeed: SPEED,
  outputSpeed: SPEED,
});

/** As termios2, of which termios is the beginning. */
export function encodeTermios({ iflag, oflag, cflag, lflag, line, cc, inputSpeed, outputSpeed }: Termios): Uint8Array {
  const bytes = new Uint8Array(TERMIOS2_BYTES);
  const view = new DataView(bytes.buffer);
  [iflag, oflag, cflag, lflag].forEach((flags, i) => view.setUint32(i * 4, flags, true));
  bytes[16] = line;
  bytes.set(cc, 17);
  view.setUint32(36, inputSpeed, true);
  view.setUint32(40, outputSpeed, true);
  return bytes;
}

/** @param bytes - a termios or a termios2 */
export function decodeTermios(bytes: Uint8Array): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number): number => view.getUint32(offset, true);
  const speed = (offset: number): number => (bytes.length >= TERMIOS2_BYTES ? word(offset) : SPEED);
  return {
    iflag: word(0),
    oflag: word(4),
    cflag: word(8),
    lflag: word(12),
    line: bytes[16]!,
    cc: bytes.slice(17, 17 + CC_COUNT),
    inputSpeed: speed(36),
    outputSpeed: speed(40),
  };
}
