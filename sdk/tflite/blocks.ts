/**
 * Where the blocks of a vision or sound network end, told from its operators: the candidates for taps. In networks of depthwise convolutions (MobileNet, YAMNet,
 * EfficientNet) a block ends in the 1 x 1 convolution behind one, or in the sum with the block's input; in residual networks in that sum. Their names count up.
 */
import type { TfliteModel, TfliteOperator } from './reader.ts';
import { options } from './schema.ts';

/** Steps between a depthwise convolution and the 1 x 1 convolution that ends its block: gates and activations. */
const mostBetween = 6;

/** Indices of the tensors at which blocks end, in the order of the network. */
export function blockEnds(model: TfliteModel): number[] {
  const graph = new Readers(model);
  const separable = model.operators.filter(
    (operator) => isPointwise(operator, model) && graph.followsDepthwise(operator),
  );
  const ends = separable.length > 0 ? separable.map((operator) => graph.behind(operator)) : graph.residualSums();
  const stem = separable.length > 0 ? stemOf(model, graph, separable[0]!) : [];
  return [...new Set([...stem, ...ends.map((operator) => operator.outputs[0]!)])];
}

/** Names of block ends, by their index: as many digits for all. */
export function blockNames(ends: readonly number[]): Map<number, string> {
  const digits = Math.max(2, String(ends.length - 1).length);
  return new Map(ends.map((index, i) => [index, `tap_${String(i).padStart(digits, '0')}`]));
}

function isPointwise({ name, inputs }: TfliteOperator, { tensors }: TfliteModel): boolean {
  const shape = tensors[inputs[1] ?? -1]?.shape;
  return name === 'CONV_2D' && shape?.length === 4 && shape[1] === 1 && shape[2] === 1;
}

const activationOf = ({ options: table }: TfliteOperator): number => table?.int8(options.conv.activation) ?? 0;

/** The first convolution counts as a block of its own where blocks end in an activation as it does: its map is then of the same kind as theirs. */
function stemOf(model: TfliteModel, graph: Readers, first: TfliteOperator): number[] {
  const stem = model.operators.find(({ name }) => name === 'CONV_2D');
  if (!stem || stem === first || isPointwise(stem, model)) return [];
  return activationOf(first) !== 0 && activationOf(stem) !== 0 ? [graph.behind(stem).outputs[0]!] : [];
}

const activationOperators = new Set(['RELU', 'RELU6', 'HARD_SWISH', 'ELU', 'LEAKY_RELU', 'PRELU']);

class Readers {
  readonly #model: TfliteModel;
  readonly #makers = new Map<number, TfliteOperator>();
  readonly #readers = new Map<number, TfliteOperator[]>();

  constructor(model: TfliteModel) {
    this.#model = model;
    for (const operator of model.operators) {
      for (const index of operator.outputs) this.#makers.set(index, operator);
      for (const index of new Set(operator.inputs)) {
        const known = this.#readers.get(index);
        if (known) known.push(operator);
        else this.#readers.set(index, [operator]);
      }
    }
  }

  /** Whether what an operator reads comes from a depthwise convolution through gates and activations alone. */
  followsDepthwise(operator: TfliteOperator): boolean {
    const between = new Set(['MUL', 'HARD_SWISH', 'LOGISTIC', 'RELU', 'RELU6', 'QUANTIZE', 'DEQUANTIZE']);
    let open = [operator.inputs[0]!];
    for (let step = 0; step < mostBetween && open.length > 0; step++) {
      const makers = open.flatMap((index) => this.#makers.get(index) ?? []);
      if (makers.some(({ name }) => name === 'DEPTHWISE_CONV_2D')) return true;
      open = makers.filter(({ name }) => between.has(name)).flatMap(({ inputs }) => inputs);
    }
    return false;
  }

  /** The operator whose output ends the block that a convolution ends: itself, the sum that alone reads it, or the activation that alone reads that. */
  behind(operator: TfliteOperator): TfliteOperator {
    const next = this.#onlyReader(operator);
    if (next && this.#isSum(next)) return this.#activated(next);
    return this.#activated(operator);
  }

  /** Sums of two maps of one size. */
  residualSums(): TfliteOperator[] {
    return this.#model.operators
      .filter((operator) => this.#isSum(operator))
      .map((operator) => this.#activated(operator));
  }

  #activated(operator: TfliteOperator): TfliteOperator {
    const next = this.#onlyReader(operator);
    return next && activationOperators.has(next.name) ? next : operator;
  }

  #onlyReader({ outputs }: TfliteOperator): TfliteOperator | undefined {
    const readers = this.#readers.get(outputs[0]!) ?? [];
    return readers.length === 1 ? readers[0] : undefined;
  }

  #isSum({ name, inputs }: TfliteOperator): boolean {
    const { tensors } = this.#model;
    const [a, b] = inputs.map((index) => tensors[index]);
    return (
      name === 'ADD' &&
      a !== undefined &&
      !a.bytes &&
      !b?.bytes &&
      a.shape.length > 2 &&
      String(a.shape) === String(b?.shape)
    );
  }
}
