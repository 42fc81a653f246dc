/** `faultline view`: what it writes, and what it says of traces and flags that it cannot show. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { faultline } from '../../helpers/command-line.ts';

const TRACE = 'traces/regressions/assembly-copies-whole-page.jsonl';

describe('faultline view', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-view-'));
    execFileSync(process.execPath, ['scripts/build-viewer.mjs']);
  });
  after(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);

  it('writes a page that holds the trace, names its file, and is the same each time', async () => {
    const { code, out } = await faultline('view', TRACE, '--out', path('a.html'), '--op', '2');
    expect([code, out]).to.deep.equal([0, `${path('a.html')}#op=2\n`]);
    const html = readFileSync(path('a.html'), 'utf8');
    const [, packed = ''] = /<script id="trace" type="text\/plain">\s*([\w+/=]+)/.exec(html) ?? [];
    expect(gunzipSync(Buffer.from(packed, 'base64')).toString()).to.equal(readFileSync(TRACE, 'utf8'));
    await faultline('view', TRACE, '--out', path('b.html'), '--op', '2');
    expect(readFileSync(path('b.html'), 'utf8')).to.equal(html);
  });

  it('says as JSON what it wrote', async () => {
    const { out } = await faultline('view', TRACE, '--out', path('a.html'), '--json');
    expect(JSON.parse(out)).to.deep.equal({ file: path('a.html'), bytes: readFileSync(path('a.html')).length, ops: 3, opened: false });
  });

  it('asks nobody: no address but that of namespaces stands in the page', async () => {
    await faultline('view', '--out', path('empty.html'));
    const html = readFileSync(path('empty.html'), 'utf8');
    expect(html).to.contain("default-src 'none'");
    expect([...html.matchAll(/\b(?:src|href)="(?!data:)[^"]*"/g)].map(([text]) => text)).to.deep.equal([]);
  });

  it('names file, line and field of a damaged trace, and writes nothing', async () => {
    writeFileSync(path('bad.jsonl'), readFileSync(TRACE, 'utf8').replace('"access":"r"', '"access":"q"'));
    const { code, err } = await faultline('view', path('bad.jsonl'), '--out', path('bad.html'));
    expect(code).to.equal(1);
    expect(err).to.contain('bad.jsonl:3: field `access`');
    expect(readdirSync(folder)).not.to.include('bad.html');
  });

  it('refuses a kernel that does not exist, and a trace that needs a file', async () => {
    const unknown = await faultline('view', TRACE, '--against', 'kevlr', '--out', path('x.html'));
    expect([unknown.code, unknown.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 1 && err.includes('there is no kernel "kevlr"'),
    );
    const header = readFileSync(TRACE, 'utf8').replace('{"seed":"/bin/two"}', `{"sha256":"${'0'.repeat(64)}"}`);
    writeFileSync(path('needs.jsonl'), header);
    const needs = await faultline('view', path('needs.jsonl'), '--out', path('x.html'));
    expect(needs.code).to.equal(1);
    expect(needs.err).to.contain('0'.repeat(64));
  });
});
