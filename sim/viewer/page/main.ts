/** The page's beginning: takes the trace out of the document, starts the engine, and hears keys, files and links. */
import { h, render } from 'preact';
import type { EngineAnswer, ViewOptions } from '../protocol.ts';
import { App } from './app.ts';
import { pressKey } from './keys.ts';
import { bytesOfBase64 } from './read-file.ts';
import { Store } from './store.ts';

interface Embedded extends ViewOptions {
  readonly name: string;
}

const textOf = (id: string): string => document.getElementById(id)?.textContent.trim() ?? '';

const worker = new Worker(URL.createObjectURL(new Blob([textOf('kernels'), '\n', textOf('engine')], { type: 'text/javascript' })));
let isDrawing = false;
const store = new Store({ ask: (request) => worker.postMessage(request) }, () => {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
});
worker.onmessage = ({ data }: MessageEvent<EngineAnswer>) => store.hear(data);
worker.onerror = ({ message }) => store.hear({ type: 'failed', message: `the engine stopped: ${message}` });

const root = document.getElementById('root')!;
function draw(): void {
  isDrawing = false;
  render(h(App, { store }), root);
  if (store.facts !== undefined) document.title = `${store.facts.name} · faultline`;
  writeLink();
}

/** The link follows the op, and is left alone otherwise: the user may just be changing it. */
let opWritten: number | undefined;
function writeLink(): void {
  if (store.moments.length === 0 || store.op === opWritten) return;
  opWritten = store.op;
  if (opWritten !== linkedOp()) history.replaceState(null, '', `#op=${opWritten}`);
}

/** The op that the link names. */
function linkedOp(): number | undefined {
  const [, digits] = /^#op=(-?\d{1,15})$/.exec(location.hash) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

document.addEventListener('keydown', (event) => {
  if (pressKey(event, store)) draw();
});
window.addEventListener('hashchange', () => {
  const op = linkedOp();
  if (op !== undefined && op !== store.op) store.goTo(op);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw());

document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file !== undefined) store.open(file.name, file, {}, undefined);
});

draw();
const trace = textOf('trace');
if (trace !== '') {
  const { name, ...options } = JSON.parse(textOf('options')) as Embedded;
  store.open(name, new Blob([bytesOfBase64(trace)]), options, linkedOp() ?? options.op);
}
