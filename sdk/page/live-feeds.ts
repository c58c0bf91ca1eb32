/** Running sources of a page as feeds: tracks of a camera or microphone, elements that play, and the streams that processors of tracks give. */
import type { LiveFeeds, LiveFrame, LiveSound, LiveSource, LiveStreams } from '../contract/live.ts';
import { MettleError } from '../errors.ts';

/** In the types of browsers that have it. */
declare class MediaStreamTrackProcessor<T> {
  constructor(init: { track: MediaStreamTrack });
  readonly readable: ReadableStream<T>;
}

type Capturing = HTMLMediaElement & { captureStream?(): MediaStream; mozCaptureStream?(): MediaStream };

/** Throws `invalid-argument` for what is no running source, `unsupported-codec` where the browser cannot hand out its pictures or sound. */
export function feedsOf(source: LiveSource): LiveFeeds {
  if (typeof source === 'string' || source instanceof URL) {
    throw new MettleError('invalid-argument', 'A page cannot watch an address by itself.', {
      hint: 'Let a <video> play it and watch the element, or analyze the file.',
    });
  }
  if (source instanceof MediaStream) return ofStream(source);
  if (source instanceof HTMLMediaElement) return ofElement(source);
  if ('audio' in source || 'video' in source) return ofStreams(source as LiveStreams);
  return source as LiveFeeds;
}

function ofElement(element: Capturing): LiveFeeds {
  const capture = element.captureStream ?? element.mozCaptureStream;
  if (element.srcObject instanceof MediaStream) return ofStream(element.srcObject);
  if (capture) return ofStream(capture.call(element));
  throw new MettleError('unsupported-codec', 'This browser does not hand out what an element plays.', {
    hint: 'Watch the MediaStream behind it, or analyze the file.',
  });
}

function ofStream(stream: MediaStream): LiveFeeds {
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  if (!audio && !video) {
    throw new MettleError(
      'invalid-argument',
      'The MediaStream has no track; expected one of sound, of pictures, or both.',
      {
        hint: 'Ask for them: navigator.mediaDevices.getUserMedia({ audio: true, video: true }).',
      },
    );
  }
  return ofStreams({ audio: audio && processorOf<AudioData>(audio), video: video && processorOf<VideoFrame>(video) });
}

function processorOf<T>(track: MediaStreamTrack): ReadableStream<T> {
  if (typeof MediaStreamTrackProcessor === 'function') return new MediaStreamTrackProcessor<T>({ track }).readable;
  throw new MettleError('unsupported-codec', `This browser does not hand out the ${track.kind} of a MediaStream.`, {
    hint: 'Chromium does; elsewhere give { sound, frames } of your own, for example from an AudioWorklet and a canvas.',
  });
}

/** Both streams on one clock, which begins when this is called: their own time stamps count from different moments, but each runs evenly from its first item on. */
function ofStreams({ audio, video }: LiveStreams): LiveFeeds {
  const began = performance.now();
  const zeroOf = () => {
    let zero: number | null = null;
    return (timestamp: number): number => {
      zero ??= timestamp / 1e6 - (performance.now() - began) / 1000;
      return Math.max(0, timestamp / 1e6 - zero);
    };
  };
  return {
    ...(audio && { sound: mapped(audio, zeroOf(), soundOf) }),
    ...(video && { frames: mapped(video, zeroOf(), (frame, time): LiveFrame => ({ time, frame })) }),
  };
}

async function* mapped<T extends { timestamp: number; close(): void }, U>(
  stream: ReadableStream<T>,
  timeOf: (timestamp: number) => number,
  make: (item: T, time: number) => U,
): AsyncGenerator<U> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield make(value, timeOf(value.timestamp));
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function soundOf(data: AudioData, time: number): LiveSound {
  const channels = Array.from({ length: data.numberOfChannels }, (_, planeIndex) => {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex, format: 'f32-planar' });
    return samples;
  });
  const { sampleRate } = data;
  data.close();
  return { time, channels, sampleRate };
}
