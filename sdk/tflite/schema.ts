/**
 * Numbers of TensorFlow Lite's schema (version 3): fields of its tables in their order, types of elements, operators. Facts of the format, written down as far as
 * the reader and the converter need them.
 */

export const fields = {
  model: { version: 0, operatorCodes: 1, subgraphs: 2, buffers: 4 },
  operatorCode: { oldCode: 0, custom: 1, code: 3 },
  subgraph: { tensors: 0, inputs: 1, outputs: 2, operators: 3 },
  tensor: { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4, sparsity: 6 },
  quantization: { scale: 2, zeroPoint: 3, dimension: 6 },
  operator: { code: 0, inputs: 1, outputs: 2, options: 4 },
  buffer: { data: 0, offset: 1, size: 2 },
} as const;

/** By their number in the file. */
export const elementTypes = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
  'float64',
  'complex128',
  'uint64',
  'resource',
  'variant',
  'uint32',
  'uint16',
  'int4',
  'bfloat16',
] as const;

export type ElementType = (typeof elementTypes)[number];

/** Names of the built-in operators by their number. */
export const operatorNames = words(`
  ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP
  L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR
  RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER
  BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2
  SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE
  SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK
  LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
  LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
  MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
  PLACEHOLDER CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
  CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU
  DYNAMIC_UPDATE_SLICE RELU_0_TO_1`);

/** The one whose name stands in the file. */
export const customOperator = 32;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Fields of the options of each operator. */
export const options = {
  conv: { padding: 0, strideWidth: 1, strideHeight: 2, activation: 3, dilationWidth: 4, dilationHeight: 5 },
  depthwise: { padding: 0, strideWidth: 1, strideHeight: 2, activation: 4, dilationWidth: 5, dilationHeight: 6 },
  transposeConv: { padding: 0, strideWidth: 1, strideHeight: 2, activation: 3 },
  pool: { padding: 0, strideWidth: 1, strideHeight: 2, width: 3, height: 4, activation: 5 },
  fullyConnected: { activation: 0, format: 1, keepDimensions: 2 },
  arithmetic: { activation: 0 },
  concatenation: { axis: 0, activation: 1 },
  softmax: { beta: 0 },
  reduce: { keepDimensions: 0 },
  resizeBilinear: { alignCorners: 2, halfPixelCenters: 3 },
  resizeNearest: { alignCorners: 0, halfPixelCenters: 1 },
  stridedSlice: { begin: 0, end: 1, ellipsis: 2, newAxis: 3, shrink: 4 },
  leakyRelu: { alpha: 0 },
  gelu: { approximate: 0 },
  gather: { axis: 0, batchDimensions: 1 },
  mirrorPad: { mode: 0 },
} as const;

/** Values of a field `padding`. */
export const paddings = { same: 0, valid: 1 } as const;
