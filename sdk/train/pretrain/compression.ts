/** What lossy compression does to a picture: blocks of 8 x 8 lose their fine waves, colours more than light, as in a JPEG of low quality. */

const side = 8;
const waves = Float32Array.from({ length: side * side }, (_, i) => {
  const [frequency, place] = [Math.floor(i / side), i % side];
  const scale = Math.sqrt((frequency === 0 ? 1 : 2) / side);
  return scale * Math.cos(((2 * place + 1) * frequency * Math.PI) / (2 * side));
});

/** `rgb` [height, width, 3] in 0..255, in place; both sides are multiples of 16. `loss` 1 is about a JPEG of quality 50, 6 about 10. */
export function compress(rgb: Float32Array, width: number, height: number, loss: number): void {
  const planes = toPlanes(rgb, width, height);
  quantise(planes.light, width, height, 4 * loss, 3 * loss);
  quantise(planes.blue, width >> 1, height >> 1, 5 * loss, 6 * loss);
  quantise(planes.red, width >> 1, height >> 1, 5 * loss, 6 * loss);
  fromPlanes(rgb, width, height, planes);
}

type Planes = { light: Float32Array; blue: Float32Array; red: Float32Array };

/** Light at every pixel, the differences of blue and red from it as means of 2 x 2. */
function toPlanes(rgb: Float32Array, width: number, height: number): Planes {
  const light = new Float32Array(width * height);
  const [blue, red] = [new Float32Array(light.length >> 2), new Float32Array(light.length >> 2)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const y1 = 0.299 * rgb[3 * at]! + 0.587 * rgb[3 * at + 1]! + 0.114 * rgb[3 * at + 2]!;
      const half = (y >> 1) * (width >> 1) + (x >> 1);
      light[at] = y1;
      blue[half] = blue[half]! + (rgb[3 * at + 2]! - y1) / 4;
      red[half] = red[half]! + (rgb[3 * at]! - y1) / 4;
    }
  }
  return { light, blue, red };
}

function fromPlanes(rgb: Float32Array, width: number, height: number, { light, blue, red }: Planes): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const half = (y >> 1) * (width >> 1) + (x >> 1);
      const [y1, b, r] = [light[at]!, blue[half]!, red[half]!];
      rgb[3 * at] = y1 + r;
      rgb[3 * at + 1] = y1 - (0.114 * b + 0.299 * r) / 0.587;
      rgb[3 * at + 2] = y1 + b;
    }
  }
}

/** Rounds the waves of each block to multiples of a step, `least` for the longest and `slope` more for each shorter one. */
function quantise(plane: Float32Array, width: number, height: number, least: number, slope: number): void {
  const block = new Float32Array(side * side);
  const other = new Float32Array(side * side);
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      for (let i = 0; i < block.length; i++) block[i] = plane[(top + (i >> 3)) * width + left + (i & 7)]!;
      alongRows(block, other, waves);
      alongRows(other, block, waves);
      for (let i = 0; i < block.length; i++) {
        const step = least + slope * ((i >> 3) + (i & 7));
        block[i] = Math.round(block[i]! / step) * step;
      }
      alongRows(block, other, inverse);
      alongRows(other, block, inverse);
      for (let i = 0; i < block.length; i++) plane[(top + (i >> 3)) * width + left + (i & 7)] = block[i]!;
    }
  }
}

const inverse = waves.map((_, i) => waves[(i & 7) * side + (i >> 3)]!);

/** Each row by the matrix, written as a column: twice gives both directions. */
function alongRows(from: Float32Array, to: Float32Array, matrix: Float32Array): void {
  for (let row = 0; row < side; row++) {
    for (let k = 0; k < side; k++) {
      let sum = 0;
      for (let i = 0; i < side; i++) sum += matrix[k * side + i]! * from[row * side + i]!;
      to[k * side + row] = sum;
    }
  }
}
