/** Products with a quantized matrix as operations of a graph, and the ONNX nodes that they become. They have no gradient: only finished graphs hold them. */
import type { Op } from '../../ops/graph.ts';
import { microsoft } from '../writer.ts';

/**
 * x W with W in levels of 7 bits per output column, x quantized as it comes to 8 bits over its whole range: inputs x [..., K], int8 [K, N], scales [N].
 * The nodes are those that CPU runtimes join to one integer kernel.
 */
export const int8MatmulOp: Op = {
  name: 'int8Matmul',
  emit(to, _value, [x, weight, scales], output) {
    const [bytes, scale, zero] = [`${x}/u8`, `${x}/u8.scale`, `${x}/u8.zero`];
    to.once(bytes, () => to.node('DynamicQuantizeLinear', [x!], [bytes, scale, zero]));
    to.node('MatMulInteger', [bytes, weight!, zero], [`${output}/i32`]);
    to.node('Cast', [`${output}/i32`], [`${output}/sum`], { to: to.dtypeCode('float32') });
    to.node('Mul', [scale, scales!], [`${output}/scale`]);
    to.node('Mul', [`${output}/sum`, `${output}/scale`], [output]);
  },
};

export type BlockAttributes = { bits: 4 | 8; blockSize: number; inner: number; columns: number };

/** x W with W in blocks along its inner axis, arithmetic in float32: inputs x [..., K], uint8 [N, K / block, bytes], scales [N * K / block]. */
export const blockMatmulOp: Op = {
  name: 'blockMatmul',
  emit(to, value, inputs, output) {
    const { bits, blockSize, inner, columns } = value.attributes as BlockAttributes;
    to.node('MatMulNBits', inputs, [output], { K: inner, N: columns, bits, block_size: blockSize }, microsoft);
  },
};

/**
 * The weight that levels stand for: int8 [K / block, block, N] times scales [K / block, 1, N], as float32 [K, N]. Runtimes compute it when they load the graph,
 * so that it costs nothing afterwards.
 */
export const restoreOp: Op = {
  name: 'restore',
  emit(to, value, [levels, scales], output) {
    to.node('Cast', [levels!], [`${output}/levels`], { to: to.dtypeCode('float32') });
    to.node('Mul', [`${output}/levels`, scales!], [`${output}/blocks`]);
    to.node('Reshape', [`${output}/blocks`, to.integers(value.shape)], [output]);
  },
};
