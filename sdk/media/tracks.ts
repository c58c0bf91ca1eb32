/** Which streams of a container are analysed, whether they can be decoded here, and how long they last. */
import {
  ADTS,
  EncodedPacketSink,
  FLAC,
  type Input,
  type InputAudioTrack,
  type InputTrack,
  type InputVideoTrack,
  IsobmffInputFormat,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WAVE,
  WEBM,
} from 'mediabunny';
import { sources } from '#bytes';
import type { AudioTrack, VideoTrack } from '../contract/clip.ts';
import { MettleError, type Warning } from '../errors.ts';
import { chooseColor, type YuvColor } from './color.ts';
import type { Orientation } from './planes.ts';

/** Files only: a playlist would make requests to hosts that the caller did not name. */
export const containerFormats = [MP4, QTFF, WEBM, MATROSKA, WAVE, OGG, FLAC, MP3, ADTS, MPEG_TS];

/** Longer clips are taken for a damaged time stamp. */
const longestHours = 24;

export type VideoStream = {
  track: InputVideoTrack;
  info: VideoTrack;
  color: YuvColor;
  orientation: Orientation;
  firstTime: number;
  endTime: number;
};
export type AudioStream = { track: InputAudioTrack; info: AudioTrack; firstTime: number; endTime: number };
export type Streams = {
  video: VideoStream | null;
  audio: AudioStream | null;
  /** Seconds. */
  duration: number;
  warnings: Warning[];
};

/** Finds what there is to analyse. Throws `not-media`, `empty-media`, `unsupported-codec` or `missing-package`. */
export async function findStreams(input: Input): Promise<Streams> {
  const warnings: Warning[] = [];
  const format = await input.getFormat();
  const all = await input.getTracks();
  if (all.length === 0 && format instanceof IsobmffInputFormat) {
    throw new MettleError(
      'not-media',
      'The file has no index of its streams; expected a complete MP4 or QuickTime file.',
      {
        hint: 'It was probably cut off while it was recorded or copied: fetch it again completely.',
      },
    );
  }
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  if (!video && !audio) {
    throw new MettleError(
      'empty-media',
      'The container holds neither picture nor sound; expected at least one of them.',
      {
        hint: 'Choose a file with a video or an audio stream.',
      },
    );
  }
  for (const track of [video, audio]) if (track) await demandDecoder(track);
  const picture = video && (await videoStream(video, warnings));
  const sound = audio && (await audioStream(audio, warnings));
  const duration = Math.max(picture?.endTime ?? 0, sound?.endTime ?? 0);
  checkDuration(duration, warnings);
  await warnOfSeveral(all, video, audio, warnings);
  if (!video) warnings.unshift({ code: 'no-picture', message: 'The clip has no picture: only its sound is analysed.' });
  if (!audio) warnings.unshift({ code: 'no-audio', message: 'The clip has no sound: only its picture is analysed.' });
  return { video: picture, audio: sound, duration, warnings };
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

async function videoStream(track: InputVideoTrack, warnings: Warning[]): Promise<VideoStream> {
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
    firstTime: await track.getFirstTimestamp(),
    endTime: await readableEnd(track, 'picture', warnings),
  };
}

async function audioStream(track: InputAudioTrack, warnings: Warning[]): Promise<AudioStream> {
  return {
    track,
    info: {
      codec: await codecName(track),
      channels: await track.getNumberOfChannels(),
      sampleRate: await track.getSampleRate(),
    },
    firstTime: await track.getFirstTimestamp(),
    endTime: await readableEnd(track, 'sound', warnings),
  };
}

/** End of the last packet whose bytes are there, in seconds. An index at the front of a file that was cut off promises more than that. */
async function readableEnd(track: InputTrack, what: string, warnings: Warning[]): Promise<number> {
  const declared = (await track.getDurationFromMetadata()) ?? 0;
  const indexed = await track.computeDuration();
  const packets = new EncodedPacketSink(track);
  let end = indexed;
  if (indexed > 0 && !(await packets.getPacket(Number.POSITIVE_INFINITY))) {
    end = 0;
    // Packets lie in the file in about the order of time, so what is readable is a beginning.
    for (let from = await track.getFirstTimestamp(), to = indexed; to - from > 0.01; ) {
      const middle = (from + to) / 2;
      const packet = await packets.getPacket(middle);
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
