/** What every peer is: opened once, then asked for the numbers of a picture. And the picture, which is the same for all. */
import type { RgbImage } from '../../../sdk/contract/clip.ts';

export type Run = (picture: RgbImage) => Promise<ArrayLike<number>>;
/** `read` gives the bytes of a file that lies beside the bundle. */
export type Open<C> = (config: C, read: (path: string) => Promise<Uint8Array>) => Promise<Run>;

/** Milliseconds of a run, and its numbers. */
export type Answer = { ms: number; numbers: number[] };

/** A picture with edges and slopes, RGB. */
export function testPicture(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const block = ((x >> 4) + (y >> 4)) % 2;
      data.set([(255 * x) / width, 255 * block, 128 + 100 * Math.sin((x * y) / 500)], 3 * (y * width + x));
    }
  }
  return { width, height, data };
}

export async function timedRun(run: Run, picture: RgbImage): Promise<Answer> {
  const start = performance.now();
  const numbers = await run(picture);
  return { ms: performance.now() - start, numbers: Array.from(numbers) };
}
