/** A running source by its address, read with FFmpeg: a camera's stream, a pipe, or a file at the pace at which it plays. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Decoder, Demuxer, Frame, Packet } from 'node-av';
import type { LiveFeeds, LiveFrame, LiveSound } from '../contract/live.ts';
import { MettleError } from '../errors.ts';
import { prepareDecoders } from './decoder.ts';
import { rgbOf } from './rgb-frame.ts';

type Av = typeof import('node-av');

/** Pictures nearer to each other than this are not needed. In seconds. */
const frameStep = 0.1;
/** Decoded pieces that wait to be taken, of each sense. */
const mostWaiting = 64;

/** Opened with the first piece that is asked for, and closed when both feeds have ended. */
export function openAddress(address: string): LiveFeeds {
  const reader = new AddressReader(address);
  return { sound: reader.sound.items(), frames: reader.frames.items() };
}

/** Pieces of one sense, between the reader that makes and the feed that takes them. */
class Waiting<T> {
  readonly #items: T[] = [];
  readonly #begin: () => void;
  readonly #left: () => void;
  #wake: (() => void)[] = [];
  #ended = false;
  #failure: { error: unknown } | null = null;

  constructor(begin: () => void, left: () => void) {
    this.#begin = begin;
    this.#left = left;
  }

  /** Waits where too many are left. */
  async put(item: T): Promise<void> {
    if (this.#ended) return;
    this.#items.push(item);
    this.#stir();
    while (this.#items.length >= mostWaiting && !this.#ended) await this.#change();
  }

  end(failure?: { error: unknown }): void {
    this.#ended = true;
    this.#failure ??= failure ?? null;
    this.#stir();
  }

  async *items(): AsyncGenerator<T> {
    this.#begin();
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#stir();
          yield item;
        } else if (this.#failure) throw this.#failure.error;
        else if (this.#ended) return;
        else await this.#change();
      }
    } finally {
      this.#ended = true;
      this.#stir();
      this.#left();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

class AddressReader {
  readonly sound: Waiting<LiveSound>;
  readonly frames: Waiting<LiveFrame>;
  readonly #address: string;
  #demuxer: Demuxer | null = null;
  #began = false;
  #readers = 2;
  /** Seconds of the first piece. */
  #zero: number | null = null;
  #lastFrame = Number.NEGATIVE_INFINITY;

  constructor(address: string) {
    this.#address = address;
    const begin = (): void => {
      if (!this.#began) void this.#run();
      this.#began = true;
    };
    const left = (): void => {
      this.#readers--;
      if (this.#readers === 0) this.#demuxer?.interrupt();
    };
    this.sound = new Waiting(begin, left);
    this.frames = new Waiting(begin, left);
  }

  /** Never rejects: what fails ends both feeds. */
  async #run(): Promise<void> {
    try {
      await this.#read();
      this.sound.end();
      this.frames.end();
    } catch (error) {
      const failure = { error: this.#readers > 0 ? failed(this.#address, error) : error };
      this.sound.end(failure);
      this.frames.end(failure);
    }
  }

  async #read(): Promise<void> {
    await prepareDecoders();
    const av = await import('node-av');
    await using demuxer = await av.Demuxer.open(pathOf(this.#address), {
      options: /^rtsps?:/i.test(this.#address) ? { rtsp_transport: 'tcp' } : {},
    });
    this.#demuxer = demuxer;
    const [video, audio] = [demuxer.video(), demuxer.audio()];
    if (!video) this.frames.end();
    if (!audio) this.sound.end();
    using pictures = video && (await av.Decoder.create(video));
    using sound = audio && (await av.Decoder.create(audio));
    const pace = (await isRegularFile(this.#address)) ? performance.now() : null;
    for await (const packet of demuxer.packets()) {
      if (this.#readers === 0) return;
      if (!packet) break;
      using _ = packet;
      if (video && packet.streamIndex === video.index) await this.#decodePictures(av, pictures!, packet, pace);
      if (audio && packet.streamIndex === audio.index) await this.#decodeSound(av, sound!, packet, pace);
    }
    if (pictures) await this.#decodePictures(av, pictures, null, pace);
  }

  async #decodePictures(av: Av, decoder: Decoder, packet: Packet | null, pace: number | null): Promise<void> {
    for (const frame of await decoder.decodeAll(packet)) {
      using decoded = frame;
      const time = this.#timeOf(decoded);
      if (time - this.#lastFrame < frameStep) continue;
      this.#lastFrame = time;
      const picture = await rgbOf(av, decoded);
      await keepPace(time, pace);
      await this.frames.put({ time, frame: picture });
    }
  }

  async #decodeSound(av: Av, decoder: Decoder, packet: Packet, pace: number | null): Promise<void> {
    for (const frame of await decoder.decodeAll(packet)) {
      using decoded = frame;
      const time = this.#timeOf(decoded);
      const channels = channelsOf(av, decoded);
      await keepPace(time, pace);
      await this.sound.put({ time, channels, sampleRate: decoded.sampleRate });
    }
  }

  #timeOf({ pts, timeBase: { num, den } }: Frame): number {
    const time = (Number(pts) * num) / den;
    this.#zero ??= time;
    return Math.max(0, time - this.#zero);
  }
}

/** Waits until what lies at `time` seconds is to be shown, where a file is read that is there already. */
async function keepPace(time: number, began: number | null): Promise<void> {
  if (began === null) return;
  const early = time * 1000 - (performance.now() - began);
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
}

function channelsOf(av: Av, frame: Frame): Float32Array[] {
  const { channels, nbSamples, extendedData, data } = frame;
  const planes = extendedData ?? data;
  const format = frame.format as number;
  const kind = sampleKinds(av).find(({ packed, planar }) => packed === format || planar === format);
  if (!kind || !planes) {
    throw new MettleError('unsupported-codec', `Sound of FFmpeg's sample format ${format} cannot be read.`, {
      hint: 'Let the source send PCM, AAC or Opus.',
    });
  }
  const isPlanar = kind.planar === format;
  return Array.from({ length: channels }, (_, channel) => {
    const { buffer, byteOffset, byteLength } = planes[isPlanar ? channel : 0]!;
    const view = new DataView(buffer, byteOffset, byteLength);
    const [step, first] = isPlanar ? [kind.bytes, 0] : [kind.bytes * channels, channel * kind.bytes];
    return Float32Array.from({ length: nbSamples }, (_, i) => kind.read(view, first + i * step));
  });
}

type SampleKind = { packed: number; planar: number; bytes: number; read(view: DataView, at: number): number };

const sampleKinds = (av: Av): SampleKind[] => [
  { packed: av.AV_SAMPLE_FMT_FLT, planar: av.AV_SAMPLE_FMT_FLTP, bytes: 4, read: (v, at) => v.getFloat32(at, true) },
  {
    packed: av.AV_SAMPLE_FMT_S16,
    planar: av.AV_SAMPLE_FMT_S16P,
    bytes: 2,
    read: (v, at) => v.getInt16(at, true) / 2 ** 15,
  },
  {
    packed: av.AV_SAMPLE_FMT_S32,
    planar: av.AV_SAMPLE_FMT_S32P,
    bytes: 4,
    read: (v, at) => v.getInt32(at, true) / 2 ** 31,
  },
  { packed: av.AV_SAMPLE_FMT_DBL, planar: av.AV_SAMPLE_FMT_DBLP, bytes: 8, read: (v, at) => v.getFloat64(at, true) },
  {
    packed: av.AV_SAMPLE_FMT_U8,
    planar: av.AV_SAMPLE_FMT_U8P,
    bytes: 1,
    read: (v, at) => (v.getUint8(at) - 128) / 128,
  },
];

const pathOf = (address: string): string => (/^file:/i.test(address) ? fileURLToPath(address) : address);

const isRegularFile = (address: string): Promise<boolean> =>
  stat(pathOf(address)).then(
    (found) => found.isFile(),
    () => false,
  );

function failed(address: string, cause: unknown): unknown {
  if (cause instanceof MettleError) return cause;
  const shown = address.replace(/^([a-z][\w+.-]*:\/\/)[^/@]*@/i, '$1');
  return new MettleError('network', `${shown} cannot be watched: ${(cause as Error).message}`, {
    hint: 'Check the address with ffprobe. "Protocol not found" means that the FFmpeg of node-av was built without it.',
    cause,
  });
}
