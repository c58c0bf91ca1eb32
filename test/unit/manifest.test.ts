import { describe, expect, test } from 'vitest';
import { finishManifest, manifestText, registryEntry, withChunks } from '../../sdk/compile/package.ts';
import { canonicalJson } from '../../sdk/contract/canonical-json.ts';
import { checkFits, contractOf } from '../../sdk/contract/fits.ts';
import { sha256Integrity } from '../../sdk/contract/integrity.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import { MettleError } from '../../sdk/errors.ts';
import { parseRegistry } from '../../sdk/hub/registry.ts';
import { brokenCopies, randomNumbers, survives } from './fuzz.ts';
import {
  adapterDraft,
  adapterFiles,
  adapterManifest,
  backboneDraft,
  backboneFiles,
  backboneManifest,
  bytesOf,
  changed,
} from './hub-fixtures.ts';

const where = 'manifest.json of adapter at https://host/a/manifest.json';

function errorOf(json: unknown, sdk?: string): MettleError {
  try {
    parseManifest(json, where, sdk);
  } catch (error) {
    expect(error).toBeInstanceOf(MettleError);
    return error as MettleError;
  }
  throw new Error('expected an error');
}

describe('pieces of a file', () => {
  const bytes = new Uint8Array(10_000);
  const withPieces = async () =>
    await withChunks(
      await finishManifest(await adapterDraft(), { ...adapterFiles, [weights]: bytes }),
      { [weights]: bytes },
      4096,
    );
  const weights = 'adapter_model.safetensors';

  test('have a digest each, the last for what is left', async () => {
    const manifest = await withPieces();
    const index = manifest.files.findIndex(({ path }) => path === weights);
    expect(manifest.files[index]).toMatchObject({
      chunkBytes: 4096,
      chunks: [
        await sha256Integrity(new Uint8Array(4096)),
        await sha256Integrity(new Uint8Array(4096)),
        await sha256Integrity(new Uint8Array(10_000 - 8192)),
      ],
    });
    expect(manifest.files.filter(({ chunks }) => chunks)).toHaveLength(1);
    const one = `files.${index}`;
    for (const [field, value, problem] of [
      ['chunkBytes', 4095, 'chunkBytes: expected an integer from 4096'],
      ['chunkBytes', 5000, 'chunks: expected 2 items, got 3'],
      ['chunks', [`sha256-${'x'.repeat(42)}`], 'chunks[0]: expected sha256- and a digest'],
    ]) {
      expect(errorOf(changed(manifest, `${one}.${field}`, value)).message).toContain(`files[${index}].${problem}`);
    }
    const alone = { ...manifest.files[index]!, chunkBytes: 10_000, chunks: [`sha256-${'x'.repeat(43)}=`] };
    expect(errorOf(changed(manifest, one, alone)).message).toContain('chunks[0]: expected the digest of the file');
  });
});

describe('a manifest', () => {
  test('that is right comes back as it is', async () => {
    for (const manifest of [await backboneManifest(), await adapterManifest()]) {
      expect(parseManifest(JSON.parse(manifestText(manifest)), where)).toEqual(manifest);
    }
  });

  test.each<[string, unknown, string]>([
    ['schema', 2, 'schema: expected 1, got 2'],
    ['kind', 'model', 'kind: expected "backbone" or "adapter", got "model"'],
    ['kind', undefined, 'kind: missing'],
    ['id', 'Toy Box', 'id: expected an id of'],
    ['id', '-a', 'id: expected an id of'],
    ['version', '1.0', 'version: expected a version like "1.0.0", got "1.0"'],
    ['license', '', 'license: expected a text, got ""'],
    ['license', undefined, 'license: missing'],
    ['untrained', 'no', 'untrained: expected true or false, got "no"'],
    ['requires', { sdk: '>=0.1', gpu: true }, 'requires.gpu: unknown field'],
    ['requires.sdk', '^0.1.0', 'requires.sdk: expected a range'],
    ['signature', {}, 'signature: unknown field'],
    ['task', 'detection', 'task: expected "localize" or "parse" or "segment", got "detection"'],
    ['task', 'parsing', 'task: "parsing" is the name that older versions gave to "parse"'],
    ['classes', ['dog', 'dog'], 'classes[1]: "dog" stands here twice'],
    ['classes', [], 'classes: expected at least 1 item'],
    ['classes', { 0: 'dog' }, 'classes: expected a list, got an object'],
    ['base.contract', 'sha256-abc', 'base.contract: expected sha256- and a digest in base64, got "sha256-abc"'],
    ['files', [], 'files: expected at least 1 item'],
    ['files.0.path', '../secret', 'files[0].path: expected a relative path'],
    ['files.0.path', '/etc/passwd', 'files[0].path: expected a relative path'],
    ['files.0.path', 'https://host/x', 'files[0].path: expected a relative path'],
    ['files.0.path', 'a\\b', 'files[0].path: expected a relative path'],
    ['files.0.path', 'a//b', 'files[0].path: expected a relative path'],
    ['files.0.path', 'a/%2e%2e/b', 'files[0].path: expected a relative path'],
    ['files.0.path', 'a/./b', 'files[0].path: expected a relative path'],
    ['files.0.path', 'graph.onnx?x', 'files[0].path: expected a relative path'],
    ['files.0.path', 'graphs/clip.onnx', 'stands here twice'],
    ['files.0.bytes', 0, 'files[0].bytes: expected an integer from 1, got 0'],
    ['files.0.bytes', 2.5, 'files[0].bytes: expected an integer from 1, got 2.5'],
    ['files.0.bytes', '9', 'files[0].bytes: expected an integer from 1, got "9"'],
    ['files.0.chunks', [], 'files[0].chunks: expected at least 1 item, got 0'],
    ['files.0.chunks', [`sha256-${'A'.repeat(43)}=`], 'files[0].chunkBytes: missing'],
    ['files.0.chunkBytes', 4096, 'files[0].chunks: missing'],
    ['files.0.chunkBytes', 4096, 'files[0].chunks: missing'],
    ['files.0.pieces', [], 'files[0].pieces: unknown field'],
    ['files.0.path', 'notes.bin', 'files[0]: "notes.bin" is used by no variant'],
    ['segment.reads', [], 'segment.reads: expected at least 1 item'],
    ['segment.outputs.0.shape', [1, 0], 'segment.outputs[0].shape[1]: expected an integer from 1, got 0'],
    ['segment.outputs.0.shape', [3], 'segment.outputs[0].shape: expected 1 as the first dimension, got 3'],
    ['segment.outputs.0.shape', [1, 1e6, 1e6], 'segment.outputs[0].shape: expected at most'],
    ['segment.outputs.0.name', 'state', 'segment.outputs[1]: "state" stands here twice'],
    ['segment.outputs.1.name', 'mask', 'segment.outputs[1].name: "mask" is an input'],
    ['segment.outputs.1.deliver', 'segment', 'clip: expected null, since no segment output is delivered to "clip"'],
    ['clip', null, 'segment.outputs[1].deliver: expected "segment", since clip is null'],
    ['clip.segments', 9, 'clip.outputs[0].shape: expected 9 (clip.segments) as the first dimension, got 10'],
    ['variants.webgpu', undefined, 'variants.webgpu: missing'],
    ['variants.cuda', {}, 'variants.cuda: unknown field'],
    ['variants.wasm.clip', null, 'variants.wasm.clip: expected graph and weights, since clip is not null'],
    [
      'variants.webgpu.segment.graph',
      'other.onnx',
      'variants.webgpu.segment.graph: expected a file listed in "files", got "other.onnx"',
    ],
    ['files.1.bytes', 2 ** 31 + 1, 'files[1].bytes: expected at most 2147483648 bytes, got 2147483649'],
    [
      'segment.outputs.0.shape',
      [1, 2 ** 14, 2 ** 13],
      'segment.outputs[0].shape: expected at most 8 dimensions and 67108864 elements, got 3 and 134217728',
    ],
    [
      'segment.outputs.0.shape',
      [1, 2 ** 26],
      'segment.outputs: expected at most 67108864 numbers of all outputs, got 67108872',
    ],
    [
      'segment.outputs.1.shape',
      [1, 2 ** 24],
      'clip.segments: expected at most 67108864 numbers kept for a window, got 167772160',
    ],
  ])('of an adapter with another %s (%j) is refused by path', async (path, value, problem) => {
    const error = errorOf(changed(await adapterManifest(), path, value));
    expect(error.code).toBe('invalid-file');
    expect(error.message).toContain(problem);
    expect(error.message.startsWith(`${where}: `)).toBe(true);
  });

  test.each<[string, unknown, string | null]>([
    ['inputs.visual.width', 0, 'inputs.visual.width: expected an integer from 1 to 8192, got 0'],
    ['inputs.visual.mean', [0, 0], 'inputs.visual.mean: expected a list of 3'],
    ['inputs.visual.std', [1, 0, 1], 'inputs.visual.std[1]: expected a number'],
    ['inputs.audio.fftSize', 500, 'inputs.audio.fftSize: expected a power of two'],
    ['inputs.audio.hop', 0, 'inputs.audio.hop: expected an integer'],
    ['inputs.audio.maxHz', 8001, 'inputs.audio.maxHz: expected more than minHz and at most 8000'],
    ['inputs.audio.frames', 102, 'inputs.audio.frames: expected at most 101'],
    ['inputs.audio.mels', 300, 'inputs.audio.mels: expected at most 257'],
    ['inputs.audio.floor', 0, 'inputs.audio.floor: expected a number'],
    ['taps.audio', [], 'taps.audio: expected at least 1 item'],
    ['taps.audio.0.name', 'v0', 'taps.audio[0].name: "v0" is the name of another tap too'],
    ['taps.visual.0.tokens', 13, 'taps.visual[0].tokens: expected 12 for the grid, got 13'],
    ['taps.visual.0.grid', [3, 4, 1], 'taps.visual[0].grid: expected a list of 2'],
    ['variants.wasm.audio', null, 'variants.wasm.audio: expected an object, got null'],
    ['inputs.visual', null, 'taps.visual: expected none, since inputs.visual is null'],
    ['networks.visual', null, 'networks.visual: expected a digest, got null'],
    ['networks.audio', 'sha256-', 'networks.audio: expected sha256- and a digest in base64, got "sha256-"'],
    ['inputs.audio.window', 513, 'inputs.audio.window: expected at most 512, the fftSize, got 513'],
    ['inputs.audio.align', 'right', 'inputs.audio.align: expected "centre" or "left", got "right"'],
    ['inputs.audio.scale', undefined, 'inputs.audio.scale: missing'],
    ['taps.visual.0.layout', 'grid', 'taps.visual[0].layout: expected "tokens" or "map"'],
    ['inputs.visual.width', 8192, null],
    [
      'inputs.visual',
      { input: 'x', width: 8192, height: 8192, mean: [0, 0, 0], std: [1, 1, 1] },
      'inputs.visual: expected at most 4194304 pixels, got 67108864',
    ],
    [
      'taps.visual.0',
      { name: 'v0', layout: 'tokens', tokens: 1e6, width: 1e6, grid: [1000, 1000] },
      'taps: expected at most 67108864 numbers of all taps, got 1000000000128',
    ],
    ['inputs.audio.repeat', 60, null],
    [
      'inputs.audio',
      { ...backboneDraft.inputs.audio, sampleRate: 400_000, repeat: 60 },
      'inputs.audio: expected at most 8388608 samples, sampleRate x repeat, got 24000000',
    ],
    [
      'inputs.audio',
      { ...backboneDraft.inputs.audio, fftSize: 16_384, window: 16_384, repeat: 60, hop: 1, frames: 300_000 },
      'inputs.audio: expected at most 4194304 numbers, frames x mels, got 19200000',
    ],
    [
      'inputs.audio',
      { ...backboneDraft.inputs.audio, fftSize: 16_384, window: 16_384, repeat: 60, hop: 1, frames: 60_000 },
      'inputs.audio: expected at most 67108864 points of transforms, frames x fftSize, got 983040000',
    ],
    [
      'inputs.audio',
      { ...backboneDraft.inputs.audio, fftSize: 65_536, window: 512, repeat: 60, frames: 10, mels: 4096 },
      'inputs.audio: expected at most 16777216 weights of filters, mels x (fftSize / 2 + 1), got 134221824',
    ],
  ])('of a backbone with another %s (%j) is refused by path', async (path, value, problem) => {
    const manifest = changed(await backboneManifest(), path, value);
    // Large, and within the limits.
    if (problem === null) return expect(parseManifest(manifest, where)).toBeDefined();
    const error = errorOf(manifest);
    expect(error.code).toBe('invalid-file');
    expect(error.message).toContain(problem);
  });

  test('of files that are more together than a device can address is refused', async () => {
    const manifest = await adapterManifest();
    for (const file of manifest.files) file.bytes = 2 ** 31;
    expect(errorOf(manifest).message).toContain(
      'variants.webgpu: its files have 6.4 GB, expected at most 4.3 GB together',
    );
  });

  test.each([null, 5, 'text', [], [[]]])('that is %j is refused', (json) => {
    expect(errorOf(json).message).toMatch(/expected an object, got/);
  });

  test.each([
    ['>=0.1 <1', '0.1.0', true],
    ['>=0.1 <1', '0.0.9', false],
    ['>=0.1 <1', '1.0.0', false],
    ['>0.1', '0.1.1', true],
    ['=0.1.2', '0.1.2', true],
    ['<=0.9', '0.10.0', false],
  ])('that requires %s of version %s', async (range, version, fits) => {
    const manifest = changed(await adapterManifest(), 'requires.sdk', range);
    if (fits) expect(parseManifest(manifest, where, version).requires.sdk).toBe(range);
    else {
      const error = errorOf(manifest, version);
      expect(error.code).toBe('incompatible');
      expect(error.message).toBe(`${where}: requires mettle-edge ${range}, but this is ${version}.`);
    }
  });
});

describe('the contract', () => {
  test('is a digest of inputs, networks and taps, whatever the order of their keys', async () => {
    expect(canonicalJson({ b: [1, { d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":null,"d":1}]}');
    const { inputs, networks, taps } = backboneDraft;
    const contract = await contractOf(backboneDraft);
    expect(contract).toMatch(/^sha256-[A-Za-z0-9+/]{43}=$/);
    const backwards = Object.fromEntries(Object.entries(inputs.visual!).reverse()) as typeof inputs.visual;
    expect(await contractOf({ taps, networks, inputs: { audio: inputs.audio, visual: backwards } })).toBe(contract);
    expect(await contractOf(changed(backboneDraft, 'taps.audio.0.width', 17))).not.toBe(contract);
    expect(await contractOf(changed(backboneDraft, 'inputs.audio.hop', 161))).not.toBe(contract);
    expect(await contractOf(changed(backboneDraft, 'networks.audio', networks.visual))).not.toBe(contract);
  });

  test('lets an adapter fit its backbone', async () => {
    await expect(checkFits(await adapterManifest(), await backboneManifest())).resolves.toBe('same');
  });

  test('refuses another backbone, and says which', async () => {
    const backbone = changed(await backboneManifest(), 'id', 'large');
    const rejection = expect(checkFits(await adapterManifest(), backbone)).rejects;
    await rejection.toMatchObject({ code: 'incompatible', hint: expect.stringContaining('made for "large"') });
    await rejection.toThrow(
      /^Adapter "toybox-ave" was made for backbone "nano" \(contract sha256-.{8}\.\.\.\), but "large" is loaded\.$/,
    );
  });

  test('takes the same backbone with other weights where the adapter says what it must be like', async () => {
    const [adapter, backbone] = [await adapterManifest(), await backboneManifest()];
    const { inputs, taps } = backbone;
    const file = adapter.files[0]!.path;
    const like = changed(adapter, 'base.likeness', { inputs, taps, file, tolerance: 0.25 });
    expect(parseManifest(like, 'adapter')).toEqual(like);
    const other = changed(backbone, 'networks.audio', backbone.networks.visual);
    await expect(checkFits(like, other)).resolves.toBe('alike');
    await expect(checkFits(adapter, other)).rejects.toMatchObject({ code: 'incompatible' });
    await expect(checkFits(like, changed(other, 'inputs.audio.input', 'x'))).resolves.toBe('alike');
    await expect(checkFits(like, changed(other, 'inputs.audio.hop', 161))).rejects.toThrow('was made for backbone');
    await expect(checkFits(like, changed(other, 'taps.audio.0.width', 17))).rejects.toThrow('was made for backbone');
    await expect(checkFits(like, changed(other, 'id', 'large'))).rejects.toThrow('"large" is loaded');
    expect(() => parseManifest(changed(like, 'base.likeness.file', 'none.safetensors'), 'adapter')).toThrow(
      'base.likeness.file: expected a file listed in "files"',
    );
  });

  test('refuses the same backbone with other taps', async () => {
    const backbone = changed(await backboneManifest(), 'taps.audio.0.width', 17);
    await expect(checkFits(await adapterManifest(), backbone)).rejects.toThrow(
      /but "nano" 1\.0\.0 with contract sha256-.{8}\.\.\. is loaded/,
    );
  });

  test('refuses an adapter that reads what no tap gives', async () => {
    const adapter = changed(await adapterManifest(), 'segment.reads', ['v0', 'v9']);
    await expect(checkFits(adapter, await backboneManifest())).rejects.toThrow(
      'Adapter "toybox-ave" reads v9, but backbone "nano" has the taps v0, a0.',
    );
  });
});

describe('publishing', () => {
  test('gives size and digest of every file, in order of their paths', async () => {
    const { files } = await backboneManifest();
    expect(files.map((file) => file.path)).toEqual(Object.keys(backboneFiles).sort());
    // printf '# nano' | openssl dgst -sha256 -binary | base64
    expect(files.find((file) => file.path === 'README.md')).toEqual({
      path: 'README.md',
      bytes: 6,
      integrity: 'sha256-oX+h0oqOL0s8feiRNFfW6RDWiIsgq9yztPLY+WiNqP8=',
    });
  });

  test('writes the same text for the same manifest', async () => {
    const manifest = await adapterManifest();
    const backwards = Object.fromEntries(Object.entries(manifest).reverse()) as typeof manifest;
    expect(manifestText(backwards)).toBe(manifestText(manifest));
    expect(manifestText(manifest)).toMatch(/^\{\n {2}"base": \{\n[\s\S]*\}\n$/);
  });

  test('refuses to list a file that nothing uses, or to leave one out', async () => {
    const draft = await adapterDraft();
    await expect(finishManifest(draft, { ...adapterFiles, 'stray.bin': bytesOf('x') })).rejects.toThrow(
      'manifest of adapter "toybox-ave": files[5]: "stray.bin" is used by no variant.',
    );
    const { 'graphs/clip.onnx': _, ...without } = adapterFiles;
    await expect(finishManifest(draft, without)).rejects.toThrow('expected a file listed in "files"');
  });

  test('gives a registry entry that a registry accepts', async () => {
    const entry = await registryEntry(await backboneManifest(), 'backbones/nano/manifest.json');
    expect(parseRegistry({ nano: entry }, 'registry').models).toEqual({ nano: entry });
    expect(() => parseRegistry({ nano: { ...entry, manifest: '/x' } }, 'registry')).toThrow(
      'registry: nano.manifest: expected a relative path',
    );
    expect(() => parseRegistry({ 'no id': entry }, 'registry')).toThrow('registry: "no id": expected a name like');
  });
});

describe('hostile manifests', () => {
  test('broken texts give a result or an error with a place', async () => {
    const text = bytesOf(JSON.stringify(await adapterManifest()));
    let parsed = 0;
    const copies = [...brokenCopies(text, 4000)].flatMap((bytes) => {
      try {
        JSON.parse(new TextDecoder().decode(bytes));
        return [bytes];
      } catch {
        return [];
      }
    });
    const refused = survives(copies, 'fuzzed: ', (bytes) => {
      parsed++;
      parseManifest(JSON.parse(new TextDecoder().decode(bytes)), 'fuzzed');
    });
    expect(parsed).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(50);
  });

  test('strange values in every place give an error with a place', async () => {
    const random = randomNumbers(7);
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth++) deep = [deep];
    const strange = [
      null,
      -1,
      1e308,
      0.5,
      '',
      'x'.repeat(100_000),
      [],
      {},
      deep,
      Array(1e5).fill(0),
      JSON.parse('{"__proto__":1}'),
    ];
    for (const manifest of [await adapterManifest(), await backboneManifest()]) {
      for (const path of pathsOf(manifest)) {
        const json = changed(manifest, path, strange[Math.floor(random() * strange.length)]);
        survives([new Uint8Array(0)], 'fuzzed: ', () => parseManifest(json, 'fuzzed'));
      }
    }
  });
});

/** Path of every value in a JSON document, in the form that `changed` takes. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = path ? `${path}.${name}` : name;
    return [here, ...pathsOf(member, here)];
  });
}

describe('what an adapter says of itself', () => {
  const one = { temperature: 1.5, bias: 0 };
  const scope = { senses: ['audio'], world: 'Dogs.', unknown: 'Cats.' };

  test('packages of before lack it, and have null in its place', async () => {
    const { scope: _, familiarity, calibration, ...before } = await adapterManifest();
    expect([familiarity, calibration]).toEqual([null, null]);
    expect(parseManifest(before, where)).toMatchObject({ scope: null, familiarity: null, calibration: null });
  });

  test('a scope, a measure whose file is listed, and temperatures of the task come through', async () => {
    const draft = await adapterDraft();
    const tokens = { name: 'audioTokens', shape: [1, 4, 8], deliver: 'clip' as const };
    const manifest = await finishManifest(
      {
        ...draft,
        scope: { ...scope, senses: ['audio'] },
        calibration: { both: one },
        familiarity: { file: 'familiarity.safetensors', least: 0.02 },
        segment: { ...draft.segment, outputs: [...draft.segment.outputs, tokens] },
      },
      { ...adapterFiles, 'familiarity.safetensors': bytesOf('measure') },
    );
    expect(manifest).toMatchObject({ scope, calibration: { both: one }, familiarity: { least: 0.02 } });
    const unlisted = { ...manifest, files: manifest.files.filter(({ path }) => !path.startsWith('familiarity')) };
    expect(errorOf(unlisted).message).toContain('familiarity.file: expected a file listed in "files"');
  });

  test.each([
    ['scope.senses', { ...scope, senses: [] }, 'scope.senses: expected at least 1 item'],
    ['scope.senses', { ...scope, senses: ['smell'] }, 'scope.senses[0]: expected "audio" or "visual"'],
    ['calibration', { audio: one, visual: one }, 'calibration: expected both, since task is "localize"'],
    ['calibration', { both: { temperature: 0, bias: 0 } }, 'calibration.both.temperature: expected a number'],
    ['familiarity', { file: 'x', least: 2 }, 'familiarity.least: expected a number from 0 to 1'],
    ['familiarity', { file: 'x', least: 0 }, 'familiarity: expected null, since no output holds meta-tokens'],
  ])('%s of %j is refused', async (field, value, message) => {
    const manifest = { ...(await adapterManifest()), [field.split('.')[0]!]: value };
    expect(errorOf(manifest).message).toContain(message);
  });
});
