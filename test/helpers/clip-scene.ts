/** The scene of the tests' films as pure functions of time: where bell and ball are, what they look like in I420, and what they sound like. */

export type Scene = { seed: number; width: number; height: number; frameRate: number };

/** State at one instant. Angle in radians; the ball's position in units of the picture, y downwards. */
export type SceneState = { bellAngle: number; ball: { x: number; y: number; squash: number } };

const cycle = 10;
const bell = { start: 2, end: 5, swings: 1.25 };
/** Instants at which the ball meets the floor, and how high it flies between two of them (share of the picture's height). */
const bounces = [
  { from: 6, to: 6.72, height: 0.46 },
  { from: 6.72, to: 7.36, height: 0.36 },
  { from: 7.36, to: 7.92, height: 0.28 },
  { from: 7.92, to: 8.4, height: 0.2 },
  { from: 8.4, to: 8.76, height: 0.12 },
  { from: 8.76, to: 9, height: 0.05 },
];
const floorLevel = 0.84;
const ballRadius = 0.062;

/** What happens `time` seconds into the clip; it repeats every ten. */
export function sceneAt(time: number): SceneState {
  const t = time % cycle;
  const ringing = t >= bell.start && t < bell.end;
  const since = t - bell.start;
  const bellAngle = ringing
    ? 0.62 * Math.sin(2 * Math.PI * bell.swings * since) * Math.min(1, (bell.end - t) / 0.5)
    : 0;
  const rest = floorLevel - ballRadius;
  const hop = bounces.find(({ from, to }) => t >= from && t < to);
  const x = 0.56 + 0.34 * Math.min(1, Math.max(0, (t - 6) / 3));
  if (!hop) return { bellAngle, ball: { x, y: rest, squash: 0 } };
  const phase = (t - hop.from) / (hop.to - hop.from);
  const lift = 4 * phase * (1 - phase);
  return { bellAngle, ball: { x, y: rest - hop.height * lift, squash: Math.max(0, 0.3 - 3 * lift) } };
}

type Paint = readonly [number, number, number];

/** Y, U, V of limited-range BT.709, by eye. */
const paints = {
  brass: [150, 78, 158],
  brassShade: [96, 92, 148],
  brassLight: [205, 88, 144],
  clapper: [60, 122, 134],
  beam: [58, 116, 140],
  ball: [92, 104, 200],
  ballLight: [168, 112, 168],
  floor: [84, 110, 140],
} satisfies Record<string, Paint>;

/** The picture as I420, [width * height * 3 / 2] bytes. `index` chooses the grain. */
export function drawScene(scene: Scene, state: SceneState, index: number): Uint8Array<ArrayBuffer> {
  const { width, height } = scene;
  const out = new Uint8Array((width * height * 3) / 2);
  const wall = wallOf(scene);
  const grain = randomBytes(scene.seed * 7919 + index);
  const chromaWidth = width / 2;
  const chromaSize = (width * height) / 4;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const paint = paintAt(state, (x + 0.5) / height, (y + 0.5) / height, width / height);
      const base = paint ? paint[0] : wall[at]!;
      out[at] = Math.min(235, Math.max(16, base + (grain() & 7) - 4));
      if (x % 2 === 0 && y % 2 === 0) {
        const chroma = width * height + (y / 2) * chromaWidth + x / 2;
        out[chroma] = paint ? paint[1] : 132;
        out[chroma + chromaSize] = paint ? paint[2] : 120;
      }
    }
  }
  return out;
}

/** What covers the wall at (x, y), in units of the picture's height; null for the wall itself. */
function paintAt({ bellAngle, ball }: SceneState, x: number, y: number, aspect: number): Paint | null {
  const bx = (x - ball.x * aspect) / (ballRadius * (1 + 0.6 * ball.squash));
  const by = (y - ball.y - ballRadius * ball.squash) / (ballRadius * (1 - ball.squash));
  if (bx * bx + by * by < 1) return (bx + 0.35) ** 2 + (by + 0.4) ** 2 < 0.12 ? paints.ballLight : paints.ball;
  if (y > floorLevel) return paints.floor;
  return bellPaint(bellAngle, x - 0.28 * aspect, y - 0.16);
}

/** The bell hangs from (0, 0); its own coordinates turn with it. */
function bellPaint(angle: number, x: number, y: number): Paint | null {
  if (Math.abs(x) < 0.26 && y > -0.06 && y < -0.005) return paints.beam;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const along = y * c - x * s;
  const across = x * c + y * s;
  if (along > 0 && along < 0.36) {
    const flare = Math.max(0, (along - 0.24) / 0.12);
    const half = 0.105 * Math.min(1, Math.sqrt(along / 0.09)) + 0.055 * flare * flare;
    if (Math.abs(across) < half) {
      if (along > 0.325) return paints.brassShade;
      return across / half < -0.35 && across / half > -0.65 ? paints.brassLight : paints.brass;
    }
  }
  const swing = across + 0.12 * Math.sin(angle * 2.2);
  return swing * swing + (along - 0.39) ** 2 < 0.03 ** 2 ? paints.clapper : null;
}

let wallCache: { key: string; luma: Float32Array } | null = null;

/** Plaster: value noise of three scales, lit from the left. */
function wallOf({ seed, width, height }: Scene): Float32Array {
  const key = `${seed}/${width}/${height}`;
  if (wallCache?.key === key) return wallCache.luma;
  const luma = new Float32Array(width * height).map((_, i) => 150 - 26 * ((i % width) / width));
  for (const [cell, strength] of [
    [40, 26],
    [13, 14],
    [5, 10],
  ] as const) {
    const random = randomBytes(seed * 104_729 + cell);
    const columns = Math.ceil(width / cell) + 2;
    const lattice = Float32Array.from({ length: columns * (Math.ceil(height / cell) + 2) }, () => random() / 255 - 0.5);
    for (let i = 0; i < luma.length; i++) {
      const u = (i % width) / cell;
      const v = Math.floor(i / width) / cell;
      const [column, row] = [Math.floor(u), Math.floor(v)];
      const corner = row * columns + column;
      const [fx, fy] = [u - column, v - row];
      const top = lattice[corner]! * (1 - fx) + lattice[corner + 1]! * fx;
      const bottom = lattice[corner + columns]! * (1 - fx) + lattice[corner + columns + 1]! * fx;
      luma[i] = luma[i]! + strength * (top * (1 - fy) + bottom * fy);
    }
  }
  wallCache = { key, luma };
  return luma;
}

/** Partials of a small church bell: ratio to the strike note, loudness, decay in seconds. */
const partials = [
  [0.5, 0.5, 2.2],
  [1, 1, 1.6],
  [1.2, 0.7, 1.2],
  [1.5, 0.35, 0.9],
  [2, 0.6, 0.7],
  [2.67, 0.3, 0.4],
  [4.1, 0.2, 0.2],
] as const;

/** Mono sound in [-1, 1] of a clip of `seconds`: a stroke of the bell at each end of its swing, a click at each bounce, faint room noise. */
export function soundOfScene(seed: number, seconds: number, sampleRate: number): Float32Array<ArrayBuffer> {
  const wave = new Float32Array(Math.round(seconds * sampleRate));
  const random = randomBytes(seed);
  for (let i = 0; i < wave.length; i++) wave[i] = (random() / 255 - 0.5) * 0.004;
  const strike = 520 + (seed % 7) * 25;
  const stop = (hit: number, time: number) => (time > hit ? Math.max(0, 1 - (time - hit) / 0.15) : 1);
  for (let start = 0; start < seconds; start += cycle) {
    for (let hit = bell.start + 0.02; hit < bell.end - 0.3; hit += 0.5 / bell.swings) {
      addSound(wave, sampleRate, start + hit, 3, (t) => {
        let sum = 0;
        for (const [ratio, loudness, decay] of partials) {
          sum += loudness * Math.exp(-t / decay) * Math.sin(2 * Math.PI * strike * ratio * t);
        }
        return 0.11 * sum * Math.min(1, t / 0.001) * stop(bell.end - 0.2, hit + t);
      });
    }
    for (const { from, height } of bounces) {
      addSound(wave, sampleRate, start + from, 0.12, (t) => {
        const thump = Math.sin(2 * Math.PI * (160 + 500 * Math.exp(-t / 0.006)) * t);
        return (
          (0.35 + height) * (0.8 * thump + 0.5 * (random() / 127.5 - 1) * Math.exp(-t / 0.004)) * Math.exp(-t / 0.022)
        );
      });
    }
  }
  return wave.map((value) => Math.max(-1, Math.min(1, value)));
}

function addSound(
  wave: Float32Array,
  sampleRate: number,
  start: number,
  length: number,
  at: (time: number) => number,
): void {
  const first = Math.round(start * sampleRate);
  const end = Math.min(wave.length, first + Math.round(length * sampleRate));
  for (let i = first; i < end; i++) wave[i] = wave[i]! + at((i - first) / sampleRate);
}

/** Pseudo-random bytes from a seed (mulberry32, T. Ettinger, public domain). */
function randomBytes(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 24) & 255;
  };
}
