/** The report's style sheet, as text: system fonts, a light and a dark scheme, print. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f6f2; --card: #ffffff; --ink: #1b1e24; --soft: #5c6370; --line: #e3e1da; --lane: #f0eee8;
  --accent: #0d6e6e; --warn-paper: #fff3d6; --warn-ink: #5f4300; --warn-line: #e9c46a; --neutral: #9aa1ad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1c1f25; --ink: #eceef2; --soft: #9da5b3; --line: #2e333c; --lane: #252930;
    --accent: #5cc9c0; --warn-paper: #33290f; --warn-ink: #ffdd91; --warn-line: #6e5719; --neutral: #6c7482;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1180px; padding: 40px 28px 48px; background: var(--paper); color: var(--ink); --mask: 0.85;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
}
h1, h2, h3, p, dl, dd, ul, ol { margin: 0; padding: 0; }
h1 { font-size: clamp(26px, 4vw, 38px); line-height: 1.15; letter-spacing: -0.022em; font-weight: 680; overflow-wrap: anywhere; }
h2 { font-size: 19px; letter-spacing: -0.012em; font-weight: 640; }
h2 small { color: var(--soft); font-weight: 400; margin-left: 4px; }
h3 { font-size: 13px; font-weight: 620; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
input { accent-color: var(--accent); }
code { font: 12px/1.4 ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; background: var(--lane); border-radius: 4px; padding: 1px 6px; }
.nothing { color: var(--soft); }

.brand { display: flex; align-items: center; gap: 8px; color: var(--accent); font-weight: 600; font-size: 13px; margin-bottom: 10px; }
.brand svg { width: 18px; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; }
.facts { display: flex; flex-wrap: wrap; gap: 12px 36px; margin-top: 20px; padding-bottom: 24px; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); font-size: 12.5px; }
.facts dd { font-weight: 520; overflow-wrap: anywhere; }
.notice { margin-top: 24px; padding: 14px 18px; border-radius: 10px; background: var(--warn-paper); color: var(--warn-ink); border: 1px solid var(--warn-line); }
section { margin-top: 36px; }
.title { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 8px 24px; margin-bottom: 12px; }
.controls { display: flex; gap: 22px; color: var(--soft); font-size: 13.5px; }
.controls label { display: flex; align-items: center; gap: 8px; }
.controls input[type='range'] { width: 130px; }
body:not(.live) .controls, body:not(.live) section:has(.stage) { display: none; }

.stage { display: grid; grid-template-columns: minmax(0, 3fr) minmax(280px, 2fr); background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.stage.blind { grid-template-columns: 1fr; }
.stage.blind .frame { display: none; }
.frame { background: #0b0c0e; display: grid; place-items: center; min-height: 240px; }
.picture { position: relative; width: 100%; aspect-ratio: var(--ratio); max-height: 420px; max-width: calc(420px * var(--ratio)); }
.picture img, .thumb img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.mask { opacity: var(--mask); }
.unmasked .mask { display: none; }
.readout { padding: 20px 24px; display: flex; flex-direction: column; gap: 16px; }
.stage.blind .readout { flex-flow: row wrap; gap: 20px 44px; }
.stage.blind .set { flex: 1 1 260px; }
.set h3 { margin-bottom: 5px; }
.line { display: grid; grid-template-columns: minmax(0, 1fr) minmax(80px, 1.1fr) 38px; align-items: center; gap: 12px; font-size: 13.5px; line-height: 1.65; }
.line .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.line .value { text-align: right; color: var(--soft); }
.meter { display: block; height: 7px; border-radius: 4px; background: linear-gradient(var(--color, var(--neutral)) 0 0) 0 / calc(var(--p) * 100%) 100% no-repeat var(--lane); }
.seek { grid-column: 1 / -1; display: flex; align-items: center; gap: 18px; padding: 12px 24px; border-top: 1px solid var(--line); }
.seek output { font-weight: 600; min-width: 82px; }
.seek input { flex: 1; margin: 0; }

.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; font-size: 13px; color: var(--soft); }
.legend i, th i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: var(--color); margin-right: 7px; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 6px 0 14px; }
.chart { --head: 196px; --width: max(100%, calc(var(--head) + var(--n) * var(--cell) + 20px)); position: relative; width: var(--width); min-width: 100%; --now: 0; }
.row { display: grid; grid-template-columns: var(--head) 1fr; padding-right: 20px; }
.label { position: sticky; left: 0; z-index: 3; background: var(--card); padding: 0 12px 0 20px; align-self: stretch; display: flex; align-items: center; gap: 6px; font-size: 13px; min-width: 0; overflow-wrap: anywhere; line-height: 1.25; }
.label small { color: var(--soft); white-space: nowrap; }
.track { position: relative; --unit: calc(100% / var(--n)); z-index: 1; }
.ruler .track { height: 26px; color: var(--soft); font-size: 12px; }
.ruler span { position: absolute; left: calc(var(--at) * var(--unit)); bottom: 3px; padding-left: 1px; }
.strip .track { display: grid; grid-template-columns: repeat(var(--n), 1fr); }
.thumb { position: relative; aspect-ratio: var(--ratio); margin-right: 2px; border-radius: 5px; overflow: hidden; background: var(--lane); cursor: pointer; }
.group { margin-top: 20px; margin-bottom: 4px; }
.group h3.label { font-size: 13px; }
.group .track { color: var(--soft); font-size: 12.5px; padding-left: 3px; }
.lane { margin-top: 5px; }
.lane .track { height: calc(var(--rows) * 29px + 1px); border-radius: 6px; cursor: pointer;
  background: repeating-linear-gradient(90deg, transparent 0 calc(var(--unit) - 1px), var(--card) calc(var(--unit) - 1px) var(--unit)) var(--lane); }
.lane .nothing { position: absolute; inset: 0 auto auto 10px; line-height: 30px; font-size: 12.5px; }
.bar { position: absolute; top: calc(var(--row) * 29px + 2px); left: calc(var(--from) * var(--unit)); width: calc((var(--to) - var(--from)) * var(--unit) - 1px);
  height: 26px; border: 0; border-radius: 5px; padding: 0; background: var(--color); color: #16181d; font: inherit; font-size: 12.5px; font-weight: 560; text-align: left; cursor: pointer; }
.bar span { display: block; padding: 0 8px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar:hover { filter: brightness(1.06); }
.probabilities { margin-top: 6px; }
.probabilities summary { list-style: none; cursor: pointer; width: fit-content; }
.probabilities summary::-webkit-details-marker { display: none; }
.probabilities summary .label { color: var(--soft); position: static; padding-block: 2px; font-size: 12.5px; }
.probabilities summary .label::before { content: ''; width: 6px; height: 6px; border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); }
.probabilities[open] summary .label::before { transform: rotate(45deg) translate(-1px, -1px); }
.small .label { color: var(--soft); font-size: 12.5px; align-items: end; padding-bottom: 2px; }
.small .label span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.small .track { height: 25px; border-bottom: 1px solid var(--line); cursor: pointer; }
.tall .track { height: 44px; }
.cell { position: absolute; inset: 2px auto 0 calc(var(--at) * var(--unit)); width: calc(var(--w) * var(--unit) - 1px);
  background: linear-gradient(var(--color) 0 0) bottom / 100% calc(var(--h) * 100%) no-repeat; }
.cursor { position: absolute; inset: 0 20px 0 var(--head); pointer-events: none; }
.cursor i { position: absolute; top: 28px; bottom: -6px; left: calc(var(--now) * 100% / var(--n)); width: calc(100% / var(--n) - 1px); border-radius: 6px; background: color-mix(in srgb, var(--accent) 13%, transparent); box-shadow: inset 0 0 0 1.5px var(--accent); }
body:not(.live) .cursor { display: none; }

.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin-top: 10px; font-size: 14px; }
thead th { color: var(--soft); font-weight: 500; font-size: 12.5px; }
th, td { text-align: left; padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody th { font-weight: 560; white-space: normal; overflow-wrap: anywhere; min-width: 130px; }
.number { text-align: right; padding-right: 0; padding-left: 16px; }
td .meter { display: inline-block; width: 72px; margin-right: 12px; --color: var(--accent); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 0 48px; }
.warnings, .why { margin-top: 10px; padding-left: 18px; }
.warnings { list-style: none; padding: 0; }
.scopes dt { font-weight: 600; margin-top: 10px; }
.scopes dd { max-width: 80ch; }
.warnings li { padding: 8px 0; border-bottom: 1px solid var(--line); }
.run { margin-top: 10px; }
.run div { display: grid; grid-template-columns: 110px 1fr; align-items: baseline; padding: 4px 0; }
.columns h3 { margin-top: 18px; }
.why { color: var(--soft); font-size: 13.5px; margin-top: 6px; }
footer { margin-top: 48px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
#tip { position: fixed; z-index: 10; max-width: min(420px, 90vw); padding: 5px 10px; border-radius: 7px; background: var(--ink); color: var(--paper); font-size: 13px; pointer-events: none; }
@media (max-width: 760px) {
  body { padding: 24px 16px 40px; }
  .stage { grid-template-columns: 1fr; }
  .chart { --head: 128px; }
  .label { padding-left: 14px; }
}
@media print {
  body { max-width: none; padding: 0; }
  .controls, .seek { display: none; }
  section { break-inside: avoid; }
}
`;
