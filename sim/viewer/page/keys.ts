/** The keys, in one table: what each does, and what the help says of it. */
import { JUMPS, type Store } from './store.ts';
import { toggleTheme } from './theme.ts';

export interface KeyBinding {
  /** As `event.key` names them. */
  readonly keys: readonly string[];
  readonly shown: string;
  readonly says: string;
  readonly act: (store: Store) => void;
}

const PANELS = ['ops', 'what', 'region', 'bytes', 'space', 'frames'] as const;

const focusPanel = (index: number): void => {
  const panel = document.getElementById(`panel-${PANELS[index]!}`);
  panel?.scrollIntoView({ block: 'nearest' });
  panel?.focus();
};

export const KEYS: readonly KeyBinding[] = [
  { keys: ['ArrowRight', 'l'], shown: '→ l', says: 'next op', act: (store) => store.step(1) },
  { keys: ['ArrowLeft', 'h'], shown: '← h', says: 'op before', act: (store) => store.step(-1) },
  { keys: ['PageDown'], shown: 'PgDn', says: '100 ops on', act: (store) => store.step(100) },
  { keys: ['PageUp'], shown: 'PgUp', says: '100 ops back', act: (store) => store.step(-100) },
  { keys: ['Home'], shown: 'Home', says: 'before the first op', act: (store) => store.goTo(-1) },
  { keys: ['End'], shown: 'End', says: 'last op', act: (store) => store.goTo(store.count - 1) },
  { keys: [' '], shown: 'Space', says: 'run, stop', act: (store) => store.toggleRun() },
  { keys: ['f'], shown: 'f', says: 'next fault', act: (store) => store.jump(JUMPS.fault, 1) },
  { keys: ['F'], shown: 'F', says: 'fault before', act: (store) => store.jump(JUMPS.fault, -1) },
  { keys: ['a'], shown: 'a', says: 'next assembly', act: (store) => store.jump(JUMPS.assembly, 1) },
  { keys: ['A'], shown: 'A', says: 'assembly before', act: (store) => store.jump(JUMPS.assembly, -1) },
  { keys: ['e'], shown: 'e', says: 'next exec', act: (store) => store.jump(JUMPS.exec, 1) },
  { keys: ['E'], shown: 'E', says: 'exec before', act: (store) => store.jump(JUMPS.exec, -1) },
  { keys: ['x'], shown: 'x', says: 'the failure', act: (store) => store.goToFailure() },
  { keys: ['w'], shown: 'w', says: 'next page with wrong bytes', act: (store) => store.nextWrongPage() },
  { keys: ['p'], shown: 'p', says: 'next process', act: (store) => store.nextProcess(1) },
  { keys: ['P'], shown: 'P', says: 'process before', act: (store) => store.nextProcess(-1) },
  { keys: ['o'], shown: 'o', says: 'look at what the op is about', act: (store) => store.follow() },
  { keys: ['+', '='], shown: '+', says: 'zoom in', act: (store) => store.zoom(0.5) },
  { keys: ['-'], shown: '−', says: 'zoom out', act: (store) => store.zoom(2) },
  { keys: ['0'], shown: '0', says: 'the whole trace', act: (store) => store.showAll() },
  ...PANELS.map((panel, i) => ({ keys: [String(i + 1)], shown: String(i + 1), says: `to the panel “${panel}”`, act: () => focusPanel(i) })),
  { keys: ['t'], shown: 't', says: 'light, dark', act: () => toggleTheme() },
  { keys: ['?'], shown: '?', says: 'these keys', act: (store) => store.toggleHelp() },
  { keys: ['Escape'], shown: 'Esc', says: 'close the help', act: (store) => void (store.isHelpOpen = false) },
];

/** Acts on a key press that no widget has taken. @returns whether it meant something */
export function pressKey(event: KeyboardEvent, store: Store): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const target = event.target as HTMLElement;
  if (target.tagName === 'INPUT') return false;
  if (event.key === ' ' && (target.tagName === 'BUTTON' || target.tagName === 'SUMMARY')) return false;
  const binding = KEYS.find(({ keys }) => keys.includes(event.key));
  if (binding === undefined) return false;
  event.preventDefault();
  binding.act(store);
  return true;
}
