/** The terminal against a pseudo-terminal of the machine that runs the test, which Python opens. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { ECHO, freshTermios, ICANON, ISIG, IUTF8 } from '../../../sim/linux/termios.ts';
import { Tty } from '../../../sim/linux/tty.ts';
import { runs } from '../../helpers/seed.ts';

/** What is typed, with which flags of lflag and iflag switched off. */
interface Typing {
  readonly lflagOff: number;
  readonly iflagOff: number;
  readonly bytes: readonly number[];
}

interface Seen {
  /** What each read gave. */
  readonly reads: readonly (readonly number[])[];
  /** What the terminal printed. */
  readonly shown: readonly number[];
}

/** Types at a fresh pty; termios and pty are of Python's standard library. */
const HOST = `
import json, os, pty, select, sys, termios, time
answers = []
for case in json.load(sys.stdin):
    master, slave = pty.openpty()
    t = termios.tcgetattr(slave)
    t[0] = (t[0] | 0o40000) & ~case['iflagOff']
    t[3] &= ~case['lflagOff']
    termios.tcsetattr(slave, termios.TCSANOW, t)
    os.write(master, bytes(case['bytes']))
    time.sleep(0.004)
    os.set_blocking(slave, False)
    os.set_blocking(master, False)
    reads, shown = [], b''
    for _ in range(64):
        try: reads.append(list(os.read(slave, 4096)))
        except BlockingIOError: break
    try: shown = os.read(master, 65536)
    except BlockingIOError: pass
    answers.append({'reads': reads, 'shown': list(shown)})
    os.close(slave); os.close(master)
print(json.dumps(answers))
`;

function onOurs({ lflagOff, iflagOff, bytes }: Typing): Seen {
  const shown: number[] = [];
  const ignore = (): void => undefined;
  const tty = new Tty({ rows: 24, columns: 80 }, (some) => void shown.push(...some), ignore);
  const fresh = freshTermios();
  tty.set({ ...fresh, iflag: fresh.iflag & ~iflagOff, lflag: fresh.lflag & ~lflagOff });
  tty.type(Uint8Array.from(bytes));
  const reads: number[][] = [];
  for (let i = 0; i < 64; i++) {
    const line = tty.read(0, 4096);
    if (typeof line === 'string') break;
    reads.push([...line]);
  }
  return { reads, shown };
}

/** Letters, blanks and marks, a character of two bytes, Enter, and the keys that edit a line (erase, kill, word erase, end of file). */
const key = fc.constantFrom<number[]>([97], [98], [95], [32], [46], [1], [0xc3, 0xa9], [13], [10], [127], [127], [21], [23], [4]);
const typing: fc.Arbitrary<Typing> = fc.record({
  lflagOff: fc.constantFrom(0, 0, 0, ECHO, ICANON, ICANON | ECHO),
  iflagOff: fc.constantFrom(0, IUTF8),
  bytes: fc.array(key, { maxLength: 30 }).map((keys) => keys.flat()),
});

const text = (bytes: Uint8Array | string): string => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes));

describe('terminal', () => {
  it('edits, echoes and gives out lines as the pseudo-terminals of this machine do', function () {
    const cases = fc.sample(typing, runs(200));
    const { status, stdout } = spawnSync('python3', ['-c', HOST], { input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (process.platform !== 'linux' || status !== 0) {
      console.log('skipped: needs Linux with Python (apt-get install python3)');
      this.skip();
    }
    const answers = JSON.parse(stdout) as readonly Seen[];
    cases.forEach((one, i) => {
      expect(onOurs(one), JSON.stringify(one)).to.deep.equal(answers[i]);
    });
  });

  it('makes signals of interrupt keys, and forgets what was typed', () => {
    const signals: string[] = [];
    let shown = '';
    const tty = new Tty(
      { rows: 24, columns: 80 },
      (bytes) => (shown += text(bytes)),
      (signal) => void signals.push(signal),
    );
    tty.type(Uint8Array.of(97, 3, 98, 26, 28, 99, 10));
    expect(signals).to.deep.equal(['SIGINT', 'SIGTSTP', 'SIGQUIT']);
    expect(text(tty.read(0, 100))).to.equal('c\n');
    expect(shown).to.equal('a^Cb^Z^\\c\r\n');
    tty.set({ ...tty.termios, lflag: tty.termios.lflag & ~ISIG });
    tty.type(Uint8Array.of(3, 10));
    expect([signals.length, text(tty.read(0, 100))]).to.deep.equal([3, '\x03\n']);
  });

  it('gives a long line in pieces', () => {
    const tty = new Tty(
      { rows: 24, columns: 80 },
      () => undefined,
      () => undefined,
    );
    tty.type(new TextEncoder().encode('hello\n'));
    expect([2, 2, 9].map((length) => text(tty.read(0, length)))).to.deep.equal(['he', 'll', 'o\n']);
    expect(tty.read(0, 1)).to.equal('EAGAIN');
  });
});
