/** The files of one clip: its film, masks where it has some, and a note of what it is made of, which the tables are put together from. */
import { join } from 'node:path';
import type { Split } from '../../sdk/contract/split.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { encodeFilm } from '../../sdk/node/toybox/film.ts';
import { writeWhole } from '../../sdk/node/toybox/pool.ts';
import { createCamera, size } from './camera.ts';
import type { CutOut } from './cutout.ts';
import { openCutOut } from './cutouts.ts';
import { openPhoto, type Photo, photoCredit } from './photos.ts';
import { type ClipPlan, type Truth, truthOf } from './plan.ts';
import { maskOf } from './plan-masks.ts';
import { soundtrackOf } from './soundtrack.ts';

/** Frames per second: even, so that a frame begins at the centre of every second; no model reads more of a film than that. */
const frameRate = 2;

export type Used = {
  kind: 'sound' | 'photo';
  name: string;
  author: string;
  licence: string;
  source: string;
  series: string;
};
export type Note = Truth & { id: string; split: Split; used: Used[] };

/** `out` gets `clips/ID.webm`, `masks/ID/SECOND.png` and, last of all, `notes/ID.json`. */
export async function writeClip(plan: ClipPlan, out: string, cutOutFolder: string, masks: boolean): Promise<void> {
  const [photos, cutOuts] = [new Map<Photo, Awaited<ReturnType<typeof openPhoto>>>(), new Map<Photo, CutOut>()];
  for (const { photo, props } of plan.shots) {
    photos.set(photo, await openPhoto(photo));
    for (const prop of props) cutOuts.set(prop.photo, await openCutOut(cutOutFolder, prop.photo));
  }
  const camera = createCamera(plan.shots, { photos, cutOuts });
  const { id, seconds, seed, quality } = plan;
  const film = await encodeFilm({ seconds, seed, frameRate, quality }, camera, soundtrackOf(plan));
  await writeWhole(join(out, 'clips', `${id}.webm`), film);
  for (let second = 0; masks && second < seconds; second++) {
    const data = maskOf(plan, camera.draw(second + 0.5), second);
    await writeWhole(join(out, 'masks', id, `${second}.png`), encodePng({ ...size, data }));
  }
  await writeWhole(
    noteOf(out, id),
    `${JSON.stringify({ ...truthOf(plan), id, split: plan.split, used: usedIn(plan) } satisfies Note)}\n`,
  );
}

export const noteOf = (out: string, id: string): string => join(out, 'notes', `${id}.json`);

function usedIn({ excerpts, shots }: ClipPlan): Used[] {
  const sounds = excerpts.map(({ recording: { name, author, licence, source, series } }): Used => {
    return { kind: 'sound', name, author, licence, source, series };
  });
  const photos = shots.flatMap(({ photo, props }) => [photo, ...props.map((prop) => prop.photo)]);
  return [...sounds, ...photos.map(({ name }): Used => ({ kind: 'photo', name, ...photoCredit, series: name }))];
}
