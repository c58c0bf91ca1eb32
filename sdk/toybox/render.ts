/** The picture of a clip at an instant, and the masks that belong to it. */
import { drawBackdrop, drawOccluder } from './backdrop.ts';
import { type Canvas, createCanvas, drawLayer, type Placement } from './canvas.ts';
import { toyObjects } from './objects/index.ts';
import type { Actor, Pose, ToyClip } from './types.ts';

export type Renderer = {
  /**
   * Draws the instant `time` (seconds) into a canvas that the next call draws over. `owner` is 1 + the actor's place in `clip.actors`, 0 where none is in front.
   */
  draw(time: number): Canvas;
};

/** Pictures of `width` x `height` pixels; the world of 4 to 3 is stretched to them. */
export function createRenderer(clip: ToyClip, width: number, height: number): Renderer {
  const backdrop = drawBackdrop(clip.backdrop, clip.light, width, height);
  const canvas = createCanvas(width, height);
  return {
    draw(time) {
      canvas.rgb.set(backdrop.rgb);
      canvas.owner.fill(0);
      for (const [index, actor] of clip.actors.entries()) {
        const presence = presenceOf(actor, time);
        if (presence === 0) continue;
        const place = placementOf(actor, time, presence);
        for (const part of toyObjects.get(actor.label)!.look(poseOf(actor, time))) {
          drawLayer(canvas, part, place, clip.light, index + 1);
        }
        if (actor.occluder) drawOccluder(canvas, actor.occluder, clip.light);
      }
      return canvas;
    },
  };
}

/** 255 where an actor is in front that is heard in this second, 0 elsewhere: [height, width]. */
export function soundingMask(clip: ToyClip, { owner }: Canvas, second: number): Uint8Array<ArrayBuffer> {
  const sounding = clip.actors.map(({ heard }) => heard[second]!);
  return owner.map((number) => (number > 0 && sounding[number - 1] ? 255 : 0));
}

/** The instant that stands for a second. */
export const centreOf = (second: number): number => second + 0.5;

const growing = 0.15;

/** 0 away, 1 there: things grow and shrink within the first and last moments of the seconds in which they are seen. */
function presenceOf({ seen }: Actor, time: number): number {
  const second = Math.min(seen.length - 1, Math.floor(time));
  if (!seen[second]) return 0;
  const inside = time - second;
  const before = second === 0 || seen[second - 1] ? 1 : inside / growing;
  const after = second === seen.length - 1 || seen[second + 1] ? 1 : (1 - inside) / growing;
  return Math.min(1, Math.max(0.05, Math.min(before, after)));
}

function placementOf({ place, drift }: Actor, time: number, presence: number): Placement {
  const wave = Math.sin(0.9 * time + drift.phase);
  return {
    x: place.x + drift.x * wave,
    y: place.y + drift.y * Math.cos(0.7 * time + drift.phase),
    size: place.size * presence * (1 + drift.grow * wave),
    angle: place.angle + drift.turn * wave,
  };
}

/** What an actor is doing; public for tests. */
export function poseOf({ moving, strokes, look }: Actor, time: number): Pose {
  const second = Math.min(moving.length - 1, Math.floor(time));
  let [low, high] = [0, strokes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (strokes[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  const far = Number.POSITIVE_INFINITY;
  const [last, next] = [strokes[low - 1], strokes[low]];
  const since = last === undefined ? far : time - last;
  const gap = last === undefined ? far : next === undefined ? 0.7 : next - last;
  // A pause of a second is the end of a run of strokes: nothing swings until the next one.
  const resting = !moving[second] || gap > 1 || since > gap;
  return { time, moving: moving[second]!, strokes: low, since: resting ? far : since, gap: resting ? far : gap, look };
}
