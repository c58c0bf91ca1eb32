/** Extracted frames: PNG by a reader of our own, JPEG by node-av, an optional package that decoding clips needs anyway. */
import type { RgbImage } from '../../contract/clip.ts';
import { bytesText, limits } from '../../contract/limits.ts';
import { MettleError } from '../../errors.ts';
import { prepareDecoders } from '../decoder.ts';
import { rgbOf } from '../rgb-frame.ts';
import { decodePng } from './png-reader.ts';

/** A PNG or JPEG as RGB; transparency is ignored. Throws `invalid-file` that begins with `where`, or `missing-package` for JPEG without a decoder. */
export async function readPicture(bytes: Uint8Array, where = 'picture'): Promise<RgbImage> {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return await decodeJpeg(bytes, where);
  if (bytes[0] !== 0x89) {
    throw new MettleError('invalid-file', `${where}: neither PNG nor JPEG.`, { hint: 'Convert the picture to PNG.' });
  }
  const { width, height, channels, data } = decodePng(bytes, where);
  if (channels === 3) return { width, height, data };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = data[i * channels + (channels === 4 ? c : 0)]!;
  }
  return { width, height, data: rgb };
}

async function decodeJpeg(bytes: Uint8Array, where: string): Promise<RgbImage> {
  await prepareDecoders();
  const av = await import('node-av');
  try {
    await using input = await av.Demuxer.open(Buffer.from(bytes), { format: 'jpeg_pipe' });
    const stream = input.video();
    if (!stream) throw new Error('there is no picture in it');
    const { width, height } = stream.codecpar;
    const { pictureSide, pictureBytes } = limits;
    if (width < 1 || height < 1 || width > pictureSide || height > pictureSide) {
      throw new Error(`${width} x ${height} pixels, expected 1 to ${pictureSide} along each side`);
    }
    if (width * height * 3 > pictureBytes) {
      const [found, most] = [bytesText(width * height * 3), bytesText(pictureBytes)];
      throw new Error(`${width} x ${height} pixels take ${found}, expected at most ${most}`);
    }
    using decoder = await av.Decoder.create(stream);
    for await (const frame of decoder.frames(input.packets(stream.index))) {
      if (!frame) continue;
      using decoded = frame;
      return await rgbOf(av, decoded);
    }
    throw new Error('it holds no complete picture');
  } catch (cause) {
    throw new MettleError('invalid-file', `${where}: the JPEG cannot be decoded (${(cause as Error).message}).`, {
      hint: 'Save the picture again, as PNG if possible.',
      cause,
    });
  }
}
