/** All sound of a stream, mixed to mono, in pieces that lie on the clip's time line. A damaged place does not end it: decoding goes on a second later. */
import { type AudioSample, AudioSampleSink, type EncodedPacket, EncodedPacketSink } from 'mediabunny';
import type { SoundPiece } from './audio-seconds.ts';
import { damaged, isFinal, type Warn } from './damage.ts';
import { createDownmix } from './downmix.ts';
import { decodePackets } from './packet-decoder.ts';
import type { Span } from './timeline.ts';
import type { AudioStream } from './tracks.ts';

/** Decoding begins this many seconds before a stretch, so that codecs that build on what was before are settled. */
const runUp = 0.1;

/** What the spans of the stream show, cut to the sample. */
export async function* decodeSound(stream: AudioStream, warn: Warn): AsyncGenerator<SoundPiece> {
  const downmix = createDownmix(warn);
  for (const span of stream.spans) {
    for await (const { time, channels, sampleRate } of piecesOf(stream, span, warn)) {
      const first = Math.max(0, Math.round((span.from - time) * sampleRate));
      const end = Math.max(0, Math.round((span.to - time) * sampleRate));
      const cut = channels.map((channel) => channel.subarray(first, end));
      if (cut[0]!.length === 0) continue;
      const at = span.at + time + first / sampleRate - span.from;
      yield { time: at, sampleRate, samples: downmix(cut, sampleRate, at) };
    }
  }
}

type Piece = { time: number; sampleRate: number; channels: Float32Array[] };

async function* piecesOf(stream: AudioStream, span: Span, warn: Warn): AsyncGenerator<Piece> {
  let decodedTo = span.from;
  let start = await firstPacket(stream, span);
  while (start) {
    let last = start;
    try {
      for await (const piece of decodeFrom(stream, start, (packet) => {
        last = packet;
      })) {
        if (piece.time >= span.to) return;
        yield piece;
        decodedTo = piece.time + piece.channels[0]!.length / piece.sampleRate;
      }
      return;
    } catch (error) {
      if (isFinal(error)) throw error;
      warn(damaged('sound', decodedTo - span.from + span.at));
      decodedTo = Math.max(decodedTo, last.timestamp) + 1;
      start = await packetAfter(stream, last, decodedTo);
    }
  }
}

async function* decodeFrom(
  stream: AudioStream,
  start: EncodedPacket,
  onPacket: (packet: EncodedPacket) => void,
): AsyncGenerator<Piece> {
  let lag: number | null = null;
  for await (const sample of decodePackets(new AudioSampleSink(stream.track), follow(stream, start, onPacket))) {
    try {
      lag ??= lagOf(stream, start, sample);
      yield { time: sample.timestamp - lag, sampleRate: sample.sampleRate, channels: channelsOf(sample) };
    } finally {
      sample.close();
    }
  }
}

/**
 * Seconds by which the decoder dates its samples late. Vorbis decoders give nothing for the first packet; a page dates what follows by the first packet, Node by the
 * second: the page's way is taken for both. Opus decoders leave out the beginning of the first packet, and date the rest by its start.
 */
function lagOf({ info, countsPriming }: AudioStream, start: EncodedPacket, first: AudioSample): number {
  if (info.codec === 'vorbis') return first.timestamp - start.timestamp;
  return info.codec === 'opus' && countsPriming ? Math.min(0, first.duration - start.duration) : 0;
}

async function* follow(stream: AudioStream, start: EncodedPacket, onPacket: (packet: EncodedPacket) => void) {
  const packets = new EncodedPacketSink(stream.track);
  for (let packet: EncodedPacket | null = start; packet; packet = await packets.getNextPacket(packet)) {
    onPacket(packet);
    yield packet;
  }
}

async function firstPacket({ track, spans }: AudioStream, span: Span): Promise<EncodedPacket | null> {
  const packets = new EncodedPacketSink(track);
  const near = span === spans[0] ? null : await packets.getKeyPacket(span.from - runUp);
  return near ?? (await packets.getFirstPacket());
}

/** The packet at `time`, or the next one if that was already tried. */
async function packetAfter({ track }: AudioStream, last: EncodedPacket, time: number): Promise<EncodedPacket | null> {
  const packets = new EncodedPacketSink(track);
  const later = await packets.getPacket(time);
  return later && later.sequenceNumber > last.sequenceNumber ? later : await packets.getNextPacket(last);
}

function channelsOf(sample: AudioSample): Float32Array[] {
  return Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
}
