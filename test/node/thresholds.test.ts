/** Thresholds from the validation split, by the command line: into manifest, card and figures, and out of them again by `eval`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { EvaluationReport } from '../../sdk/train/metrics/report.ts';
import { makeFilm } from '../helpers/clip-maker.ts';

let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-thresholds-'));
  data = join(root, 'data');
  await mkdir(data);
  const rows = ['file,onset,offset,label,modality,split'];
  for (const [seed, split] of ['train', 'train', 'val', 'test'].entries()) {
    await makeFilm(join(data, `${seed}.mp4`), { seconds: 2, width: 64, height: 48, frameRate: 10, seed });
    rows.push(`${seed}.mp4,0,1,${seed % 2 ? 'bell' : 'ball'},audio-visual,${split}`);
  }
  await writeFile(join(data, 'events.csv'), `${rows.join('\n')}\n`);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function mettle(...args: string[]): Promise<string> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(args, {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  });
  expect(code, err.join('')).toBe(0);
  return out.join('');
}

const small = ['--epochs', '2', '--batch', '1', '--width', '16', '--layers', '1', '--tokens', '2', '--threads', '2'];
const train = (verb: string) =>
  mettle(
    'train',
    '--data',
    data,
    '--out',
    join(root, verb),
    '--cache',
    join(root, 'features'),
    '--task',
    verb,
    ...small,
  );
const textOf = (verb: string, file: string) => readFile(join(root, verb, file), 'utf8');
const manifestOf = async (verb: string) => JSON.parse(await textOf(verb, 'manifest.json')) as AdapterManifest;

test('a trained parser keeps its thresholds, and reports with and without them', async () => {
  const said = await train('parse');
  expect(said.match(/^Segment-level/gm)).toHaveLength(4);
  const { classes, thresholds, canary } = await manifestOf('parse');
  expect(canary).toEqual({ file: 'canary.safetensors', rtol: 0.02 });
  expect(thresholds).toHaveLength(classes.length);
  for (const value of thresholds!) expect(value * 20).toBeCloseTo(Math.round(value * 20), 9);
  const listed = classes.map((label, c) => `${label} ${thresholds![c]}`).join(', ');
  expect(await textOf('parse', 'README.md')).toContain(`chosen on the validation split: ${listed}.`);
  expect(JSON.parse(await textOf('parse', 'adapter_config.json'))).toMatchObject({ thresholds });

  const reports = JSON.parse(await textOf('parse', 'evaluation.json')) as Extract<
    EvaluationReport,
    { task: 'parse' }
  >[];
  expect(reports.map(({ split }) => split)).toEqual(['val', 'test']);
  for (const report of reports) {
    expect(report.thresholded!.thresholds).toEqual(classes.map((label, c) => ({ label, value: thresholds![c] })));
    // The finished adapter, run as users run it, says what training said.
    const evaluated = JSON.parse(await mettle('eval', join(root, 'parse'), data, '--split', report.split, '--json'));
    expect(evaluated).toMatchObject({ segment: report.segment, thresholded: report.thresholded });
  }
  // The split is one clip, whose F of both senses together is what they were chosen for.
  const [val] = reports;
  expect(val!.thresholded!.segment.eventAV).toBeGreaterThanOrEqual(val!.segment.eventAV);
});

test('other tasks have none', async () => {
  await train('localize');
  expect((await manifestOf('localize')).thresholds).toBeNull();
  expect(await textOf('localize', 'README.md')).not.toContain('Probability from which');
});
