/** The style sheet of the demo's report, as text: system fonts, a light and a dark scheme. */

export const style = `
:root {
  color-scheme: light dark;
  --paper: #f7f6f2; --card: #ffffff; --ink: #1b1e24; --soft: #5c6370; --line: #e3e1da; --lane: #f0eee8; --accent: #0d6e6e;
  --warn-paper: #fff3d6; --warn-ink: #5f4300; --warn-line: #e9c46a; --wrong: #c2413a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1c1f25; --ink: #eceef2; --soft: #9da5b3; --line: #2e333c; --lane: #252930; --accent: #5cc9c0;
    --warn-paper: #33290f; --warn-ink: #ffdd91; --warn-line: #6e5719; --wrong: #f0837b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1080px; padding: 40px 28px 48px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
}
h1, h2, h3, p, ul { margin: 0; padding: 0; }
h1 { font-size: clamp(26px, 4vw, 38px); line-height: 1.15; letter-spacing: -0.022em; font-weight: 680; }
h2 { margin-top: 44px; font-size: 19px; letter-spacing: -0.012em; font-weight: 640; }
h2 small { margin-left: 6px; color: var(--soft); font-size: 15px; font-weight: 400; letter-spacing: 0; }
h3 { font-size: 14px; font-weight: 620; }
small { color: var(--soft); font-size: 12px; font-weight: 400; }
.brand { display: flex; align-items: center; gap: 8px; margin-bottom: 10px; color: var(--accent); font-size: 13px; font-weight: 600; }
.brand svg { width: 18px; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; }
.lede { margin-top: 10px; max-width: 84ch; color: var(--soft); font-size: 16px; text-wrap: pretty; }
.notice { margin-top: 24px; padding: 13px 18px; border: 1px solid var(--warn-line); border-radius: 10px; background: var(--warn-paper); color: var(--warn-ink); }
.scores { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 16px; margin-top: 28px; list-style: none; }
.scores li { display: grid; gap: 2px; padding: 16px 18px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); align-content: start; }
.scores strong { font-size: 26px; font-weight: 640; letter-spacing: -0.02em; line-height: 1.2; }
.scores span { color: var(--soft); font-size: 13px; line-height: 1.4; }
.scores small { margin-top: 6px; }
article { margin-top: 14px; padding: 16px 20px 14px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
.title { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 24px; }
.title p { color: var(--soft); font-size: 13px; }
.row { display: grid; grid-template-columns: 116px minmax(0, 1fr); margin-top: 10px; }
.head { display: flex; flex-direction: column; padding-right: 12px; font-size: 13px; line-height: 1.35; }
.frames, .axis, .verdicts, .overlaps { display: grid; grid-template-columns: repeat(var(--n), minmax(0, 1fr)); }
.frames { gap: 2px; }
.frames img { display: block; width: 100%; border-radius: 4px; }
.track { position: relative; border-radius: 6px; }
.found { height: calc(var(--rows) * 25px + 3px); background: var(--lane); }
.true { height: calc(var(--rows) * 21px); }
.bar {
  position: absolute; left: calc(var(--from) * 100% / var(--n)); width: calc((var(--to) - var(--from)) * 100% / var(--n) - 1px);
  padding: 0 7px; border-radius: 5px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12px;
}
.found .bar { top: calc(var(--row) * 25px + 3px); height: 22px; background: var(--color); color: #16181d; font-weight: 560; line-height: 22px; }
.true .bar { top: calc(var(--row) * 21px); height: 18px; border: 1.5px solid var(--color); color: var(--soft); line-height: 15px; }
.nothing { position: absolute; left: 8px; color: var(--soft); font-size: 12px; line-height: 26px; }
.true .nothing { line-height: 18px; }
.verdicts { margin: 2px 0; height: 4px; }
.verdicts i { border-radius: 2px; }
.verdicts .wrong { margin-right: 1px; background: repeating-linear-gradient(-45deg, var(--wrong) 0 3px, transparent 3px 5px); }
.overlaps span { padding: 3px 0; color: var(--soft); font-size: 13px; text-align: center; }
.overlaps .ok { color: var(--ink); font-weight: 560; }
.overlaps .bad { color: var(--wrong); }
.axis { color: var(--soft); font-size: 11.5px; }
footer { margin-top: 44px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
@media (max-width: 760px) {
  body { padding: 24px 16px 40px; }
  article { padding: 14px 14px 12px; }
  .row { grid-template-columns: minmax(0, 1fr); }
  .head { flex-direction: row; align-items: baseline; gap: 8px; margin-bottom: 3px; }
  h2 small { display: block; margin: 2px 0 0; }
}
@media print { body { max-width: none; padding: 0; } article { break-inside: avoid; } }
`;
