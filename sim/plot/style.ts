/**
 * How plots look: the viewer's colours (Okabe and Ito's set, which stays apart in the common kinds of colour blindness), light and
 * dark as the reader's system asks. No colour stands alone: each outcome has a mark too.
 */

const COLOURS = `
:root {
  color-scheme: light dark;
  --ground: #fbfbf9; --panel: #ffffff; --text: #1c1d1f; --quiet: #5c6167; --line: #d5d8dc; --focus: #0b57d0; --bar: #0072b2;
  --held: #009e73; --held-mark: #ffffff; --asleep: #e69f00; --asleep-mark: #1c1d1f; --failed: #d00000; --failed-mark: #ffffff;
  --diverged: #cc79a7; --diverged-mark: #1c1d1f; --limit: #6f7479; --limit-mark: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131518; --panel: #1b1e22; --text: #e6e8ea; --quiet: #9ba3ab; --line: #363b42; --focus: #8ab4f8; --bar: #3d9bdc;
    --held: #2bb48a; --held-mark: #131518; --failed: #ff5a4d; --failed-mark: #131518; --diverged: #e29bcf; --limit: #9ba3ab;
    --limit-mark: #131518; --asleep-mark: #131518; --diverged-mark: #131518;
  }
}`;

/** Of drawings: what the classes in an SVG mean. */
export const DRAWING_CSS = `${COLOURS}
text { fill: var(--text); font: 12px system-ui, Liberation Sans, sans-serif; }
.heading { font-size: 15px; font-weight: 600; }
.quiet { fill: var(--quiet); }
.name, .number { font-family: DejaVu Sans Mono, ui-monospace, Menlo, Consolas, monospace; }
.number { font-size: 11px; text-anchor: middle; }
.ground { fill: var(--panel); }
.bar { fill: var(--bar); }
.base { stroke: var(--line); }
.mark { fill: none; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }
.held { fill: var(--held); } .asleep { fill: var(--asleep); } .failed { fill: var(--failed); }
.diverged { fill: var(--diverged); } .limit { fill: var(--limit); }
.mark.held { fill: none; stroke: var(--held-mark); } .mark.asleep { fill: none; stroke: var(--asleep-mark); }
.mark.failed { fill: none; stroke: var(--failed-mark); } .mark.diverged { fill: none; stroke: var(--diverged-mark); }
.mark.limit { fill: none; stroke: var(--limit-mark); }
`;

/** Of pages, drawings in them included. */
export const PAGE_CSS = `${DRAWING_CSS}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.45 system-ui, Liberation Sans, sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 16px; }
h1 { font-size: 18px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 24px 0 8px; }
p { margin: 0 0 8px; max-width: 75em; }
a { color: var(--focus); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.plots { display: flex; flex-wrap: wrap; gap: 12px; margin: 12px 0; align-items: flex-start; }
figure { margin: 0; max-width: 100%; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
figure svg { display: block; max-width: 100%; height: auto; }
.sheet { overflow-x: auto; }
table { border-collapse: collapse; background: var(--panel); border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: 4px 8px; border-top: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--quiet); font-size: 12px; white-space: nowrap; }
.count { text-align: right; font-variant-numeric: tabular-nums; }
.code { font: 12px DejaVu Sans Mono, ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.remark { color: var(--quiet); font-size: 12px; }
summary { cursor: pointer; font-weight: 600; padding: 4px 0; }
`;
