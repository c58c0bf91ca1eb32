/**
 * Packets of VP8 and VP9 that are decoded but never shown: frames that only others build on. mediabunny 1.61 takes the n-th frame that a browser's decoder gives for that
 * of the n-th packet, so after each of them all frames would be dated one too early.
 */

/** Whether a packet of this codec gives no frame. VP8: RFC 6386, 9.1; VP9: bitstream specification 0.6, 6.2 and annex B. */
export function isHidden(codec: string, data: Uint8Array): boolean {
  const [first] = data;
  if (first === undefined) return false;
  if (codec === 'vp8') return (first & 0x10) === 0;
  if (codec !== 'vp9') return false;
  // The last of several frames in one packet is shown.
  const holdsSeveral = (data.at(-1)! & 0xe0) === 0xc0;
  const profile = ((first >> 5) & 1) | ((first >> 3) & 2);
  const rest = profile === 3 ? first << 1 : first;
  const showsExisting = (rest & 0x08) !== 0;
  return !holdsSeveral && !showsExisting && (rest & 0x02) === 0;
}
