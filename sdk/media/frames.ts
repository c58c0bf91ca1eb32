/**
 * Pictures of a stream at given times. Decoding goes forward through the packets and takes what is on screen as it passes; where the index knows a later key frame, packets
 * before it are left out. A damaged place does not end a clip: decoding goes on with the next time, and the caller is told once.
 */
import { type EncodedPacket, EncodedPacketSink, type VideoSample, VideoSampleSink } from 'mediabunny';
import { segmentCount, segmentTimes } from '../contract/segment-time.ts';
import { damaged, isFinal, type Warn } from './damage.ts';
import { boundary, decodePackets } from './packet-decoder.ts';
import { type CopiedFrame, copyFrame } from './planes.ts';
import { streamTime } from './timeline.ts';
import type { VideoStream } from './tracks.ts';

/** Containers round time stamps, Matroska to a millisecond; a frame counts from this many seconds before its own on. */
const roundingSeconds = 4e-4;

/** One frame per segment: the one on screen at its middle, or the nearest one that could be decoded. Null where none can. */
export async function* decodeFrames(
  stream: VideoStream,
  duration: number,
  warn: Warn,
): AsyncGenerator<CopiedFrame | null> {
  const times = Array.from({ length: segmentCount(duration) }, (_, index) =>
    streamTime(stream.spans, segmentTimes(index, duration).middle),
  );
  let last: CopiedFrame | null = null;
  let waiting = 0;
  let tried: EncodedPacket | null = null;
  for (let next = 0; next < times.length; ) {
    const search: FrameSearch = new FrameSearch(stream, ascending(times, next), tried);
    try {
      for await (const frame of search.frames()) {
        next++;
        last = frame;
        for (; waiting > 0; waiting--) yield last;
        yield last;
      }
      if (!search.failed) continue;
    } catch (error) {
      if (isFinal(error)) throw error;
    }
    warn(damaged('picture', segmentTimes(next, duration).start));
    tried = search.tried;
    next++;
    if (last) yield last;
    else waiting++;
  }
  for (; waiting > 0; waiting--) yield null;
}

/** The times from `start` on, as far as they rise: a film may show the same stretch twice. */
function ascending(times: readonly number[], start: number): number[] {
  let end = start + 1;
  while (end < times.length && times[end]! >= times[end - 1]!) end++;
  return times.slice(start, end);
}

class FrameSearch {
  readonly #stream: VideoStream;
  readonly #times: readonly number[];
  readonly #packets: EncodedPacketSink;
  #found = 0;
  /** The last packet that was given to a decoder, now or before; nothing begins at or before it again. */
  tried: EncodedPacket | null;
  /** No frame came out at all. */
  failed = false;

  /** Begins behind `tried`, which led to an error. */
  constructor(stream: VideoStream, times: readonly number[], tried: EncodedPacket | null) {
    this.tried = tried;
    this.#stream = stream;
    this.#times = times;
    this.#packets = new EncodedPacketSink(stream.track);
  }

  /** A frame for each time, in order. */
  async *frames(): AsyncGenerator<CopiedFrame> {
    const sink = new VideoSampleSink(this.#stream.track, { hardwareAcceleration: 'prefer-software' });
    let shown: VideoSample | null = null;
    let next: VideoSample | null = null;
    let copy: CopiedFrame | null = null;
    try {
      for await (next of decodePackets(sink, this.#path(), this.#stream.info.codec)) {
        // Before the first frame the first frame is shown.
        shown ??= next;
        while (this.#found < this.#times.length && next.timestamp > this.#times[this.#found]! + roundingSeconds) {
          copy ??= await copyFrame(shown);
          this.#found++;
          yield copy;
        }
        if (this.#found === this.#times.length) return;
        if (shown !== next) shown.close();
        shown = next;
        copy = null;
      }
      if (!shown) {
        this.failed = true;
        return;
      }
      copy = await copyFrame(shown);
      for (; this.#found < this.#times.length; this.#found++) yield copy;
    } finally {
      shown?.close();
      if (next !== shown) next?.close();
    }
  }

  /** Packets from the key frame before the first time on, and at each further time from the one before it, if that lies ahead. */
  async *#path(): AsyncGenerator<EncodedPacket | typeof boundary> {
    let aim = 0;
    let packet = await this.#start();
    while (packet) {
      this.tried = packet;
      yield packet;
      if (this.#found > aim && this.#found < this.#times.length) {
        aim = this.#found;
        const key = await this.#keyBefore(this.#times[aim]!);
        if (key && key.sequenceNumber > packet.sequenceNumber) {
          yield boundary;
          packet = key;
          continue;
        }
      }
      packet = await this.#packets.getNextPacket(packet);
    }
  }

  async #start(): Promise<EncodedPacket | null> {
    const key = await this.#keyBefore(this.#times[0]!);
    if (this.tried) {
      if (key && key.sequenceNumber > this.tried.sequenceNumber) return key;
      return await this.#packets.getNextKeyPacket(this.tried, { verifyKeyPackets: true });
    }
    return (
      key ??
      (await this.#packets.getFirstKeyPacket({ verifyKeyPackets: true })) ??
      (await this.#packets.getFirstPacket())
    );
  }

  /** Null also where a container without an index hides a key frame that it has: then what follows is decoded in order. */
  #keyBefore(time: number): Promise<EncodedPacket | null> {
    return this.#packets.getKeyPacket(time, { verifyKeyPackets: true });
  }
}
