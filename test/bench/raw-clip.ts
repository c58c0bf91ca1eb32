/** A clip of pictures and sound as arrays, for what is measured without a decoder. No imports and no names from outside: pages get it as text. */

/** `seconds` of a slowly changing picture and a tone, in the shape that every call takes. */
export function rawClip(seconds: number) {
  const sampleRate = 32_000;
  const samples = new Float32Array(seconds * sampleRate);
  for (let i = 0; i < samples.length; i++) samples[i] = 0.3 * Math.sin(i / (20 + Math.floor(i / sampleRate)));
  const frames = [];
  for (let second = 0; second < seconds; second++) {
    const data = new Uint8Array(256 * 192 * 3);
    for (let i = 0; i < data.length; i++) data[i] = 128 + 100 * Math.sin(i / (300 + 9 * second));
    frames.push({ width: 256, height: 192, data });
  }
  return { frames, frameRate: 1, audio: { channels: [samples], sampleRate } };
}
