/** Which packets give no frame, by headers written out from the bitstream specifications. */
import { expect, test } from 'vitest';
import { isHidden } from '../../sdk/media/hidden-frames.ts';

/** VP8 frame tag, little-endian: bit 0 is set for an inter frame, bits 1 to 3 are the version, bit 4 says that it is shown. */
test.each([
  ['a key frame', 0b1_000_0, false],
  ['an inter frame', 0b1_000_1, false],
  ['an alternate reference', 0b0_000_1, true],
  ['an alternate reference of version 3', 0b0_011_1, true],
])('VP8: %s', (_, tag, hidden) => {
  expect(isHidden('vp8', Uint8Array.of(tag, 0, 0, 9))).toBe(hidden);
});

/** VP9 header from the highest bit on: marker 10, profile (low, high), for profile 3 a zero, existing frame, inter frame, shown, error resilience. */
test.each([
  ['a key frame', [0b10_00_0_0_1_0, 0], false],
  ['an inter frame that is not shown', [0b10_00_0_1_0_0, 0], true],
  ['an existing frame that is shown now', [0b10_00_1_000, 0], false],
  ['an inter frame of profile 2 that is not shown', [0b10_01_0_1_0_0, 0], true],
  ['a frame of profile 3', [0b10_11_0_0_1_1, 0b0100_0000], false],
  ['a frame of profile 3 that is not shown', [0b10_11_0_0_1_0, 0b0000_0000], true],
  ['several in one packet, the first not shown', [0b10_00_0_1_0_0, 0, 0b110_00_001], false],
])('VP9: %s', (_, bytes, hidden) => {
  expect(isHidden('vp9', Uint8Array.from(bytes as number[]))).toBe(hidden);
});

test('nothing is said of other codecs, or of no bytes', () => {
  expect(isHidden('avc', Uint8Array.of(0))).toBe(false);
  expect(isHidden('vp8', new Uint8Array())).toBe(false);
});
