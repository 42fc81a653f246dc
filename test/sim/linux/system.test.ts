/** The small Linux with BusyBox on it: a person at a terminal, results of a run, crash reports, determinism. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeCall, describeCrash } from '../../../sim/linux/crash-report.ts';
import { standardTree } from '../../../sim/linux/fs/standard-tree.ts';
import { LINUX_DEFAULTS, LinuxSystem, type RunResult } from '../../../sim/linux/system.ts';
import { LiveMachine } from '../../../sim/live.ts';
import { skipUnlessGuest } from '../../helpers/live.ts';

const GUEST = join(import.meta.dirname, '../../../guest/busybox');
const ENVIRONMENT = ['PATH=/bin', 'HOME=/root', 'TERM=linux', 'PS1=$ '];
const INSTRUCTIONS_MAX = 50_000_000;

interface Session {
  readonly system: LinuxSystem;
  /** Types, runs on, and gives what was printed since. */
  type(text: string): string;
  readonly calls: readonly string[];
  result: RunResult | undefined;
}

function session(command: readonly string[], { isTerminal = true, quantum = 100_000 } = {}): Session {
  const { machine, hart } = new LiveMachine({ kernel: 'kevlar', check: 'none' });
  const { applets } = JSON.parse(readFileSync(`${GUEST}.json`, 'utf8')) as { applets: readonly string[] };
  const tree = standardTree({ busybox: readFileSync(GUEST), applets, hostname: 'faultline', time: LINUX_DEFAULTS.bootTime });
  let printed = '';
  const calls: string[] = [];
  const print = (bytes: Uint8Array): void => void (printed += new TextDecoder().decode(bytes));
  const system = new LinuxSystem({
    ...{ ...LINUX_DEFAULTS, quantum, machine, hart, tree, stdout: print, stderr: print },
    terminal: isTerminal ? { rows: 24, columns: 80 } : undefined,
    onCall: (pid, call) => void calls.push(`${pid} ${describeCall(call)}`),
  });
  expect(system.start(`/bin/${command[0]!}`, command, ENVIRONMENT)).to.equal(0);
  const made: Session = {
    system,
    calls,
    result: undefined,
    type(text) {
      printed = '';
      system.feed(new TextEncoder().encode(text));
      made.result = system.run(INSTRUCTIONS_MAX);
      // The shell asks where the cursor is.
      return printed.replaceAll('\x1b[6n', '');
    },
  };
  return made;
}

describe('the small Linux, with BusyBox', () => {
  before(function () {
    skipUnlessGuest(this);
  });

  it('lets a person edit a line, and go back to the one before', () => {
    const shell = session(['sh', '-i']);
    shell.type('');
    expect(shell.type('ecx\x7fho hi\r')).to.match(/\r\nhi\r\n\$ $/);
    expect(shell.type('\x1b[A there\r')).to.match(/\r\nhi there\r\n\$ $/);
    expect(shell.type('exit 3\r')).to.match(/exit 3\r\n$/);
    expect(shell.result).to.deep.equal({ why: 'ended', status: 3, signal: undefined });
  });

  it('stops, continues and ends jobs by keys', () => {
    const shell = session(['sh', '-i']);
    shell.type('');
    expect(shell.type('cat\r')).to.equal('cat\r\n');
    expect(shell.type('one\r')).to.equal('one\r\none\r\n');
    expect(shell.type('\x1a')).to.match(/^\^Z\[1\]\+ {2}Stopped +cat\r\n\$ $/);
    expect(shell.type('jobs\r')).to.match(/\[1\]\+ {2}Stopped +cat\r\n/);
    expect(shell.type('fg\r')).to.equal('fg\r\ncat\r\n');
    expect(shell.type('two\r')).to.equal('two\r\ntwo\r\n');
    expect(shell.type('\x03')).to.equal('^C\r\n$ ');
    expect(shell.type('echo $?\r')).to.equal('echo $?\r\n130\r\n$ ');
    shell.type('cat\r');
    expect(shell.type('\x04')).to.equal('$ ');
  });

  it('runs an editor in raw mode', () => {
    const shell = session(['sh', '-i']);
    shell.type('');
    expect(shell.type('vi /tmp/x\r')).to.include('~');
    shell.type('ihello\rworld\x1b');
    expect(shell.type(':wq\r')).to.include("'/tmp/x' 2L, 12C");
    expect(shell.type('cat /tmp/x\r')).to.equal('cat /tmp/x\r\nhello\r\nworld\r\n$ ');
  });

  it('says when it needs input, when nothing can ever come, and when the time is up', () => {
    expect(session(['cat'], { isTerminal: false })).to.satisfy((cat: Session) => (cat.type(''), cat.result?.why === 'needs-input'));
    const stuck = session(['sh', '-c', 'mkfifo /tmp/f; cat < /tmp/f'], { isTerminal: false });
    stuck.type('');
    expect(stuck.result).to.deep.equal({ why: 'deadlock' });
    const busy = session(['sh', '-c', 'while true; do true; done'], { isTerminal: false });
    busy.type('');
    expect(busy.result).to.deep.equal({ why: 'limit' });
    expect(busy.system.linux.hart.retired).to.equal(INSTRUCTIONS_MAX);
  });

  it('lets time pass only as programs run and sleep', () => {
    const shell = session(['sh', '-c', 'a=$(date +%s); sleep 100000; b=$(date +%s); echo $((b - a))'], { isTerminal: false });
    expect(shell.type('')).to.equal('100000\n');
    expect(shell.system.linux.hart.retired).to.be.below(5_000_000);
  });

  it('is a function of its input: call by call the same, twice', () => {
    const command = ['sh', '-c', 'for i in 1 2 3; do (head -c 8 /dev/urandom | md5sum; echo $i) & done; wait; ps; mktemp; ls -l /tmp'];
    const [first, second] = [1, 2].map(() => {
      const one = session(command, { isTerminal: false, quantum: 1777 });
      return { printed: one.type(''), calls: one.calls };
    });
    expect(first!.calls.length).to.be.above(100);
    expect(second).to.deep.equal(first);
  });

  it('prints the same whatever the quantum is (1 thousand to 1 million)', () => {
    const command = ['sh', '-c', 'seq 1 300 | sort -r | (read a; echo $a; cat) | md5sum; (sleep 1; echo late) & echo early; wait'];
    const outputs = [1_000, 7_919, 1_000_000].map((quantum) => session(command, { isTerminal: false, quantum }).type(''));
    expect(new Set(outputs).size).to.equal(1);
    expect(outputs[0]).to.match(/^[0-9a-f]{32} {2}-\nearly\nlate\n$/);
  });

  it('reports a crash: where, of what, with what it had called', () => {
    const shell = session(['sh', '-c', 'kill -SEGV $$'], { isTerminal: false });
    shell.type('');
    expect(shell.result).to.deep.equal({ why: 'ended', status: undefined, signal: 11 });
    const report = describeCrash(shell.system.crashes[0]!);
    expect(report).to.match(/^process 1 \(sh\) died of SIGSEGV at pc 0x[0-9a-f]+, after \d+ instructions\n/);
    expect(report).to.match(/\n {2}kill\(1, 11, .*\) = 0\nmemory:\n/);
    expect(report).to.include('r-xp /bin/busybox+0x0');
  });

  it('has BusyBox ask for nothing that it does not know', () => {
    const shell = session(['sh', '-c', 'ls -la /proc/self /dev; ps; top -b -n1; free; df; mount; id; stty; uptime'], { isTerminal: false });
    shell.type('');
    expect([...shell.system.unknownCalls]).to.deep.equal([]);
  });
});
