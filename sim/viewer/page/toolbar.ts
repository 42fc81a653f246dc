/** The line with the trace's name and the verdict, and the buttons that move. */
import { h, type JSX } from 'preact';
import { FileButton } from './file-button.ts';
import type { StoreProps } from './props.ts';
import { JUMPS, type Store } from './store.ts';
import { counted, grouped } from './text.ts';
import { toggleTheme } from './theme.ts';

export function TopBar({ store }: StoreProps): JSX.Element {
  const { facts } = store;
  return h(
    'header',
    { class: 'top' },
    h('h1', null, 'faultline'),
    facts === undefined ? null : h('span', { class: 'name' }, facts.name),
    facts === undefined ? null : h('span', { class: 'quiet' }, `${facts.kernels.join(' against ')}, threshold ${grouped(facts.threshold)}`),
    h('span', { class: 'space' }),
    facts === undefined ? null : h(Verdict, { store }),
    h(FileButton, { store, label: 'open' }),
    h('button', { onClick: () => switchTheme(store), title: 'light, dark (t)', 'aria-label': 'light or dark' }, '◐'),
    h('button', { onClick: () => store.toggleHelp(), title: 'keys (?)', 'aria-label': 'keys' }, '?'),
  );
}

function Verdict({ store }: StoreProps): JSX.Element {
  const [soFar] = store.findings;
  const { failure, count } = store;
  if (failure !== undefined)
    return h(
      'button',
      { class: 'verdict failed', role: 'status', onClick: () => store.goToFailure() },
      `failed: ${failure.id} at op ${grouped(failure.op)}`,
    );
  if (soFar?.isDone === true)
    return h('span', { class: 'verdict held', role: 'status' }, soFar.verdict === 'diverged' ? 'held, but diverged' : 'held');
  return h(
    'span',
    { class: 'verdict', role: 'status' },
    store.phase === 'ready'
      ? `checking… ${soFar?.percent ?? 0} %`
      : `running… ${Math.floor((store.overview.covered / Math.max(1, count)) * 100)} %`,
  );
}

function switchTheme(store: Store): void {
  toggleTheme();
  store.redraw();
}

export function Toolbar({ store }: StoreProps): JSX.Element {
  const act = (label: string, says: string, key: string, onClick: () => void, isDisabled = false): JSX.Element =>
    h('button', { onClick, title: `${says} (${key})`, 'aria-label': says, disabled: isDisabled }, label);
  const jump = (name: string, flag: number, key: string): JSX.Element =>
    h(
      'span',
      { class: 'pair', role: 'group', 'aria-label': name },
      act('‹', `${name} before`, key.toUpperCase(), () => void store.jump(flag, -1)),
      h('span', null, name),
      act('›', `next ${name}`, key, () => void store.jump(flag, 1)),
    );
  return h(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': 'Move through the trace' },
    act('|◀', 'before the first op', 'Home', () => store.goTo(-1)),
    act('◀', 'op before', '←', () => store.step(-1), store.op < 0),
    act(store.isRunning ? '■' : '▶▶', store.isRunning ? 'stop' : 'run', 'Space', () => store.toggleRun()),
    act('▶', 'next op', '→', () => store.step(1), store.op >= store.count - 1),
    act('▶|', 'last op', 'End', () => store.goTo(store.count - 1)),
    h(OpInput, { store }),
    jump('fault', JUMPS.fault, 'f'),
    jump('assembly', JUMPS.assembly, 'a'),
    jump('exec', JUMPS.exec, 'e'),
    act('failure', 'to the failure', 'x', () => store.goToFailure(), store.failure === undefined),
  );
}

function OpInput({ store }: StoreProps): JSX.Element {
  return h(
    'label',
    { class: 'op-input' },
    'op ',
    h('input', {
      type: 'number',
      min: -1,
      max: store.count - 1,
      value: store.op,
      'aria-label': 'op',
      onChange: (event: Event) => goToTyped(event, store),
    }),
    ` of ${counted(store.count, 'op')}`,
  );
}

function goToTyped(event: Event, store: Store): void {
  const op = (event.target as HTMLInputElement).valueAsNumber;
  if (Number.isInteger(op)) store.goTo(op);
}
