/** Windows of a token map: cutting it up, rolling it, and which tokens of a rolled window may see each other. Shared by both Swin generations. */
import { type Graph, permuteRows, reshape, type Value } from '../ops/index.ts';

export type Size = [number, number];
/** Window and shift of one block; on an axis that the window covers it shrinks to the map and nothing is shifted. */
export type Windowing = { map: Size; window: Size; shift: Size };

export function windowing(map: Size, window: number, shifted: boolean): Windowing {
  const sizes = map.map((length) => Math.min(length, window)) as Size;
  const shift = sizes.map((size, i) => (shifted && size < map[i]! ? Math.floor(window / 2) : 0)) as Size;
  return { map, window: sizes, shift };
}

export const isShifted = ({ shift }: Windowing): boolean => shift[0] > 0 || shift[1] > 0;
export const windowCount = ({ map, window }: Windowing): number => (map[0] / window[0]) * (map[1] / window[1]);

/** [B, H*W, C] to [B * windows, window tokens, C]. */
export function cutWindows(tokens: Value, w: Windowing): Value {
  const [b, , c] = tokens.shape as [number, number, number];
  const { window } = w;
  return reshape(permuteRows(tokens, windowOrder(w)), [b * windowCount(w), window[0] * window[1], c]);
}

/** The inverse of `cutWindows`. */
export function joinWindows(windows: Value, w: Windowing): Value {
  const c = windows.shape[2]!;
  const order = windowOrder(w);
  const inverse = new Array<number>(order.length);
  order.forEach((token, place) => {
    inverse[token] = place;
  });
  const b = windows.shape[0]! / windowCount(w);
  return permuteRows(reshape(windows, [b, order.length, c]), inverse);
}

/** Which token of the map lies at each place of the rolled windows, window by window. Rolling and cutting move tokens, so both are one operation. */
function windowOrder({ map, window, shift }: Windowing): number[] {
  const order: number[] = [];
  for (let top = 0; top < map[0]; top += window[0]) {
    for (let left = 0; left < map[1]; left += window[1]) {
      for (let i = 0; i < window[0]; i++) {
        for (let j = 0; j < window[1]; j++) {
          const row = (top + i + shift[0]) % map[0];
          order.push(row * map[1] + ((left + j + shift[1]) % map[1]));
        }
      }
    }
  }
  return order;
}

/** -100 between tokens of one rolled window that are no neighbours in the map: [windows, 1, tokens, tokens]. */
export function shiftMask(graph: Graph, w: Windowing): Value {
  const { map, window, shift } = w;
  return graph.remember(`shift mask ${map} ${window} ${shift}`, () => {
    const region = (at: number, axis: 0 | 1): number => {
      if (shift[axis] === 0 || at < map[axis] - window[axis]) return 0;
      return at < map[axis] - shift[axis] ? 1 : 2;
    };
    const tokens = window[0] * window[1];
    const data = new Float32Array(windowCount(w) * tokens * tokens);
    const regions = new Int32Array(tokens);
    let offset = 0;
    for (let top = 0; top < map[0]; top += window[0]) {
      for (let left = 0; left < map[1]; left += window[1]) {
        for (let k = 0; k < tokens; k++) {
          const [i, j] = [Math.floor(k / window[1]), k % window[1]] as [number, number];
          regions[k] = region(top + i, 0) * 3 + region(left + j, 1);
        }
        for (let a = 0; a < tokens; a++) {
          for (let b = 0; b < tokens; b++) data[offset++] = regions[a] === regions[b] ? 0 : -100;
        }
      }
    }
    return graph.constant(data, [windowCount(w), 1, tokens, tokens], `shift_mask_${map.join('x')}`);
  });
}

/** For each pair of tokens of a window, the row of a table over all (2h-1)(2w-1) offsets: int64 [tokens * tokens]. */
export function offsetIndex(graph: Graph, [h, w]: Size): Value {
  return graph.remember(`offset index ${h} ${w}`, () => {
    const tokens = h * w;
    const index = new BigInt64Array(tokens * tokens);
    for (let a = 0; a < tokens; a++) {
      for (let b = 0; b < tokens; b++) {
        const dy = Math.floor(a / w) - Math.floor(b / w) + h - 1;
        const dx = (a % w) - (b % w) + w - 1;
        index[a * tokens + b] = BigInt(dy * (2 * w - 1) + dx);
      }
    }
    return graph.constant(index, [tokens * tokens]);
  });
}
