/** The discrete Fourier transform of real signals whose length is a power of two, in float64. Power only: phases are not kept. */

/**
 * Makes a function that writes |X_k|^2 of `input` [size] to `power` [size / 2 + 1]. A real transform of N points is done as a complex one of N / 2 points
 * (radix 2, decimation in time) and one pass that takes even and odd samples apart.
 */
export function createPowerFft(size: number): (input: Float64Array, power: Float64Array) => void {
  const half = size / 2;
  const cosine = new Float64Array(half + 1);
  const sine = new Float64Array(half + 1);
  for (let k = 0; k <= half; k++) {
    cosine[k] = Math.cos((2 * Math.PI * k) / size);
    sine[k] = Math.sin((2 * Math.PI * k) / size);
  }
  const reversed = bitReversal(half);
  const re = new Float64Array(half);
  const im = new Float64Array(half);

  return (input, power) => {
    for (let i = 0; i < half; i++) {
      re[i] = input[2 * reversed[i]!]!;
      im[i] = input[2 * reversed[i]! + 1]!;
    }
    for (let span = 1; span < half; span *= 2) {
      // Twiddles of N / 2 points are every second one of the table for N.
      const stride = half / span;
      for (let block = 0; block < half; block += 2 * span) {
        for (let k = 0; k < span; k++) {
          const c = cosine[k * stride]!;
          const s = sine[k * stride]!;
          const a = block + k;
          const b = a + span;
          const x = re[b]! * c + im[b]! * s;
          const y = im[b]! * c - re[b]! * s;
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a] = re[a]! + x;
          im[a] = im[a]! + y;
        }
      }
    }
    for (let k = 0; k <= half; k++) {
      const i = k % half;
      const j = (half - k) % half;
      const evenRe = (re[i]! + re[j]!) / 2;
      const evenIm = (im[i]! - im[j]!) / 2;
      const oddRe = (im[i]! + im[j]!) / 2;
      const oddIm = (re[j]! - re[i]!) / 2;
      const x = evenRe + oddRe * cosine[k]! + oddIm * sine[k]!;
      const y = evenIm + oddIm * cosine[k]! - oddRe * sine[k]!;
      power[k] = x * x + y * y;
    }
  };
}

function bitReversal(length: number): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 1; i < length; i++) order[i] = (order[i >> 1]! >> 1) | (i & 1 ? length >> 1 : 0);
  return order;
}
