/** Files that PyTorch 1.13 wrote (test/tools/torch-checkpoints.py), against the numbers that it printed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../../sdk/onnx/checkpoint/byte-source.ts';
import { openCheckpoint } from '../../sdk/onnx/checkpoint/checkpoint.ts';

const folder = fileURLToPath(new URL('../fixtures/checkpoints/', import.meta.url));
const open = (name: string) => openCheckpoint(memorySource(new Uint8Array(readFileSync(folder + name))), name);
const expected: Record<string, { shape: number[]; numbers: number[] }> = JSON.parse(
  readFileSync(`${folder}expected.json`, 'utf8'),
);

describe('PyTorch', () => {
  test.each([
    ['training.pth', 'state_dict'],
    ['protocol4.pth', null],
  ])('%s: every type and view, bit for bit in float32', async (name, nested) => {
    const file = await open(name);
    expect(file.nested).toBe(nested);
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [tensor, { shape, numbers }] of Object.entries(expected)) {
      expect(file.tensors.get(tensor)!.shape, tensor).toEqual(shape);
      expect(await file.tensors.get(tensor)!.read(), tensor).toEqual(Float32Array.from(numbers));
    }
  });

  test('what a trainer saved beside the weights is named', async () => {
    const { others } = await open('training.pth');
    expect(others).toEqual(
      expect.arrayContaining([
        'optimizer',
        'lr_scheduler',
        'args',
        'best',
        'history',
        'device',
        'seen',
        'large',
        'epoch',
      ]),
    );
  });

  test.each([
    ['legacy.pth', /PyTorch before 1\.6/, /torch\.save\(torch\.load/],
    ['module.pth', /asks for "torch\.nn\.modules\.linear\.Linear"/, /save its weights alone/],
    ['script.pt', /is compressed/, /TorchScript program.*state_dict/],
  ])('%s is refused with the fix', async (name, message, hint) => {
    await expect(open(name)).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});
