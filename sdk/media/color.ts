/**
 * From luma and chroma to RGB. Which matrix applies is decided from the track alone, never from what a decoder reports per frame: decoders fill in missing
 * values differently. Transfer curves and primaries are left as they are: no tone mapping of HDR, no gamut conversion.
 */

/** `matrix` and `range` as in ITU-T H.273, by their WebCodecs names. */
export type YuvColor = { matrix: 'bt709' | 'bt601' | 'bt2020' | 'rgb'; fullRange: boolean };

export type DeclaredColor = { matrix?: string | null; fullRange?: boolean | null } | null;

/**
 * The colour conversion of a track. What it declares counts. Where it declares nothing: VP8 is BT.601 by its specification (RFC 6386, 9.2); otherwise pictures
 * at least 1280 wide or more than 576 high are BT.709 and smaller ones BT.601, as common players guess; the range is limited.
 */
export function chooseColor(declared: DeclaredColor, codec: string | null, width: number, height: number): YuvColor {
  const fullRange = declared?.fullRange ?? false;
  const matrix = declared?.matrix;
  if (matrix === 'rgb') return { matrix: 'rgb', fullRange };
  if (matrix === 'bt709') return { matrix: 'bt709', fullRange };
  if (matrix === 'bt2020-ncl') return { matrix: 'bt2020', fullRange };
  if (matrix === 'smpte170m' || matrix === 'bt470bg' || codec === 'vp8') return { matrix: 'bt601', fullRange };
  return { matrix: width >= 1280 || height > 576 ? 'bt709' : 'bt601', fullRange };
}

/** Weights of red and blue in luma: ITU-R BT.709-6 (3.2), BT.601-7 (2.5.1), BT.2020-2 (table 4). */
const lumaWeights = { bt709: [0.2126, 0.0722], bt601: [0.299, 0.114], bt2020: [0.2627, 0.0593] } as const;

/** Converts three planes of equal size, in units of `bits`-bit samples, to R, G and B in [0, 255] (not clamped). The planes are overwritten and returned. */
export function yuvToRgb(
  planes: [Float32Array, Float32Array, Float32Array],
  color: YuvColor,
  bits: number,
): [Float32Array, Float32Array, Float32Array] {
  const [luma, blueDifference, redDifference] = planes;
  const unit = 2 ** (bits - 8);
  const black = color.fullRange ? 0 : 16 * unit;
  const lumaScale = 255 / (color.fullRange ? 256 * unit - 1 : 219 * unit);
  if (color.matrix === 'rgb') {
    for (const plane of planes) for (let i = 0; i < plane.length; i++) plane[i] = (plane[i]! - black) * lumaScale;
    return [redDifference, luma, blueDifference];
  }
  const [kr, kb] = lumaWeights[color.matrix];
  const kg = 1 - kr - kb;
  const middle = 128 * unit;
  const chromaScale = 255 / (color.fullRange ? 256 * unit - 1 : 224 * unit);
  for (let i = 0; i < luma.length; i++) {
    const y = (luma[i]! - black) * lumaScale;
    const u = (blueDifference[i]! - middle) * chromaScale;
    const v = (redDifference[i]! - middle) * chromaScale;
    luma[i] = y + 2 * (1 - kr) * v;
    redDifference[i] = y + 2 * (1 - kb) * u;
    blueDifference[i] = y - (2 * kr * (1 - kr) * v + 2 * kb * (1 - kb) * u) / kg;
  }
  return [luma, blueDifference, redDifference];
}
