/**
 * Packets in, decoded samples out, one after the other. mediabunny's own sinks stop for good where a decoder takes forty packets and gives nothing, and search a time stamp from
 * the index, which can fail; this only goes forward.
 */
import type { AudioSample, AudioSampleSink, EncodedPacket, VideoSample, VideoSampleSink } from 'mediabunny';
import { isHidden } from './hidden-frames.ts';

/** The decoder that a sink of mediabunny would use: WebCodecs, a registered one, or its own for PCM, with its workarounds for browsers. */
type Decoder = {
  /** Those of packets whose frames a browser's decoder still owes, ascending. */
  inputTimestamps?: number[];
  getDecodeQueueSize(): number;
  decode(packet: EncodedPacket): void;
  flush(): Promise<void>;
  close(): void;
};

type DecoderSource<Sample> = {
  _createDecoder(onSample: (sample: Sample) => void, onError: (error: unknown) => void): Promise<Decoder>;
};

/** Everything so far is to be decoded before what follows, which does not build on it. */
export const boundary = Symbol('boundary');

/** Packets that a decoder may have before it. */
const mostWaiting = 8;

export function decodePackets(
  sink: VideoSampleSink,
  packets: AsyncIterable<EncodedPacket | typeof boundary>,
  codec: string,
): AsyncGenerator<VideoSample>;
export function decodePackets(
  sink: AudioSampleSink,
  packets: AsyncIterable<EncodedPacket | typeof boundary>,
): AsyncGenerator<AudioSample>;
/** Yields what `packets` hold in order of presentation; the caller closes each sample. Throws the decoder's error, or that of `packets`. */
export async function* decodePackets(
  sink: VideoSampleSink | AudioSampleSink,
  packets: AsyncIterable<EncodedPacket | typeof boundary>,
  codec = '',
): AsyncGenerator<VideoSample | AudioSample> {
  const ready: (VideoSample | AudioSample)[] = [];
  let failure: { error: unknown } | undefined;
  let isOver = false;
  let wake = () => {};
  const decoder = await (sink as unknown as DecoderSource<VideoSample | AudioSample>)._createDecoder(
    (sample) => {
      // A decoder may be at work on packets from before it was closed.
      if (isOver) return sample.close();
      ready.push(sample);
      wake();
    },
    (error) => {
      failure ??= { error };
      wake();
    },
  );
  const progress = () =>
    new Promise<void>((resolve) => {
      // Some packets give no sample; a decoder tells only of samples.
      const timer = setTimeout(resolve, 2);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const check = () => {
    if (failure) throw failure.error;
  };
  try {
    for await (const packet of packets) {
      check();
      if (packet === boundary) await decoder.flush();
      else decode(decoder, packet, codec);
      while (true) {
        check();
        const sample = ready.shift();
        if (sample) yield sample;
        else if (decoder.getDecodeQueueSize() < mostWaiting) break;
        else await progress();
      }
    }
    await decoder.flush();
    check();
    for (let sample = ready.shift(); sample; sample = ready.shift()) yield sample;
  } finally {
    isOver = true;
    decoder.close();
    for (const sample of ready) sample.close();
  }
}

function decode(decoder: Decoder, packet: EncodedPacket, codec: string): void {
  decoder.decode(packet);
  const owed = decoder.inputTimestamps;
  if (owed && isHidden(codec, packet.data)) owed.splice(owed.lastIndexOf(packet.timestamp), 1);
}
