/** `mettle watch`, `find`, `captions` and `export`, with a made-up SDK behind them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeCommand } from '../helpers/fake-command.ts';

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

  describe('watch', () => {
    test('a line for each event that begins or ends, and for what was left out', async () => {
      expect(await mettle(['watch', 'rtsp://camera', '--adapter', 'x'])).toEqual({
        code: 0,
        err: '',
        out:
          '     0.3 s  Heard           dog\n' +
          '     1.8 s  Heard           dog ended after 1.5 s\n' +
          '     2.8 s  2 looks left out: the models are too slow\n',
      });
      expect(session.disposed).toBe(true);
    });

    test('--json: a line for each moment in which something changed', async () => {
      const lines = (await mettle(['watch', 'x', '--adapter', 'x', '--json'])).out.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line)).map(({ start, dropped }) => [start, dropped])).toEqual([
        [0.25, 0],
        [2.25, 2],
      ]);
    });

    test('interrupted: exit 130', async () => {
      const controller = new AbortController();
      const signal = controller.signal;
      controller.abort();
      expect((await mettle(['watch', 'x', '--adapter', 'x'], { signal })).code).toBe(130);
    });

    test.each([[[]], [['a', 'b']], [['a', '--hop', '3']], [['a', '--tasks', 'sing']]])(
      '%j is refused',
      async (args) => {
        expect((await mettle(['watch', ...args])).code).toBe(2);
        expect(createMettle).not.toHaveBeenCalled();
      },
    );
  });

  describe('find', () => {
    test('the most alike seconds of all films in a folder', async () => {
      for (const name of ['a.mp4', 'b.mp4', 'notes.txt']) await writeFile(join(root, name), '');
      const { code, out } = await mettle(['find', 'example.mp4', root, '--at', '1', '--top', '2']);
      expect([code, out.replaceAll(root, '')]).toEqual([0, ' 1.000  1-2 s  /a.mp4\n 0.995  1-2 s  /b.mp4\n']);
      const json = JSON.parse((await mettle(['find', 'example.mp4', root, '--json'])).out);
      expect(json[0]).toMatchObject({ file: join(root, 'a.mp4'), second: 1, similarity: expect.closeTo(1, 6) });
    });

    test('a film that cannot be read is told, and the others are searched', async () => {
      const { code, out, err } = await mettle(['find', 'example.mp4', 'broken.mp4', 'a.mp4', '--top', '1']);
      expect([code, err, out]).toEqual([
        2,
        expect.stringContaining('This is no film'),
        expect.stringContaining('a.mp4'),
      ]);
    });

    test.each([[['a.mp4']], [['a.mp4', 'b.mp4', '--sense', 'smell']], [['a.mp4', 'b.mp4', '--at', '77']]])(
      '%j is refused',
      async (args) => {
        expect((await mettle(['find', ...args])).code).toBe(2);
      },
    );
  });

  describe('captions and export', () => {
    test('captions beside speech, printed or written', async () => {
      const speech = join(root, 'speech.srt');
      await writeFile(speech, '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
      const { code, out } = await mettle([
        'captions',
        'a.mp4',
        '--adapter',
        'x',
        '--merge',
        speech,
        '--language',
        'de',
      ]);
      expect(code).toBe(0);
      expect(out).toContain('Hello\n\n2\n');
      expect(out).toContain('[Hund bellt]');
      expect(session.disposed).toBe(true);
      const file = join(root, 'a.vtt');
      expect(await mettle(['captions', 'a.mp4', '--adapter', 'x', '--out', file])).toMatchObject({ code: 0, out: '' });
      expect(await readFile(file, 'utf8')).toMatch(/^WEBVTT\n/);
      const again = await mettle(['captions', 'a.mp4', '--adapter', 'x', '--out', file]);
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('exists already')]);
    });

    test('what is wrong is told before a model is loaded', async () => {
      const speech = join(root, 'speech.txt');
      await writeFile(speech, 'no subtitles');
      for (const wrong of [
        ['--merge', speech],
        ['--language', 'enn'],
        ['--min-confidence', '7'],
        ['--format', 'ass'],
      ]) {
        expect((await mettle(['captions', 'a.mp4', ...wrong])).code).toBe(2);
      }
      expect(createMettle).not.toHaveBeenCalled();
      expect((await mettle(['captions', 'a.mp4'])).err).toContain('can parse');
    });

    test('what a run found, in other forms', async () => {
      await mettle(['run', 'a.mp4', '--out', join(root, 'out')]);
      const results = join(root, 'out/results.json');
      const as = async (form: string) => (await mettle(['export', results, '--as', form])).out;
      expect(await as('csv')).toContain('0.000,2.000,Dog,audio,');
      expect(await as('edl')).toContain('|M:Dog');
      expect(JSON.parse(await as('otio')).OTIO_SCHEMA).toBe('Timeline.1');
      expect(await as('captions')).toContain('[dog barking]');
      expect(await as('ffmetadata')).toMatch(/^;FFMETADATA1/);
      expect((await mettle(['export', results, '--as', 'avi'])).code).toBe(2);
      await writeFile(results, '{}');
      expect((await mettle(['export', results, '--as', 'csv'])).err).toContain('no results of mettle-edge');
    });
  });
});
