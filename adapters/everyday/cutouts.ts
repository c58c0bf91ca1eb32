/**
 * The store of cut-outs: of photographs before a plain ground by `cutout.ts`, of what DeepLabV3 knows by its answer. Made once, kept as PNG with transparency.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RgbImage } from '../../sdk/contract/clip.ts';
import type { Split } from '../../sdk/contract/split.ts';
import { resizeImage } from '../../sdk/front-end/resize.ts';
import { decodePng } from '../../sdk/node/data/png-reader.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { writeWhole } from '../../sdk/node/toybox/pool.ts';
import { type CutOut, cutByMask, cutOut } from './cutout.ts';
import { openPhoto, type Photo } from './photos.ts';

/** Classes of Pascal VOC by folder of Caltech-101; a cougar is cat, dog, cow or sheep to a network that knows no other. */
const known: Readonly<Record<string, readonly number[]>> = {
  faces: [15],
  dalmatian: [12],
  pigeon: [3],
  ibis: [3],
  emu: [3],
  flamingo: [3],
  rooster: [3],
  airplanes: [1],
  cougar_body: [8, 10, 12, 13, 17],
  car_side: [7],
  motorbikes: [14],
  ferry: [4],
  chair: [9],
};
const side = 257;
/** Of each folder no more are tried. */
const most: Readonly<Record<Split, number>> = { train: 70, val: 12, test: 20 };
const listName = 'cutouts.json';

/** Names of the photographs that gave one. `model` is DeepLabV3 as ONNX. */
export async function makeCutOuts(photos: readonly Photo[], model: string, folder: string): Promise<Set<string>> {
  const list = join(folder, listName);
  if (existsSync(list)) return new Set(JSON.parse(await readFile(list, 'utf8')) as string[]);
  const segment = await openNetwork(model);
  const tried = new Map<string, number>();
  const names: string[] = [];
  for (const photo of photos) {
    const key = `${photo.folder} ${photo.split}`;
    const count = tried.get(key) ?? 0;
    tried.set(key, count + 1);
    if (count >= most[photo.split]) continue;
    const image = await openPhoto(photo);
    const classes = known[photo.folder];
    const cut = classes ? cutByMask(image, await segment(image, classes)) : cutOut(image);
    if (!cut) continue;
    await writeWhole(pathOf(folder, photo), encodePng({ width: cut.width, height: cut.height, data: rgba(cut) }));
    names.push(photo.name);
  }
  await writeWhole(list, JSON.stringify(names));
  return new Set(names);
}

const pathOf = (folder: string, { name }: Photo): string => join(folder, name.replace(/\.[^.]+$/, '.png'));

export async function openCutOut(folder: string, photo: Photo): Promise<CutOut> {
  const path = pathOf(folder, photo);
  const { width, height, data } = decodePng(await readFile(path), path);
  const cut = { width, height, rgb: new Uint8Array(width * height * 3), alpha: new Uint8Array(width * height) };
  for (let i = 0; i < width * height; i++) {
    cut.rgb.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
    cut.alpha[i] = data[4 * i + 3]!;
  }
  return cut;
}

function rgba({ rgb, alpha }: CutOut): Uint8Array {
  const data = new Uint8Array(alpha.length * 4);
  for (let i = 0; i < alpha.length; i++) {
    data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    data[4 * i + 3] = alpha[i]!;
  }
  return data;
}

type Segment = (image: RgbImage, classes: readonly number[]) => Promise<Uint8Array>;

async function openNetwork(path: string): Promise<Segment> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
  return async (image, classes) => {
    const { data } = resizeImage(image, side, side);
    const input = new Float32Array(3 * side * side);
    for (let i = 0; i < side * side; i++) {
      for (let c = 0; c < 3; c++) input[c * side * side + i] = (data[3 * i + c]! - 128) / 128;
    }
    const given = await session.run({ [session.inputNames[0]!]: new Tensor('float32', input, [1, 3, side, side]) });
    const { data: logits, dims } = given.logits!;
    return enlarge(logits as Float32Array, dims as [number, number, number, number], image, classes);
  };
}

/** 1 where one of `classes` has the largest logit, which lie on a grid whose corners are those of the picture. */
function enlarge(
  logits: Float32Array,
  [, count, rows, columns]: readonly [number, number, number, number],
  { width, height }: RgbImage,
  classes: readonly number[],
): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const v = (y / (height - 1)) * (rows - 1);
    const top = Math.min(rows - 2, Math.floor(v));
    for (let x = 0; x < width; x++) {
      const u = (x / (width - 1)) * (columns - 1);
      const left = Math.min(columns - 2, Math.floor(u));
      let [best, winner] = [Number.NEGATIVE_INFINITY, 0];
      for (let c = 0; c < count; c++) {
        const at = (c * rows + top) * columns + left;
        const above = logits[at]! + (logits[at + 1]! - logits[at]!) * (u - left);
        const below = logits[at + columns]! + (logits[at + columns + 1]! - logits[at + columns]!) * (u - left);
        const value = above + (below - above) * (v - top);
        if (value > best) [best, winner] = [value, c];
      }
      if (classes.includes(winner)) mask[y * width + x] = 1;
    }
  }
  return mask;
}
