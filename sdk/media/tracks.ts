/** Which streams of a container are analysed, whether they can be decoded here, and how long they last. */
import {
  EncodedPacketSink,
  type InputAudioTrack,
  type InputTrack,
  type InputVideoTrack,
  IsobmffInputFormat,
} from 'mediabunny';
import { sources } from '#bytes';
import type { AudioTrack, VideoTrack } from '../contract/clip.ts';
import { MettleError, type Warning } from '../errors.ts';
import { tryOtherLevels } from './codec-strings.ts';
import { chooseColor, type YuvColor } from './color.ts';
import { isFinal } from './damage.ts';
import type { GuardedInput } from './guarded-input.ts';
import type { Edit } from './isobmff-boxes.ts';
import type { Orientation } from './planes.ts';
import { beginning, endOf, moved, type Span, spansOf } from './timeline.ts';

/** Longer clips are taken for a damaged time stamp. */
const longestHours = 24;

/** A sound with another rate is no sound: below it there is nothing to hear. In Hz. */
const [lowestRate, highestRate] = [1000, 768_000];

export type VideoStream = {
  track: InputVideoTrack;
  info: VideoTrack;
  color: YuvColor;
  orientation: Orientation;
  spans: readonly Span[];
};
export type AudioStream = {
  track: InputAudioTrack;
  info: AudioTrack;
  spans: readonly Span[];
  /** Whether time stamps count samples before the sound that the decoder leaves out by itself. */
  countsPriming: boolean;
};
export type Streams = {
  video: VideoStream | null;
  audio: AudioStream | null;
  /** Seconds. */
  duration: number;
  warnings: Warning[];
};

/** Finds what there is to analyse. Throws `not-media`, `empty-media`, `unsupported-codec` or `missing-package`. */
export async function findStreams({ input, movie, warnings }: GuardedInput): Promise<Streams> {
  const all = await input.getTracks();
  if (all.length === 0 && (await input.getFormat()) instanceof IsobmffInputFormat) {
    throw new MettleError(
      'not-media',
      'The file has no index of its streams; expected a complete MP4 or QuickTime file.',
      {
        hint: 'It was probably cut off while it was recorded or copied: fetch it again completely.',
      },
    );
  }
  const hasStream = all.some((track) => track.isVideoTrack() || track.isAudioTrack());
  if (!hasStream) {
    throw new MettleError(
      'empty-media',
      'The container holds neither picture nor sound; expected at least one of them.',
      {
        hint: 'Choose a file with a video or an audio stream.',
      },
    );
  }
  const video = await chooseTrack<InputVideoTrack>((filter) => input.getPrimaryVideoTrack({ filter }), warnings);
  const audio = await chooseTrack<InputAudioTrack>((filter) => input.getPrimaryAudioTrack({ filter }), warnings);
  const edits = (track: InputTrack) => movie?.edits.get(track.id);
  const picture = video && (await videoStream(video, edits(video), warnings));
  const sound = audio && (await audioStream(audio, edits(audio), movie !== null, warnings));
  const streams = beginAtZero([picture, sound], [video && edits(video), audio && edits(audio)]);
  const duration = Math.max(...streams.map((stream) => (stream ? endOf(stream.spans) : 0)));
  checkDuration(duration, warnings);
  await warnOfSeveral(all, video, audio, warnings);
  if (!video) warnings.unshift({ code: 'no-picture', message: 'The clip has no picture: only its sound is analysed.' });
  if (!audio) warnings.unshift({ code: 'no-audio', message: 'The clip has no sound: only its picture is analysed.' });
  return { video: streams[0] as VideoStream | null, audio: streams[1] as AudioStream | null, duration, warnings };
}

/** The container's first choice; where that cannot be decoded, its next one, with a warning. Tracks that hold nothing are passed over. */
async function chooseTrack<Track extends InputVideoTrack | InputAudioTrack>(
  choose: (filter: (track: Track) => boolean) => Promise<Track | null>,
  warnings: Warning[],
): Promise<Track | null> {
  const passed = new Set<Track>();
  let refusal: { error: MettleError; track: Track } | undefined;
  while (true) {
    const track = await choose((candidate) => !passed.has(candidate));
    if (!track) break;
    passed.add(track);
    if (!(await new EncodedPacketSink(track).getFirstPacket({ metadataOnly: true }))) continue;
    try {
      await demandDecoder(track);
    } catch (error) {
      if (!(error instanceof MettleError && error.code === 'unsupported-codec')) throw error;
      refusal ??= { error, track };
      continue;
    }
    if (refusal) {
      const message = `${refusal.error.message} Another ${track.type} stream is analysed in its place: number ${track.number} (${await codecName(track)}).`;
      warnings.push({ code: 'other-stream', message });
    }
    return track;
  }
  if (refusal) throw refusal.error;
  return null;
}

/** Takes off what lies before the first moment that a player shows. */
function beginAtZero<Stream extends VideoStream | AudioStream>(
  streams: (Stream | null)[],
  edits: (readonly Edit[] | null | undefined)[],
): (Stream | null)[] {
  const starts = streams.flatMap((stream, i) => (stream ? [beginning(edits[i] ?? undefined, stream.spans)] : []));
  const origin = Math.max(0, Math.min(...starts));
  return streams.map((stream) => stream && { ...stream, spans: moved(stream.spans, origin) });
}

function checkDuration(duration: number, warnings: Warning[]): void {
  if (duration > 0 && duration <= longestHours * 3600) return;
  if (duration > 0) {
    throw new MettleError(
      'not-media',
      `The clip claims to last ${Math.round(duration / 3600)} hours; expected at most ${longestHours}.`,
      {
        hint: 'Its time stamps are probably damaged: re-encode it, or cut it into shorter files.',
      },
    );
  }
  if (warnings.some(({ code }) => code === 'truncated')) {
    throw new MettleError('not-media', 'The file ends before its first frame; expected a complete media file.', {
      hint: 'It was probably cut off while it was recorded or copied: fetch it again completely.',
    });
  }
  throw new MettleError('empty-media', 'The clip lasts 0 seconds; expected a stream with some duration.', {
    hint: 'Choose a file whose video or audio stream holds more than one instant.',
  });
}

async function videoStream(
  track: InputVideoTrack,
  edits: readonly Edit[] | undefined,
  warnings: Warning[],
): Promise<VideoStream> {
  const codec = await track.getCodec();
  const [codedWidth, codedHeight] = [await track.getCodedWidth(), await track.getCodedHeight()];
  const rotation = await track.getRotation();
  return {
    track,
    info: {
      codec: await codecName(track),
      width: await track.getDisplayWidth(),
      height: await track.getDisplayHeight(),
      rotation,
    },
    color: chooseColor(await track.getColorSpace(), codec, codedWidth, codedHeight),
    orientation: { rotation, flip: await track.getFlip() },
    spans: spansOf(edits, await firstPicture(track), await readableEnd(track, 'picture', warnings)),
  };
}

/** A piece of a running stream may begin between key frames: nothing is on screen before the first. */
async function firstPicture(track: InputVideoTrack): Promise<number> {
  const key = await new EncodedPacketSink(track).getFirstKeyPacket({ metadataOnly: true });
  return key?.timestamp ?? (await track.getFirstTimestamp());
}

async function audioStream(
  track: InputAudioTrack,
  edits: readonly Edit[] | undefined,
  tellsPriming: boolean,
  warnings: Warning[],
): Promise<AudioStream> {
  const sampleRate = await track.getSampleRate();
  if (!(sampleRate >= lowestRate && sampleRate <= highestRate)) {
    throw new MettleError(
      'not-media',
      `The sound claims ${sampleRate} samples per second; expected ${lowestRate} to ${highestRate}.`,
      { hint: 'The header is probably damaged: fetch the file again, or re-encode it.' },
    );
  }
  const first = (await track.getFirstTimestamp()) + (tellsPriming ? 0 : await primingOf(track));
  return {
    track,
    info: {
      codec: await codecName(track),
      channels: await track.getNumberOfChannels(),
      sampleRate,
    },
    spans: spansOf(edits, first, await readableEnd(track, 'sound', warnings)),
    countsPriming: tellsPriming,
  };
}

/** Samples that encoders of today put before the sound. MP3: 576, and 529 for the decoder. */
const priming: Partial<Record<string, number>> = { mp3: 1105, ac3: 256, eac3: 256 };

/**
 * Seconds that encoders put before the sound, and that only MP4 and QuickTime tell: AAC begins with one packet of it. Opus and Vorbis decoders leave it out by themselves.
 */
async function primingOf(track: InputAudioTrack): Promise<number> {
  const codec = await track.getCodec();
  if (codec !== 'aac') return (priming[codec ?? ''] ?? 0) / (await track.getSampleRate());
  return (await new EncodedPacketSink(track).getFirstPacket({ metadataOnly: true }))?.duration ?? 0;
}

/** End of the last packet whose bytes are there, in seconds. An index at the front of a file that was cut off promises more than that. */
async function readableEnd(track: InputTrack, what: string, warnings: Warning[]): Promise<number> {
  const packets = new EncodedPacketSink(track);
  const damagedIsNone = (error: unknown): null => {
    if (isFinal(error)) throw error;
    return null;
  };
  const packetAt = (time: number) => packets.getPacket(time).catch(damagedIsNone);
  const declared = (await track.getDurationFromMetadata().catch(damagedIsNone)) ?? 0;
  const indexed = (await track.computeDuration().catch(damagedIsNone)) ?? declared;
  let end = indexed;
  if (indexed > 0 && !(await packetAt(Number.POSITIVE_INFINITY))) {
    end = 0;
    // Packets lie in the file in about the order of time, so what is readable is a beginning.
    for (let from = await track.getFirstTimestamp(), to = indexed; to - from > 0.01; ) {
      const middle = (from + to) / 2;
      const packet = await packetAt(middle);
      if (packet) {
        from = middle;
        end = Math.max(end, packet.timestamp + packet.duration);
      } else to = middle;
    }
  }
  const promised = Math.max(declared, indexed);
  if (end < promised - 0.5) {
    const message = `The ${what} ends at ${end.toFixed(2)} s, where the file is cut off; its header promises ${promised.toFixed(2)} s.`;
    warnings.push({ code: 'truncated', message });
  }
  return end;
}

/**
 * Throws `unsupported-codec`, or in Node `missing-package` where the optional package would be needed: PCM is decoded without it. A damaged header makes
 * mediabunny's own error.
 */
export async function demandDecoder(track: InputVideoTrack | InputAudioTrack): Promise<void> {
  // Fails where the header is damaged, which canDecode() would report as a missing codec.
  await track.getDecoderConfig();
  if (await track.canDecode()) return;
  await sources.prepareDecoders();
  if (await track.canDecode()) return;
  if (track.isVideoTrack() && (await tryOtherLevels(track))) return;
  const what = track.isVideoTrack() ? 'picture' : 'sound';
  throw new MettleError(
    'unsupported-codec',
    `The ${what} is coded as ${await codecName(track)}, which cannot be decoded here.`,
    {
      hint: 'Re-encode the clip as H.264 or VP9 with AAC or Opus, for example: ffmpeg -i clip.mp4 -c:v libx264 -pix_fmt yuv420p -c:a aac out.mp4',
    },
  );
}

/** Common name of the codec, or the container's own where it is unknown. */
async function codecName(track: InputTrack): Promise<string> {
  const codec = await track.getCodec();
  if (codec === 'avc') return 'h264';
  if (codec) return codec;
  const id = await track.getInternalCodecId();
  return typeof id === 'string' || typeof id === 'number' ? `"${id}"` : 'an unknown codec';
}

async function warnOfSeveral(
  all: InputTrack[],
  video: InputTrack | null,
  audio: InputTrack | null,
  warnings: Warning[],
): Promise<void> {
  for (const chosen of [video, audio]) {
    if (!chosen) continue;
    const count = all.filter((track) => track.type === chosen.type).length;
    if (count < 2) continue;
    const message = `The file holds ${count} ${chosen.type} streams; number ${chosen.number} (${await codecName(chosen)}) is analysed.`;
    warnings.push({ code: 'several-streams', message });
  }
}
