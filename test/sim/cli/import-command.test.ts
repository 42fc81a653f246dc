/** The commands that bring logs in and runs out: import, check-log, export, diff, at the command line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tinyElf } from '../../helpers/tiny-elf.ts';
import { faultline } from '../../helpers/command-line.ts';
import { fixture, SAMPLES } from '../../helpers/recordings.ts';

const TRACE = new URL('../../../traces/recorded/ls-sort-head-exec.jsonl.gz', import.meta.url).pathname;
let folder: string;
const at = (name: string): string => join(folder, name);

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-import-'));
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('faultline import', () => {
  for (const [format, name] of SAMPLES.filter(([, sample]) => !sample.startsWith('suite20'))) {
    it(`writes a trace of ${name} that validates and replays`, async () => {
      const out = at(`${name}.trace.jsonl.gz`);
      const { code, out: said } = await faultline('import', format, fixture(name), '-o', out);
      expect([code, said.split('\n')[0]]).to.deep.equal([0, said.split('\n')[0]]);
      expect(said).to.match(/ops of \d+ process/);
      expect((await faultline('trace', 'validate', out)).code).to.equal(0);
      expect((await faultline('replay', out, '--check', 'end')).code).to.equal(0);
    });
  }

  it('prints the report as JSON', async () => {
    const { out } = await faultline('import', 'strace', fixture('strace-f.full.txt'), '-o', at('t.jsonl'), '--json');
    const document = JSON.parse(out) as { readonly report: { readonly read: object }; readonly processes: readonly object[] };
    expect(document.report.read).to.deep.equal({ calls: 101, 'ends of processes': 4, signals: 3 });
    expect(document.processes).to.have.length(4);
  });

  it('takes layouts from ELF files', async () => {
    writeFileSync(at('program'), tinyElf({ source: 'ecall' }));
    const { code, out } = await faultline(
      'import',
      'strace',
      fixture('strace-f.full.txt'),
      '-o',
      at('t.jsonl'),
      '--binary',
      `/bin/busybox=${at('program')}`,
    );
    expect([code, out.includes('missing')]).to.deep.equal([0, false]);
    expect(readFileSync(at('t.jsonl'), 'utf8').split('\n')[0])
      .to.include('"path":"/bin/busybox"')
      .and.to.include('"segments"');
  });

  it('names what a dynamic program needs next: its address, then its interpreter', async () => {
    const elf = tinyElf({ source: 'ecall' });
    elf[16] = 3; // ET_DYN
    writeFileSync(at('interpreter'), elf);
    // The second program header becomes a PT_INTERP of a name behind the headers.
    const view = new DataView(elf.buffer);
    view.setUint32(64 + 56, 3, true);
    view.setBigUint64(64 + 56 + 8, 512n, true);
    view.setBigUint64(64 + 56 + 32, 7n, true);
    elf.set(new TextEncoder().encode('/ld.so\0'), 512);
    writeFileSync(at('dynamic'), elf);
    const binary = (...flags: string[]) =>
      faultline('import', 'strace', fixture('strace-f.full.txt'), '-o', at('t.jsonl'), ...flags.flatMap((flag) => ['--binary', flag]));
    const program = `/bin/busybox=${at('dynamic')}`;
    expect((await binary(program)).err).to.include('say where the recording has it, as FILE@0xBASE');
    expect((await binary(`${program}@0x555555554000`)).out).to.match(/^missing .*give --binary \/ld\.so=FILE@0xBASE/m);
    const { out } = await binary(`${program}@0x555555554000`, `/ld.so=${at('interpreter')}@0x7ffff7fca000`);
    expect(out).to.not.include('missing');
    expect(readFileSync(at('t.jsonl'), 'utf8')).to.include('"interpBase":"0x7ffff7fca000"');
  });

  // prettier-ignore
  const WRONG: readonly (readonly [says: string, ...args: string[]])[] = [
    ['Allowed choices are plugin', 'import', 'dtrace', 'x', '-o', 'y'],
    ['there is no such file', 'import', 'strace', '/nowhere/log', '-o', 'y'],
    ['required option', 'import', 'strace', 'x'],
    ['is one file', 'import', 'strace', 'x', 'y', '-o', 'z'],
    ['both want standard output', 'import', 'strace', 'x', '-o', '-', '--json'],
    ['The file cannot be read', 'import', 'strace', 'x', '-o', 'y', '--binary', '/nowhere/x'],
    ['It must be an address in hex', 'import', 'strace', 'x', '-o', 'y', '--stack', '12'],
  ];
  for (const [says, ...args] of WRONG) {
    it(`refuses ${args.slice(0, 6).join(' ')}`, async () => {
      const { code, err } = await faultline(...args);
      expect(code).to.equal(1);
      expect(err).to.include(says);
    });
  }

  it('says that a file is of another format, and where a JSONL recording is malformed', async () => {
    const wrong = await faultline('import', 'strace', fixture('kevlar-synthetic.txt'), '-o', at('t.jsonl'));
    expect([wrong.code, wrong.err.includes('is it of another format?')]).to.deep.equal([1, true]);
    writeFileSync(at('bad.jsonl'), '{"t":"image","pid":1,"target":"riscv64"}\n{"t":"touch","pid":1,"page":"zz","a":"r"}\n');
    const { code, err } = await faultline('import', 'plugin', at('bad.jsonl'), '-o', at('t.jsonl'));
    expect([code, err.trim()]).to.deep.equal([1, `faultline: ${at('bad.jsonl')}:2: field \`page\`: is "zz", but must be a hex string`]);
  });
});

describe('faultline check-log', () => {
  it('explains the log that a replay prints in Kevlar’s form, and refuses it at the line that was altered', async () => {
    const log = (await faultline('replay', TRACE, '--events', '-', '--events-form', 'kevlar', '--check', 'none')).out.split('\n');
    writeFileSync(at('serial.log'), log.join('\n'));
    for (const flags of [[], ['--trace', TRACE]]) {
      const { code, out } = await faultline('check-log', at('serial.log'), ...flags);
      expect([code, out.split('\n')[0]]).to.deep.equal([0, 'explained']);
    }
    const line = log.findIndex((text) => text.includes('"page_fault"') && text.includes('"pid":3'));
    writeFileSync(at('altered.log'), log.with(line, log[line]!.replace(/"vaddr":0x/, '"vaddr":0x7')).join('\n'));
    const { code, out } = await faultline('check-log', at('altered.log'));
    expect(code).to.equal(4);
    expect(out.split('\n')[0]).to.match(new RegExp(`altered.log:${line + 1}: page_fault: 0x7[0-9a-f]+ does not lie in its VMA`));
    const { unexplained } = JSON.parse((await faultline('check-log', at('altered.log'), '--trace', TRACE, '--json')).out) as {
      readonly unexplained: { readonly line: number };
    };
    expect(unexplained.line).to.equal(line + 1);
  });
});

describe('faultline export', () => {
  it('writes both formats, and the same bytes each time', async () => {
    for (const format of ['perfetto', 'chrome']) {
      const outs = [at('one'), at('two')];
      for (const out of outs) expect((await faultline('export', format, TRACE, '-o', out, '--until', '300')).out).to.include('300 slices');
      expect(readFileSync(outs[0]!).equals(readFileSync(outs[1]!))).to.equal(true);
    }
  });
});

describe('faultline diff', () => {
  it('shows the first difference of two kernels, and says when there is none', async () => {
    const { code, out } = await faultline('diff', '--kernel', 'kevlar', '--kernel', 'kevlar@m9.8', '--threshold', '0', TRACE);
    expect(code).to.equal(4);
    expect(out.split('\n')[0]).to.equal('the states differ after op 0: entries');
    expect(await faultline('diff', '-k', 'kevlar', '-k', 'kevlar', TRACE)).to.include({ code: 0 });
  });

  it('refuses one kernel, and a part that is none', async () => {
    expect((await faultline('diff', '-k', 'kevlar', TRACE)).err).to.include('two kernels are needed');
    expect((await faultline('diff', '-k', 'kevlar', '-k', 'kevlar', '--parts', 'soul', TRACE)).err).to.include('soul is none of');
  });
});
