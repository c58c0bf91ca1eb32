/** The `mettle` command through `main`, with a made-up SDK behind it: what goes to which stream, and which exit code. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { FakeCommand, models } from '../helpers/fake-command.ts';

describe('mettle', () => {
  let root: string;
  let session: FakeCommand['session'];
  let createMettle: FakeCommand['createMettle'];
  let mettle: FakeCommand['run'];
  let command: FakeCommand;

  beforeEach(async () => {
    command = await FakeCommand.open();
    ({ root, session, createMettle } = command);
    mettle = (args, io) => command.run(args, io);
  });
  afterEach(() => command.close());

  test('--version and --help answer without loading anything', async () => {
    expect(await mettle(['--version'])).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
    for (const args of [['--help'], ['run', '--help'], ['info', '-h']]) {
      const { code, out, err } = await mettle(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('Usage');
    }
    expect(createMettle).not.toHaveBeenCalled();
  });

  test('help of a command is what its --help prints', async () => {
    const names = [
      ['run'],
      ['info'],
      ['backbone'],
      ['backbone', 'import'],
      ['backbone', 'tap'],
      ['data'],
      ['data', 'check'],
    ];
    const more = [
      ['data', 'toybox'],
      ['train'],
      ['eval'],
      ['pretrain'],
      ['verify'],
      ['pack'],
      ['serve'],
      ['keygen'],
      ['sign'],
      ['cache'],
      ['batch'],
    ];
    for (const command of [...names, ...more]) {
      const { code, out, err } = await mettle(['help', ...command]);
      expect([code, err]).toEqual([0, '']);
      expect(out).toBe((await mettle([...command, '--help'])).out);
      expect(out).toContain(`mettle ${command[0]}`);
    }
    const { out } = await mettle(['--help']);
    expect((await mettle(['help'])).out).toBe(out);
    expect((await mettle(['help', 'help'])).out).toBe(out);
  });

  test('options for where models come from reach the SDK, and keys as text or as files', async () => {
    const key = 'ed25519-Ob/0AQzK0sZTRq5cAMlUSJPTzd8R5gv/oNpoAepnHSI=';
    const file = join(root, 'acme.pub');
    const spki = 'MCowBQYDK2VwAyEAOb/0AQzK0sZTRq5cAMlUSJPTzd8R5gv/oNpoAepnHSI=';
    await writeFile(file, `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
    const hosts = ['--host', 'hf=https://hub.example', '--host', 'npm=https://mirror.example/npm'];
    const words = ['run', 'clip.mp4', '--adapter', 'hf:me/rain', ...hosts, '--offline', '--refresh'];
    expect((await mettle([...words, '--key', key, '--key', file])).code).toBe(0);
    expect(createMettle).toHaveBeenLastCalledWith(
      expect.objectContaining({
        hosts: { hf: 'https://hub.example', npm: 'https://mirror.example/npm' },
        publishers: [key, key],
        offline: true,
        refresh: true,
      }),
    );
    await mettle(['run', 'clip.mp4']);
    const plain = createMettle.mock.lastCall![0];
    expect([plain.publishers, plain.offline, plain.refresh]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ['run', 'clip.mp4', '--adapter', 'hf:me/rain'],
    ['captions', 'clip.mp4', '--adapter', 'hf:me/rain'],
    ['watch', 'clip.mp4', '--adapter', 'hf:me/rain'],
    ['eval', 'hf:me/rain', 'clips'],
    [
      'pretrain',
      '--preset',
      'swin-v2-nano',
      '--teacher',
      'hf:me/rain',
      '--material',
      'clips',
      '--out',
      'w.safetensors',
    ],
    ['verify', 'hf:me/rain'],
  ])('%s asks nobody who was not named, and keeps to what is on the machine', async (command, ...words) => {
    const real = { createMettle: undefined, listModels: undefined };
    const backbone = command === 'eval' ? ['--backbone', 'nano'] : [];
    const line = [command, ...words, ...backbone];
    const unnamed = await mettle(line, real);
    expect(unnamed).toMatchObject({ code: 2, err: expect.stringContaining('"hf:me/rain" needs a host') });
    expect(unnamed.err).toContain('--host hf=https://huggingface.co');
    const wrong = await mettle([...line, '--host', 'hub.example'], real);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--host takes hf=URL or npm=URL') });
    const key = await mettle([...line, '--key', join(root, 'none.pub')], real);
    expect(key).toMatchObject({ code: 2, err: expect.stringContaining('none.pub does not exist') });
    if (command === 'verify') return;
    const offline = await mettle([...line, '--host', 'hf=http://localhost:9', '--offline'], real);
    expect(offline).toMatchObject({ code: 2, err: expect.stringContaining('is not on this device') });
  });

  test.each<[string[], RegExp, RegExp]>([
    [[], /No command was given/, /mettle --help/],
    [['dance'], /"dance" is no command/, /mettle --help/],
    [['run'], /No FILE was named/, /mettle run --help/],
    [['run', 'a.mp4', '--fast'], /Unknown option '--fast'/, /mettle run --help/],
    [['run', 'a.mp4', '--out'], /--out/, /mettle run --help/],
    [['run', 'a.mp4', '--out='], /--out must name a folder/, /mettle run --help/],
    [['run', 'a.mp4', '--tasks', 'localize,sing'], /"sing" is no task/, /localize, parse, segment/],
    [['run', 'a.mp4', '--tasks', 'toString'], /"toString" is no task/, /localize, parse, segment/],
    [
      ['run', 'a.mp4', '--tasks', 'parse'],
      /No shipped adapter for backbone "nano-2" can parse/,
      /nano-ave \(localize\)/,
    ],
    [['run', 'a.mp4', '--device', 'tpu'], /--device "tpu" is unknown/, /auto, cpu, wasm, webgpu/],
    [['run', 'a.mp4', '--threads', '0'], /--threads must be a whole number/, /Leave it out/],
    [['info', 'x'], /Unexpected argument 'x'/, /mettle info --help/],
    [['rum', 'a.mp4'], /"rum" is no command\. Did you mean "run"\?/, /mettle --help/],
    [['help', 'rum'], /"rum" is no command\. Did you mean "run"\?/, /mettle --help/],
    [['toString'], /"toString" is no command\.$/, /mettle --help/],
    [['run', 'a.mp4', '--devise', 'cpu'], /Unknown option '--devise'\. Did you mean "--device"\?/, /mettle run --help/],
    [['run', 'a.mp4', '--device', 'webgup'], /Did you mean "webgpu"\?/, /auto, cpu, wasm, webgpu/],
    [['run', 'a.mp4', '--tasks', 'localise'], /Did you mean "localize"\?/, /localize, parse, segment/],
    [['data', 'chek'], /Did you mean "check"\?/, /mettle data --help/],
    [['backbone', 'imprt'], /Did you mean "import"\?/, /mettle backbone --help/],
    [['train', '--data', 'd', '--out', 'o', '--task', 'ave'], /--task "ave" is unknown/, /localize, parse, segment/],
    [['train', '--data', 'd', '--out', 'o', '--format', 'av'], /Did you mean "ave"\?/, /ave, llp/],
  ])('wrong usage %j: exit 2, one line of message, one of hint', async (args, message, hint) => {
    const { code, out, err } = await mettle(args);
    expect([code, out]).toEqual([2, '']);
    const lines = err.split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^mettle: /);
    expect(lines[0]).toMatch(message);
    expect(lines[1]).toMatch(/^hint: /);
    expect(lines[1]).toMatch(hint);
    expect(createMettle).not.toHaveBeenCalled();
  });

  describe('run', () => {
    test('in a pipe: a plain timeline, no progress, no colour', async () => {
      const { code, out, err } = await mettle(['run', 'dir/clip.mp4']);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('clip.mp4  2.5 s · picture 640 × 360, avc · sound 48 kHz stereo, aac\n');
      expect(out).toContain('! The file <ends> early.\n');
      expect(out).toMatch(/both {3}Dog {19}█+·+ {2}0-1 s 9\d%\n/);
      expect(out).toMatch(/heard {2}Dog {19}█+·+ {2}0-2 s 90%\n/);
      expect(out).toMatch(/area {3}sounding {14}[▁-█]+ +up to 75% of the picture\n/);
      expect(out).not.toMatch(/\p{Cc}(?<!\n)/u);
      expect(session.disposed).toBe(true);
    });

    test('blocks stand under their seconds', async () => {
      const { out } = await mettle(['run', 'clip.mp4']);
      // 96 columns leave room for 48 cells, 16 to each of 3 seconds: heard in seconds 0 and 1, the other label in 1 and the half second 2.
      const bars = [...out.matchAll(/heard .*?([█·]{48})/g)].map((match) => match[1]);
      expect(bars).toEqual(['█'.repeat(32) + '·'.repeat(16), '·'.repeat(16) + '█'.repeat(24) + '·'.repeat(8)]);
    });

    test('on a terminal: a bar on stderr that is wiped, colours unless NO_COLOR', async () => {
      const color = await mettle(['run', 'clip.mp4'], { tty: true });
      expect(color.err).toContain('Reading nano');
      expect(color.err).toContain('3/3 s');
      expect(color.err).not.toContain('\n');
      expect(color.err.endsWith('\r\x1b[K')).toBe(true);
      expect(color.out).toContain('\x1b[38;5;');
      const plain = await mettle(['run', 'clip.mp4'], { tty: true, env: { NO_COLOR: '1' } });
      expect(plain.out).not.toContain('\x1b');
      const quiet = await mettle(['run', 'clip.mp4', '--quiet'], { tty: true });
      expect(quiet).toEqual({ code: 0, out: '', err: '' });
    });

    test('options reach the SDK', async () => {
      const analyze = vi.spyOn(session, 'analyze');
      await mettle(['run', 'c.mp4', '--tasks', 'segment,localize,segment', '--device', 'cpu', '--threads', '3']);
      expect(createMettle.mock.calls[0]![0]).toMatchObject({
        adapters: ['nano-ave', 'nano-avs'],
        device: 'cpu',
        threads: 3,
      });
      expect(analyze.mock.calls[0]![1]).toMatchObject({ tasks: ['segment', 'localize'] });
      expect(analyze.mock.calls[0]![1]).not.toHaveProperty('thumbnailHeight');
      await mettle(['run', 'c.mp4', '--backbone', './b', '--adapter', 'one', '--adapter', './two']);
      expect(createMettle.mock.calls[1]![0]).toMatchObject({ backbone: './b', adapters: ['one', './two'] });
      await mettle(['run', 'c.mp4', '--backbone', './b', '--tasks', 'parse']);
      expect(createMettle.mock.calls[2]![0]).toMatchObject({ backbone: './b', adapters: undefined });
    });

    test('--json: one line per FILE, and nothing else', async () => {
      const { code, out, err } = await mettle(['run', 'a.mp4', 'b.mp4', '--json']);
      expect([code, err]).toEqual([0, '']);
      const documents = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(documents.map((document) => document.source.name)).toEqual(['a.mp4', 'b.mp4']);
      expect(documents[0]).toMatchObject({ format: 'mettle-edge/results', version: 1 });
    });

    test('--out: one FILE writes there, several get folders that never meet', async () => {
      const one = join(root, 'one');
      const { code, out } = await mettle(['run', 'a.mp4', '--out', one]);
      expect(code).toBe(0);
      expect(out).toContain(`Report: ${join(one, 'report.html')}\n`);
      expect((await readdir(one)).sort()).toEqual(['events.vtt', 'masks', 'report.html', 'results.json']);
      expect(await readFile(join(one, 'report.html'), 'utf8')).toContain('data:image/png');

      const files = ['x/a.mp4', 'y/A.webm', 'http://localhost/v/..%2f..%2fb.mp4?q', '...', '.hidden.mp4'];
      await mettle(['run', ...files, '--out', join(root, 'many')]);
      expect((await readdir(join(root, 'many'))).sort()).toEqual(['A-2', '_.._b', 'a', 'clip', 'hidden']);
      expect((await readdir(root)).sort()).toEqual(['many', 'one']);
    });

    test('--explain: pictures, a spectrogram and weights of layers for each adapter, beside the results', async () => {
      const folder = join(root, 'why');
      expect((await mettle(['run', 'a.mp4', '--explain', '--out', folder])).code).toBe(0);
      const all = await readdir(folder);
      expect(all.filter((name) => name.startsWith('attention'))).toEqual(['attention', 'attention-2', 'attention-3']);
      const files = (await readdir(join(folder, 'attention'))).sort();
      expect(files).toEqual(['000-seen.png', '001-seen.png', '002-seen.png', 'heard.png', 'layers.json']);
      const layers = JSON.parse(await readFile(join(folder, 'attention-3', 'layers.json'), 'utf8'));
      expect(layers.seconds[2]).toEqual({ start: 2, end: 3, picture: { 'visual.top': 1 }, sound: { 'audio.top': 1 } });
      expect(JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')).results[0]).not.toHaveProperty(
        'explanation',
      );

      expect((await mettle(['run', 'a.mp4', '--out', folder])).code).toBe(0);
      expect((await readdir(folder)).sort()).toEqual(['events.vtt', 'masks', 'report.html', 'results.json']);
      const { code, err } = await mettle(['run', 'a.mp4', '--explain']);
      expect(code).toBe(2);
      expect(err).toMatch(/--explain writes pictures, so it needs a folder/);
    });

    test('bad input: exit 2, two lines, the other FILEs are still done', async () => {
      const { code, out, err } = await mettle(['run', 'missing.mp4', 'b.mp4']);
      expect(code).toBe(2);
      expect(err).toBe('mettle: There is no file "missing.mp4".\nhint: Check the path.\n');
      expect(out).toContain('b.mp4');
      expect(session.disposed).toBe(true);
    });

    test('a fault of ours: exit 1, its stack under --verbose only', async () => {
      const plain = await mettle(['run', 'broken.mp4', 'missing.mp4', '--quiet']);
      expect(plain.code).toBe(1);
      expect(plain.err.split('\n')[0]).toBe('mettle: internal fault: broken.mp4: x is not a function');
      expect(plain.err).not.toContain('    at ');
      const verbose = await mettle(['run', 'broken.mp4', '--verbose']);
      expect(verbose.err).toContain('TypeError: x is not a function\n    at ');
    });

    test('models that cannot be loaded, and a folder that cannot be written', async () => {
      createMettle.mockRejectedValueOnce(new MettleError('device', 'There is no WebGPU here.'));
      expect(await mettle(['run', 'a.mp4'])).toMatchObject({
        code: 2,
        err: expect.stringMatching(/no WebGPU here\.\nhint: ./),
      });
      await writeFile(join(root, 'file'), '');
      const { code, err } = await mettle(['run', 'a.mp4', '--out', join(root, 'file')]);
      expect(code).toBe(2);
      expect(err).toMatch(
        /^mettle: Cannot write the results into ".*file": it is a file.*\nhint: Name another folder\.\n$/,
      );
    });

    test('interrupted: exit 130, the session is disposed, nothing is written', async () => {
      const controller = new AbortController();
      const real = session.analyze;
      session.analyze = (source, options) =>
        real.call(session, source, {
          ...options,
          onProgress: (progress) => {
            options.onProgress?.(progress);
            controller.abort(new DOMException('Interrupted.', 'AbortError'));
          },
        });
      const folder = join(root, 'out');
      const { code, out, err } = await mettle(['run', 'a.mp4', 'b.mp4', '--out', folder], {
        signal: controller.signal,
      });
      expect({ code, out, err }).toEqual({ code: 130, out: '', err: 'mettle: interrupted.\n' });
      expect(session.disposed).toBe(true);
      expect(await readdir(root)).toEqual([]);
    });

    test('names from outside cannot steer the terminal', async () => {
      const { out } = await mettle(['run', 'a\x1b[2J\u202e\n.mp4'], { tty: true, env: { NO_COLOR: '1' } });
      expect(out).toContain('a\ufffd[2J\ufffd .mp4');
      const { err } = await mettle(['run', 'missing\x1b[2J.mp4']);
      expect(err).toContain('missing\ufffd[2J.mp4');
    });
  });

  describe('info', () => {
    test('versions, device with reasons, shipped models', async () => {
      const { code, out, err } = await mettle(['info']);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^mettle-edge \d/);
      expect(out).toContain(process.version);
      expect(out).toContain('cpu, onnxruntime-node 1.30.0');
      expect(out).toContain('There is no <GPU> here.');
      expect(out).toMatch(/nano-ave +1\.0\.0 {2}localize, for nano-2 \(untrained\)/);
      expect(session.disposed).toBe(true);
    });

    test('--json', async () => {
      const { out } = await mettle(['info', '--json', '--device', 'wasm']);
      expect(JSON.parse(out)).toMatchObject({ engine: { device: 'cpu' }, models });
      expect(createMettle.mock.calls[0]![0]).toMatchObject({ device: 'wasm' });
    });

    test('without a working device the rest is told, and the exit code is 2', async () => {
      createMettle.mockRejectedValueOnce(new MettleError('device', 'There is no WebGPU here.', { hint: 'Try wasm.' }));
      const { code, out, err } = await mettle(['info', '--device', 'webgpu']);
      expect([code, err]).toEqual([2, 'mettle: There is no WebGPU here.\nhint: Try wasm.\n']);
      expect(out).toContain('nano-avs');
    });
  });
});
