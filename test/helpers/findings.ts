/** Findings about a clip of 2.5 s, made by hand, with names that try to break out of wherever they are written. */
import type { NamedArray } from '../../sdk/contract/model.ts';
import type { Findings } from '../../sdk/node/output/findings.ts';
import type { ResultContext } from '../../sdk/tasks/context.ts';
import { toLocalization } from '../../sdk/tasks/localization.ts';
import { toParsing } from '../../sdk/tasks/parsing.ts';
import { toMask, toSegmentation } from '../../sdk/tasks/segmentation.ts';

export const HOSTILE_NAME = `a"b'<img src=x onerror=alert(1)>&amp;</script><!--\u202e\u0007.mp4`;
export const HOSTILE_LABEL = '</script><script>document.title="owned"</script>';

const array = (rows: number[][]): NamedArray => ({
  shape: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
});

export function findings(change: Partial<ResultContext> = {}): Findings {
  const context: ResultContext = {
    adapter: 'tiny-<i>ave</i>',
    classes: ['Dog', HOSTILE_LABEL],
    duration: 2.5,
    segments: 3,
    hasAudio: true,
    hasPicture: true,
    untrained: false,
    ...change,
  };
  const logits = array([
    [4, 0, 0],
    [0, 0, 4],
    [0, 4, 0],
  ]);
  const heard = array([
    [0.9, 0.1],
    [0.9, 0.8],
    [0.2, 0.8],
  ]);
  const masks = [0, 1, 2].map((index) => {
    const data = Float32Array.from({ length: 48 }, (_, pixel) => (pixel % 8 < 2 + 2 * index ? 3 : -3));
    return toMask({ mask: { shape: [1, 1, 6, 8], data } }, context, index);
  });
  return {
    name: HOSTILE_NAME,
    duration: context.duration,
    segments: 3,
    video: context.hasPicture ? { codec: 'avc', width: 640, height: 360, rotation: 0 } : null,
    audio: context.hasAudio ? { codec: 'aac', channels: 2, sampleRate: 48000 } : null,
    warnings: [{ code: 'truncated', message: 'The file <ends> early.' }],
    results: [
      toLocalization({ logits }, context),
      toParsing({ audio: heard, visual: heard, audioClip: heard, visualClip: heard }, context),
      toSegmentation(masks, context),
    ],
    timing: { decodeMs: 12.3456789, modelMs: 2345, totalMs: 2400 },
    engine: {
      device: 'cpu',
      variant: 'wasm',
      runtime: 'onnxruntime-node 1.30.0',
      threads: 2,
      gpu: null,
      why: ['There is no <GPU> here.'],
      backbone: { id: 'nano', version: '1.0.0' },
      adapters: [{ id: context.adapter, version: '1.0.0', task: 'localize' }],
      loadMs: 100,
      warmupMs: 20,
      warnings: [],
    },
    thumbnails: [0, 1, 2].map((index) =>
      context.hasPicture ? { width: 16, height: 9, data: new Uint8Array(432).fill(60 * index) } : null,
    ),
  };
}
