/** Where an adapter looked and listened, as files: the frame of each second with its heat map, the spectrogram of the clip with its, and the weights of layers. */
import type { RgbImage } from '../../contract/clip.ts';
import { jsonText } from '../../contract/plain-text.ts';
import { drawPictureAttention, drawSoundAttention } from '../../explain/index.ts';
import type { ExplainedSecond, ExplainedSense } from '../../tasks/types.ts';
import type { Findings } from './findings.ts';
import { encodePng } from './png.ts';

/** The folder of an explained result beside the document: `attention`, `attention-2` for the second. Which adapter it is stands in `layers.json`. */
export const ATTENTION_FOLDER = /^attention(-\d+)?$/;
export const ATTENTION_FILES = /^(\d{3,}-seen\.png|heard\.png|layers\.json)$/;

/** A spectrogram is so many pixels wide for each second, and as a whole never wider than the most. */
const secondWidth = 96;
const mostWidth = 8192;
const soundHeight = 192;

/** Paths and contents, one after another: none where nothing was explained. */
export function* attentionFiles({
  results,
  thumbnails,
}: Findings): Generator<[path: string, content: string | Uint8Array]> {
  let ordinal = 0;
  for (const { adapter, explanation } of results) {
    if (!explanation) continue;
    const folder = ordinal === 0 ? 'attention' : `attention-${ordinal + 1}`;
    ordinal++;
    for (const [index, second] of explanation.entries()) {
      const frame = thumbnails[index];
      if (frame && second.picture?.map)
        yield [`${folder}/${String(index).padStart(3, '0')}-seen.png`, seen(frame, second)];
    }
    if (explanation.some(({ sound }) => sound?.map)) yield [`${folder}/heard.png`, heard(explanation)];
    yield [`${folder}/layers.json`, `${jsonText({ adapter, seconds: explanation.map(weightsOf) }, 2)}\n`];
  }
}

function seen({ width, height, data }: RgbImage, second: ExplainedSecond): Uint8Array {
  const pixels = { width, height, data: new Uint8Array(4 * width * height).fill(255) };
  for (let i = 0; i < width * height; i++) pixels.data.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  drawPictureAttention(pixels, second);
  return encodePng(pixels);
}

function heard(explanation: readonly ExplainedSecond[]): Uint8Array {
  const width = Math.min(mostWidth, secondWidth * explanation.length);
  const pixels = { width, height: soundHeight, data: new Uint8Array(4 * width * soundHeight).fill(255) };
  drawSoundAttention(pixels, explanation, { ink: [40, 44, 52] });
  return encodePng(pixels);
}

function weightsOf({ start, end, picture, sound }: ExplainedSecond): object {
  const layers = (sense: ExplainedSense | null) =>
    sense && Object.fromEntries(sense.layers.map(({ tap, weight }) => [tap, Number(weight.toFixed(6))]));
  return { start, end, picture: layers(picture), sound: layers(sound) };
}
