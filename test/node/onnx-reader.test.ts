import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readOnnx } from '../../sdk/onnx/reader.ts';
import { readSafetensors, toFloat32 } from '../../sdk/onnx/safetensors.ts';

const folder = new URL('../../../shared/data/backbones/', import.meta.url);

describe.each(['mobilenetv2', 'yamnet', 'deeplabv3_mnv2'])('published backbone %s', (name) => {
  const file = (path: string) => new URL(`${name}/${path}`, folder);
  const absent = !existsSync(file('model.onnx'));

  test.skipIf(absent)('is read as its description says (skipped without ../shared/data)', () => {
    const description = JSON.parse(readFileSync(file('backbone.json'), 'utf8'));
    const { graph, opsets } = readOnnx(readFileSync(file('model.onnx')), name);
    expect(opsets['']).toBe(description.opset);
    expect(graph.inputs).toEqual([
      { name: description.input.name, type: description.input.dtype, shape: description.input.shape },
    ]);
    for (const [output, described] of Object.entries<(number | string)[]>(description.outputs)) {
      const { shape } = graph.outputs.find((info) => info.name === output)!;
      // Names of unknown dimensions are formulas in the description.
      const known = (size: number | string | null) => (typeof size === 'number' ? size : 'unknown');
      expect(shape?.map(known)).toEqual(described.map(known));
    }

    // Every name that a node reads is an input, a weight or the output of a node before it.
    const known = new Set([...graph.inputs, ...graph.initializers].map((value) => value.name));
    for (const node of graph.nodes) {
      for (const input of node.inputs) if (input) expect(known).toContain(input);
      for (const output of node.outputs) known.add(output);
    }
    for (const output of graph.outputs) expect(known).toContain(output.name);
  });

  test.skipIf(absent)('has reference tensors that are read (skipped without ../shared/data)', () => {
    const { tensors } = readSafetensors(readFileSync(file('reference.safetensors')), name);
    const logits = tensors.get('logits')!;
    const values = toFloat32(logits);
    expect(values.length).toBe(logits.shape.reduce((a, b) => a * b));
    expect(values.every(Number.isFinite)).toBe(true);
  });
});
