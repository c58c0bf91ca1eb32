/** Softmax and norms over the last axis. */
import { add, div, mul, sqrt, sub } from './elementwise.ts';
import type { Op, Value } from './graph.ts';
import { mean, sum, sumTo } from './reduce.ts';

const softmaxOp: Op = {
  name: 'softmax',
  emit: (to, _value, inputs, output) => to.node('Softmax', inputs, [output], { axis: -1 }),
  backward(value, dy) {
    const weighted = mul(dy, value);
    return [sub(weighted, mul(value, sum(weighted, [-1], true)))];
  },
};
/** Softmax over the last axis. */
export const softmax = (x: Value): Value => x.graph.apply(softmaxOp, [x], {}, x.shape);

/** Kept as one node: decomposed it overflows in half precision. */
export const layerNormOp: Op = {
  name: 'layerNorm',
  emit(to, value, inputs, output) {
    const epsilon = value.attributes.epsilon as number;
    to.node('LayerNormalization', inputs, [output], { axis: -1, epsilon: to.float(epsilon) });
  },
  backward(value, dy, needs) {
    const [x, scale, bias] = value.inputs as [Value, Value, Value?];
    const centred = sub(x, mean(x, [-1], true));
    const deviation = sqrt(add(mean(mul(centred, centred), [-1], true), value.attributes.epsilon as number));
    const normalized = div(centred, deviation);
    let dx: Value | null = null;
    if (needs[0]) {
      const d = mul(dy, scale);
      const along = mul(normalized, mean(mul(d, normalized), [-1], true));
      dx = div(sub(sub(d, mean(d, [-1], true)), along), deviation);
    }
    const dScale = needs[1] ? sumTo(mul(dy, normalized), scale.shape) : null;
    return bias ? [dx, dScale, needs[2] ? sumTo(dy, bias.shape) : null] : [dx, dScale];
  },
};
/** Zero mean and unit variance over the last axis, then `scale` and `bias` ([width]), which may be left out. */
export function layerNorm(x: Value, scale?: Value, bias?: Value, epsilon = 1e-5): Value {
  const width = x.shape.at(-1)!;
  const ones = (): Value => x.graph.constant(new Float32Array(width).fill(1), [width]);
  const inputs = [x, scale ?? x.graph.remember(`ones ${width}`, ones), ...(bias ? [bias] : [])];
  return x.graph.apply(layerNormOp, inputs, { epsilon }, x.shape);
}

/**
 * The same norm as a value of its own. Its epsilon differs in the seventh digit, which changes no result, because the runtime would otherwise see twice the
 * same and compute it once.
 */
export const layerNormAgain = (x: Value): Value =>
  x.graph.apply(layerNormOp, x.inputs, { epsilon: (x.attributes.epsilon as number) * (1 + 2 ** -22) }, x.shape);

/** Unit length over the last axis; a vector shorter than 1e-12 is divided by 1e-12, as the reference of cosine attention does. */
export function l2Normalize(x: Value): Value {
  return div(x, sqrt(add(sum(mul(x, x), [-1], true), 1e-24)));
}
