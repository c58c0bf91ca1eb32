/** One pass over a clip that answers nothing: where each of its seconds lies among those that an adapter learned from. */
import { untilAborted } from './abort.ts';
import { type CallOptions, callRules } from './analyze.ts';
import type { Clip } from './contract/clip.ts';
import { type Rules, text } from './contract/options.ts';
import { formatOf } from './contract/pair.ts';
import type { LoadedEngine } from './load.ts';
import type { Resident } from './residents.ts';
import type { Embedding } from './tasks/similar.ts';

/** What `embed` takes. */
export type EmbedOptions = Omit<CallOptions, 'unfamiliar' | 'explain'> & {
  /** Whose meta-tokens. Default: the first adapter. */
  adapter?: string;
};

export const embedRules: Rules<EmbedOptions> = {
  signal: callRules.signal,
  onProgress: callRules.onProgress,
  adapter: text,
};

/** Rejects with `signal.reason` when aborted. */
export async function embedClip(
  { engine, backbone }: Pick<LoadedEngine, 'engine' | 'backbone'>,
  clip: Clip,
  { key, manifest }: Pick<Resident, 'key' | 'manifest'>,
  { signal, onProgress }: EmbedOptions,
): Promise<Embedding> {
  const total = clip.segmentCount;
  const seconds: Embedding['seconds'] = [];
  onProgress?.({ phase: 'segments', done: 0, total });
  for await (const { frame, pcm, start, end } of clip.segments(formatOf(backbone), { signal })) {
    const place = engine.embed(key, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
    const found = await untilAborted(place, signal);
    seconds.push({ start, end, audio: found.audio?.data ?? null, visual: found.visual?.data ?? null });
    onProgress?.({ phase: 'segments', done: seconds.length, total });
  }
  return { adapter: manifest.id, duration: clip.duration, seconds, warnings: [...clip.warnings] };
}
