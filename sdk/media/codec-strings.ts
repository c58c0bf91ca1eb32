/**
 * Repairs the codec string of a track whose decoder is refused because of it: some writers claim a level that does not exist or that the picture exceeds (Chromium's own recorder
 * writes VP9 level 0 into MP4). Players look at the stream; so a common level of the same profile is tried in its place.
 */
import type { InputVideoTrack } from 'mediabunny';

/** Makes `track` decodable where another level does; resolves with whether it is. */
export async function tryOtherLevels(track: InputVideoTrack): Promise<boolean> {
  const config = await track.getDecoderConfig();
  if (!config) return false;
  const backing = (track as unknown as { _backing: { getDecoderConfig(): Promise<VideoDecoderConfig | null> } })
    ._backing;
  const plain = backing.getDecoderConfig;
  for (const codec of otherLevels(config.codec)) {
    backing.getDecoderConfig = async () => ({ ...config, codec });
    if (await track.canDecode()) return true;
  }
  backing.getDecoderConfig = plain;
  return false;
}

/** The codec string with levels that cover pictures up to 1920 x 1080 and to 4096 x 2160. Formats: RFC 6381, and the bindings of VP9, AV1 and HEVC to ISO base media. */
function otherLevels(codec: string): string[] {
  const replace = (pattern: RegExp, levels: string[]): string[] =>
    pattern.test(codec) ? levels.map((level) => codec.replace(pattern, `$1${level}`)) : [];
  return [
    ...replace(/^(vp09\.\d\d\.)\d\d/, ['41', '51']),
    ...replace(/^(av01\.\d\.)\d\d/, ['08', '13']),
    ...replace(/^(avc[13]\.[0-9a-f]{4})[0-9a-f]{2}/i, ['28', '33']),
    ...replace(/^(h[ev][vc]1\.[^.]+\.[^.]+\.[LH])\d+/, ['123', '153']),
  ];
}
