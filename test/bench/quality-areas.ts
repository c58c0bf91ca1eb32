/** How much of a predicted mask lies where it should be dark: on things that make no sound, known exactly in a made-up world where every pixel has an owner, and in seconds without a sound. */
import type { MaskImage } from '../../sdk/node/data/index.ts';
import { centreOf, createRenderer, type ToyClip } from '../../sdk/toybox/index.ts';
import type { DatasetItem } from '../../sdk/train/data/types.ts';
import type { SilentShare } from './quality-runs.ts';

type Sum = { frames: number; pixels: number; silent: number; taken: number };
const nothing = (): Sum => ({ frames: 0, pixels: 0, silent: 0, taken: 0 });

/** Sums over clips; frames without a silent thing in view do not count. */
export class SilentArea {
  readonly #all = nothing();
  readonly #alike = nothing();

  /** `logits` [seconds, height, width], the mask of each second before the sigmoid. */
  add(clip: ToyClip, logits: Float32Array, { width, height }: { width: number; height: number }): void {
    const renderer = createRenderer(clip, width, height);
    const pixels = width * height;
    for (let second = 0; second < logits.length / pixels; second++) {
      const { owner } = renderer.draw(centreOf(second));
      const mask = logits.subarray(second * pixels, (second + 1) * pixels);
      const sounding = new Set(clip.actors.filter(({ heard }) => heard[second]).map(({ label }) => label));
      const silent = clip.actors.map(({ heard }) => !heard[second]);
      count(this.#all, mask, owner, silent);
      count(
        this.#alike,
        mask,
        owner,
        silent.map((on, actor) => on && sounding.has(clip.actors[actor]!.label)),
      );
    }
  }

  /** Of all silent things, and of those of a kind that sounds at the same time. */
  shares(): { all: SilentShare; alike: SilentShare } {
    return { all: shareOf(this.#all), alike: shareOf(this.#alike) };
  }
}

/** Sums over the seconds of clips with masks whose mask is empty: there nothing sounds. */
export class QuietArea {
  readonly #read: (path: string) => Promise<MaskImage>;
  #seconds = 0;
  #taken = 0;

  constructor(read: (path: string) => Promise<MaskImage>) {
    this.#read = read;
  }

  /** `logits` [seconds, height, width], the mask of each second before the sigmoid. */
  async add({ labels }: DatasetItem, logits: Float32Array): Promise<void> {
    if (labels.task !== 'segment') return;
    const pixels = logits.length / labels.masks.length;
    for (const [second, path] of labels.masks.entries()) {
      if (path === null || (await this.#read(path)).data.some((value) => value > 0)) continue;
      this.#seconds++;
      this.#taken += logits.subarray(second * pixels, (second + 1) * pixels).filter((x) => x > 0).length / pixels;
    }
  }

  share(): { seconds: number; ofPicture: number } {
    return { seconds: this.#seconds, ofPicture: (100 * this.#taken) / Math.max(1, this.#seconds) };
  }
}

/** A probability above one half is a logit above zero. */
function count(sum: Sum, mask: Float32Array, owner: ArrayLike<number>, chosen: readonly boolean[]): void {
  let [area, taken] = [0, 0];
  for (let i = 0; i < mask.length; i++) {
    const number = owner[i]!;
    if (number === 0 || !chosen[number - 1]) continue;
    area++;
    if (mask[i]! > 0) taken++;
  }
  if (area === 0) return;
  sum.frames++;
  sum.pixels += mask.length;
  sum.silent += area;
  sum.taken += taken;
}

const shareOf = ({ frames, pixels, silent, taken }: Sum): SilentShare => ({
  frames,
  ofPicture: (100 * taken) / Math.max(1, pixels),
  ofObjects: (100 * taken) / Math.max(1, silent),
});
