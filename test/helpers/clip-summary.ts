/** What a decoded clip is, in a few numbers that can be committed and compared between a page and Node. Runs in both. */

import type { ClipSource } from '../../sdk/contract/clip.ts';
import { openClip } from '../../sdk/media/clip.ts';

export type ClipSummary = {
  duration: number;
  segments: number;
  video: string | null;
  audio: string | null;
  warnings: string[];
  /** CRC-32 of all frames (48 x 36) and thumbnails (20 high), one after the other. */
  frames: string;
  /** Mean R, G, B of the middle segment's frame. */
  mean: number[];
  /** Root mean square of each second of PCM at 16 kHz. */
  rms: number[];
  /** The sample in the middle of each second. */
  probes: number[];
};

export const summaryFormat = { frame: { width: 48, height: 36 }, sampleRate: 16_000, thumbnailHeight: 20 };

export async function summarize(source: ClipSource): Promise<ClipSummary> {
  await using clip = await openClip(source);
  let crc = 0;
  let mean: number[] = [];
  const rms: number[] = [];
  const probes: number[] = [];
  for await (const { index, frame, thumbnail, pcm } of clip.segments(summaryFormat)) {
    if (frame) crc = crc32(frame.data, crc);
    if (thumbnail) crc = crc32(thumbnail.data, crc);
    if (frame && index === clip.segmentCount >> 1) mean = [0, 1, 2].map((channel) => channelMean(frame.data, channel));
    if (pcm) {
      rms.push(round(Math.sqrt(pcm.reduce((sum, value) => sum + value * value, 0) / pcm.length)));
      probes.push(round(pcm[pcm.length >> 1]!));
    }
  }
  return {
    duration: round(clip.duration),
    segments: clip.segmentCount,
    video: clip.video?.codec ?? null,
    audio: clip.audio?.codec ?? null,
    warnings: clip.warnings.map(({ code }) => code).sort(),
    frames: crc.toString(16).padStart(8, '0'),
    mean,
    rms,
    probes,
  };
}

function channelMean(data: Uint8Array, channel: number): number {
  let sum = 0;
  for (let i = channel; i < data.length; i += 3) sum += data[i]!;
  return round(sum / (data.length / 3));
}

const round = (value: number) => Number(value.toFixed(5));

function crc32(bytes: Uint8Array, start: number): number {
  let crc = ~start;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
