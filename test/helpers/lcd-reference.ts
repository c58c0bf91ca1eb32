/** How meta-tokens read one layer, from the method's formulas in float64: plain loops, no absorbed form, nothing shared with the models. */
export type LayerWeights = (name: string) => ArrayLike<number>;

/** [rows, columns] */
type Matrix = Float64Array[];

export type LayerReading = {
  /** [tokens] each: the mean over meta-tokens (and heads); null of a path that is not there. */
  preservation: Float64Array | null;
  task: Float64Array | null;
  /** Meta-tokens after the map to the common width, [K, c]. */
  part: Matrix;
};

export type LayerSizes = { tokens: number; heads: number; width: number; inner: number; common: number };

export function readLayer(
  x: Float32Array,
  sizes: LayerSizes,
  paths: 'both' | 'preservation' | 'task',
  weight: LayerWeights,
  stage: LayerWeights,
): LayerReading {
  const { tokens, heads, width, inner, common } = sizes;
  const rows = matrix(x, width);
  const normed = rows.map((row) => normalized(row));
  const meta = matrix(weight('meta_tokens'), width);
  const size = inner / heads;

  const kept = meta.map((m) => softmax(rows.map((row) => dot(m, row) / Math.sqrt(width))));
  const preserved = kept.map((shares) => weightedSum(shares, rows));

  const adapted: Float64Array[] = [];
  const mixed = meta.map(() => new Float64Array(inner));
  if (paths !== 'preservation') {
    const [query, key, value] = ['query', 'key', 'value'].map((name) => matrix(weight(`${name}.weight`), width));
    const keys = normed.map((row) => times(key!, row));
    const values = normed.map((row) => times(value!, row));
    meta.forEach((m, k) => {
      const q = times(query!, m);
      for (let h = 0; h < heads; h++) {
        const own = (v: Float64Array): Float64Array => v.subarray(h * size, (h + 1) * size);
        const shares = softmax(keys.map((row) => dot(own(q), own(row)) / Math.sqrt(size)));
        adapted.push(shares);
        mixed[k]!.set(weightedSum(shares, values.map(own)), h * size);
      }
    });
  }
  const out = paths === 'preservation' ? [] : matrix(weight('out.weight'), inner);
  const gate = paths === 'both' ? weight('gate') : null;
  const part = Array.from({ length: tokens }, (_, k) => {
    const task = times(out, mixed[k]!);
    const both = Float64Array.from({ length: width }, (_, d) => {
      if (paths === 'task') return task[d]!;
      return preserved[k]![d]! + (gate ? gate[d]! * task[d]! : 0);
    });
    const z = normalized(both).map((v, d) => v * weight('norm.weight')[d]! + weight('norm.bias')[d]!);
    return times(matrix(stage('weight'), width), z).map((v, c) => v + stage('bias')[c]!);
  });
  if (part[0]!.length !== common) throw new Error('the map has another width');
  return {
    preservation: paths === 'task' ? null : meanOf(kept),
    task: paths === 'preservation' ? null : meanOf(adapted),
    part,
  };
}

const matrix = (data: ArrayLike<number>, columns: number): Matrix =>
  Array.from({ length: data.length / columns }, (_, r) =>
    Float64Array.from({ length: columns }, (_, c) => data[r * columns + c]!),
  );
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const times = (m: Matrix, v: Float64Array): Float64Array => Float64Array.from(m, (row) => dot(row, v));

function softmax(scores: readonly number[]): Float64Array {
  const most = Math.max(...scores);
  const raised = scores.map((score) => Math.exp(score - most));
  const sum = raised.reduce((a, b) => a + b, 0);
  return Float64Array.from(raised, (v) => v / sum);
}

function weightedSum(shares: Float64Array, rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  rows.forEach((row, n) => row.forEach((v, i) => (sum[i]! += shares[n]! * v)));
  return sum;
}

function normalized(row: Float64Array): Float64Array {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
  return row.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  return rows[0]!.map((_, n) => rows.reduce((sum, row) => sum + row[n]!, 0) / rows.length);
}
