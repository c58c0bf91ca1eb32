/** Curves of a training as one HTML file: loss per step and score per evaluation, no script, no network. */
import { html } from '../output/html.ts';

export type LogLine = { step: number; epoch: number; loss: number; rate: number; score?: number };

const [width, height] = [720, 200];

/** Points of a series scaled into the box, as an SVG path. */
function path(points: readonly (readonly [x: number, y: number])[], [low, high]: readonly [number, number]): string {
  const last = Math.max(1, ...points.map(([x]) => x));
  const span = high - low || 1;
  return points
    .map(([x, y], i) => {
      const at = `${((x / last) * width).toFixed(1)} ${(height - ((y - low) / span) * height).toFixed(1)}`;
      return `${i === 0 ? 'M' : 'L'}${at}`;
    })
    .join(' ');
}

const rangeOf = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];

export function curvesHtml(title: string, log: readonly LogLine[]): string {
  const losses = log.map(({ step, loss }) => [step, loss] as const);
  const scores = log.flatMap(({ step, score }) => (score === undefined ? [] : [[step, score] as const]));
  const chart = (name: string, points: readonly (readonly [number, number])[]) => {
    if (points.length === 0) return html`<p>No ${name} yet.</p>`;
    const bounds = rangeOf(points.map(([, y]) => y));
    return html`<figure>
<figcaption>${name}: ${bounds[0].toPrecision(4)} to ${bounds[1].toPrecision(4)}, last ${points.at(-1)![1].toPrecision(4)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name} over steps"><path d="${path(points, bounds)}"/></svg>
</figure>`;
  };
  return html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; }
svg { width: 100%; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 6px; }
path { fill: none; stroke: #0f766e; stroke-width: 2; vector-effect: non-scaling-stroke; }
</style>
<h1>${title}</h1>
<p>${log.length} steps, ${(log.at(-1)?.epoch ?? -1) + 1} epochs.</p>
${chart('loss', losses)}
${chart('validation score', scores)}
</html>
`.text;
}
