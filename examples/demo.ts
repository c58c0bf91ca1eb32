/**
 * `npm run demo`: clips that the shipped models never saw, what the models make of them, and the truth beneath it. Prints a timeline of each clip and the seconds
 * that are right, and writes a report of all clips to `out/demo/`, with the films and, where pixels are asked for, a strip of annotated frames.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { main } from '../sdk/cli/main.ts';
import { paintFor } from '../sdk/cli/terminal.ts';
import { createMettle, type Mettle } from '../sdk/index.ts';
import { encodePng } from '../sdk/node/output/png.ts';
import { type DemoClip, makeClip, shippedKinds } from './clips.ts';
import { annotatedFrames, stripOf } from './demo/frames.ts';
import { reportOf } from './demo/report.ts';
import { clipText, summaryText, untrainedText } from './demo/text.ts';
import type { Answer } from './demo/types.ts';
import { compare } from './truth.js';

const folder = 'out/demo';
const clipsPerKind = 2;

const films = process.argv.slice(2);
if (films.length > 0) {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new DOMException('Interrupted.', 'AbortError')));
  const { signal } = controller;
  const { stdout, stderr, env } = process;
  process.exit(await main(['run', ...films, '--out', folder], { stdout, stderr, env, signal }));
}
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const kinds = await shippedKinds();
const paint = paintFor(process.stdout, process.env);
await using mettle = await createMettle({ adapters: kinds.map(({ adapter }) => adapter) });
const answers: Answer[] = [];
for (const kind of kinds) {
  for (let ordinal = 0; ordinal < clipsPerKind; ordinal++) {
    const answer = await answerTo(mettle, await makeClip(kind, ordinal));
    if (answers.length === 0) console.log(untrainedText(answer.result.untrained, paint));
    console.log(clipText(answer, paint));
    answers.push(answer);
  }
}
console.log(summaryText(answers, paint));
await writeFile(`${folder}/report.html`, reportOf(answers, mettle.info()));
console.log(`Report: ${folder}/report.html`);

/** Analyzes a clip by the adapter of its kind alone, and keeps the film and the annotated frames. */
async function answerTo(mettle: Mettle, clip: DemoClip): Promise<Answer> {
  const film = `${folder}/${clip.id}.webm`;
  await writeFile(film, clip.film);
  const frames: Answer['frames'] = [];
  const { results, segments, timing } = await mettle.analyze(film, {
    tasks: [clip.kind.task],
    thumbnailHeight: 120,
    onSegment: ({ thumbnail }) => frames.push(thumbnail!),
  });
  const result = results.find(({ adapter }) => adapter === clip.kind.adapter)!;
  const comparison = compare(result, clip.truth);
  if (result.task === 'segment') {
    const annotated = annotatedFrames(frames, result.masks, clip.truth);
    await writeFile(`${folder}/${clip.id}.png`, encodePng(stripOf(annotated)));
    frames.splice(0, frames.length, ...annotated);
  }
  return { clip, result, comparison, frames, segmentMs: timing.modelMs / segments };
}
