/**
 * The operators that a network from a stranger may be made of: those of ONNX that compute arrays of a size that follows from the sizes before them. Left out are
 * the ones that run graphs of their own (If, Loop, Scan, SequenceMap), draw random numbers, decode files, or deal in texts, sequences and optional values; and of
 * other domains all but what our own compiler writes.
 */

/** By domain; the standard one has no name. */
const allowed: Record<string, ReadonlySet<string>> = {
  '': words(`
    Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift BitwiseAnd BitwiseNot BitwiseOr
    BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos
    Cosh CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor
    GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization
    HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less
    LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization
    MelWeightMatrix Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization
    RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape
    Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice
    Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh TensorScatter ThresholdedRelu Tile TopK Transpose Trilu Unique
    Unsqueeze Upsample Where Xor`),
  'com.microsoft': words('MatMulNBits'),
};

export const isAllowed = (domain: string, opType: string): boolean =>
  (domain === 'ai.onnx' ? allowed[''] : Object.hasOwn(allowed, domain) ? allowed[domain] : undefined)?.has(opType) ??
  false;

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
