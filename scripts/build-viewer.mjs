/**
 * Builds the viewer's page: bundles the page and its engine, and puts both and the style sheet into one HTML file without a trace.
 *
 *     node scripts/build-viewer.mjs [FILE]
 *
 * `npm run build` calls it after the compiler; `faultline view` puts a trace into what it made. Plain JavaScript, because a clean
 * checkout has nothing else to run it with. The same sources give the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}sim/viewer/page/`;

const file = process.argv[2] ?? `${root}dist/viewer/page.html`;

const bundle = (entry) => {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [`${folder}${entry}`],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'error',
  });
  // Inside a script element nothing may look like its end, or like the start of a comment.
  return outputFiles[0].text.trimEnd().replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
};

const style = () => {
  const { outputFiles } = buildSync({ entryPoints: [`${folder}style.css`], write: false, minify: true, logLevel: 'error' });
  return outputFiles[0].text.trimEnd();
};

const parts = { '/*style*/': style(), '/*engine*/': bundle('engine.ts'), '/*page*/': bundle('main.ts') };
const html = Object.entries(parts).reduce(
  (page, [place, text]) => page.replace(place, () => text),
  readFileSync(`${folder}page.html`, 'utf8'),
);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, html);
