/**
 * A terminal: the N_TTY line discipline between bytes typed by the host and the programs of its session.
 *
 * Canonical mode edits lines and gives them out one by one; raw mode gives every byte. Interrupt characters become signals to
 * the foreground process group. Without a host program at the other end nothing is lost: unread bytes wait (4096 of a line).
 * Left out: tabs count as one column when they are erased, flow control (^S, ^Q), VLNEXT, VREPRINT, VTIME between bytes (a read with VMIN 0 returns at once).
 *
 * @see termios(3); Linux drivers/tty/n_tty.c
 */
import type { Errno } from './errno.ts';
import { POLLIN, POLLOUT, type Stream } from './fs/stream.ts';
import * as t from './termios.ts';

const NEWLINE = 10;
const RETURN = 13;
const DISABLED = 0;
const LINE_BYTES_MAX = 4096;

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

export class Tty implements Stream {
  readonly seekable = false;
  termios = t.freshTermios();
  size: WindowSize;
  /** Session whose controlling terminal this is, and the process group that may read; 0 for none. */
  session = 0;
  foreground = 0;
  /** Lines that are complete; an empty one is an end of file. */
  private lines: Uint8Array[] = [];
  /** The line that is being typed, or in raw mode everything unread. */
  private typed: number[] = [];
  private readonly show: (bytes: Uint8Array) => void;
  private readonly interrupt: (signal: 'SIGINT' | 'SIGQUIT' | 'SIGTSTP') => void;

  /** @param show - gets what the terminal prints; @param interrupt - sends a signal to the foreground process group */
  constructor(size: WindowSize, show: Tty['show'], interrupt: Tty['interrupt']) {
    this.size = size;
    this.show = show;
    this.interrupt = interrupt;
  }

  // ---- The programs' side.

  read(_offset: number, lengthBytes: number): Uint8Array | Errno {
    if (lengthBytes === 0) return new Uint8Array(0);
    if ((this.termios.lflag & t.ICANON) === 0) return this.readRaw(lengthBytes);
    const line = this.lines[0];
    if (line === undefined) return 'EAGAIN';
    if (line.length > lengthBytes) this.lines[0] = line.subarray(lengthBytes);
    else this.lines.shift();
    return line.slice(0, lengthBytes);
  }

  write(_offset: number, bytes: Uint8Array): number {
    this.print(bytes);
    return bytes.length;
  }

  poll(): number {
    return (this.readableBytes() > 0 || this.lines.length > 0 ? POLLIN : 0) | POLLOUT;
  }

  /** What FIONREAD answers. */
  readableBytes(): number {
    const waiting = this.lines.reduce((sum, line) => sum + line.length, 0);
    return (this.termios.lflag & t.ICANON) !== 0 ? waiting : waiting + this.typed.length;
  }

  /** New settings. What was typed in raw mode and not read is one line when lines begin to count, as in n_tty_set_termios. */
  set(termios: t.Termios): void {
    const unread = [...this.lines.flatMap((line) => [...line]), ...this.typed];
    if (((this.termios.lflag ^ termios.lflag) & t.ICANON) !== 0) {
      const isLine = (termios.lflag & t.ICANON) !== 0 && unread.length > 0;
      this.lines = isLine ? [Uint8Array.from(unread)] : [];
      this.typed = isLine ? [] : unread;
    }
    this.termios = termios;
  }

  /** Throws away what was typed and not read. */
  flushInput(): void {
    this.lines = [];
    this.typed = [];
  }

  private readRaw(lengthBytes: number): Uint8Array | Errno {
    const bytes = Uint8Array.from([...this.lines.flatMap((line) => [...line]), ...this.typed]);
    if (bytes.length < Math.min(lengthBytes, this.termios.cc[t.CC.MIN]!)) return 'EAGAIN';
    this.lines = [];
    this.typed = [...bytes.subarray(lengthBytes)];
    return bytes.slice(0, lengthBytes);
  }

  private print(bytes: Uint8Array): void {
    if ((this.termios.oflag & t.OPOST) === 0 || (this.termios.oflag & t.ONLCR) === 0) this.show(bytes.slice());
    else this.show(Uint8Array.from([...bytes].flatMap((byte) => (byte === NEWLINE ? [RETURN, NEWLINE] : [byte]))));
  }

  // ---- The host's side.

  /** Bytes arrive from the keyboard. */
  type(bytes: Uint8Array): void {
    for (const byte of bytes) this.typeByte(byte);
  }

  private typeByte(raw: number): void {
    const { iflag, lflag, cc } = this.termios;
    if (raw === RETURN && (iflag & t.IGNCR) !== 0) return;
    const byte = raw === RETURN && (iflag & t.ICRNL) !== 0 ? NEWLINE : raw === NEWLINE && (iflag & t.INLCR) !== 0 ? RETURN : raw;
    const is = (place: number): boolean => cc[place] !== DISABLED && cc[place] === byte;
    if ((lflag & t.ISIG) !== 0) {
      for (const [place, signal] of INTERRUPTS) if (is(place)) return void this.interruptBy(byte, signal);
    }
    if ((lflag & t.ICANON) === 0) {
      this.typed.push(byte);
      this.echo(byte, raw === RETURN);
    } else if (is(t.CC.EOF)) this.endLine();
    else if (is(t.CC.ERASE)) this.erase();
    else if (is(t.CC.KILL)) while (this.typed.length > 0) this.erase();
    else if (is(t.CC.WERASE)) this.eraseWord();
    else if (byte === NEWLINE || is(t.CC.EOL) || is(t.CC.EOL2)) {
      this.typed.push(byte);
      this.echo(byte);
      this.endLine();
    } else if (this.typed.length < LINE_BYTES_MAX - 1) {
      this.typed.push(byte);
      this.echo(byte);
    }
  }

  private interruptBy(byte: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGTSTP'): void {
    this.echo(byte);
    if ((this.termios.lflag & t.NOFLSH) === 0) this.flushInput();
    this.interrupt(signal);
  }

  private endLine(): void {
    this.lines.push(Uint8Array.from(this.typed));
    this.typed = [];
  }

  /** Where the last character of the typed line begins; with IUTF8 that is not at a continuation byte. */
  private lastStart(): number {
    let at = this.typed.length - 1;
    if ((this.termios.iflag & t.IUTF8) !== 0) while (at > 0 && (this.typed[at]! & 0xc0) === 0x80) at--;
    return at;
  }

  /** Takes the last character away, if there is one, from the line and from the screen. */
  private erase(): void {
    if (this.typed.length === 0) return;
    const { lflag } = this.termios;
    const [byte] = this.typed.splice(this.lastStart());
    if ((lflag & t.ECHO) === 0 || (lflag & t.ECHOE) === 0) return;
    const columns = isControl(byte!) && (lflag & t.ECHOCTL) !== 0 ? 2 : 1;
    for (let column = 0; column < columns; column++) this.print(Uint8Array.of(8, 32, 8));
  }

  private eraseWord(): void {
    let isInWord = false;
    while (this.typed.length > 0) {
      const isWord = isWordByte(this.typed[this.lastStart()]!);
      if (isInWord && !isWord) return;
      isInWord ||= isWord;
      this.erase();
    }
  }

  /** @param isReturn - a newline that was Return: in raw mode only that one is shown as a new line */
  private echo(byte: number, isReturn = false): void {
    const { lflag } = this.termios;
    const isLineEnd = byte === NEWLINE && (isReturn || (lflag & t.ICANON) !== 0);
    if ((lflag & t.ECHO) === 0) {
      if (isLineEnd && (lflag & t.ECHONL) !== 0) this.print(Uint8Array.of(NEWLINE));
    } else if (isControl(byte) && !isLineEnd && (lflag & t.ECHOCTL) !== 0) this.print(Uint8Array.of(94, byte ^ 64));
    else this.print(Uint8Array.of(byte));
  }
}

/** Letters, digits, underscore: what VWERASE takes for a word. To Linux bytes from 0xc0 on are letters of Latin-1. */
const isWordByte = (byte: number): boolean =>
  byte < 128 ? /\w/.test(String.fromCharCode(byte)) : byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7;

const isControl = (byte: number): boolean => (byte < 32 && byte !== 9) || byte === 127;

const INTERRUPTS = [
  [t.CC.INTR, 'SIGINT'],
  [t.CC.QUIT, 'SIGQUIT'],
  [t.CC.SUSP, 'SIGTSTP'],
] as const;
