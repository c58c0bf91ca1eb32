/** The quality page: every number in it comes from the JSON, what was not run is a dash, and targets are judged on the right side. */
import { describe, expect, test } from 'vitest';
import { judge, qualityPage } from '../bench/quality-page.ts';
import { type Quality, type RunResult, runs, type TaskQuality, tasks, withTask } from '../bench/quality-runs.ts';

const result = (figures: Record<string, number>, more: Partial<RunResult> = {}): RunResult => ({
  figures,
  validation: 1,
  parameters: 1_234_567,
  minutes: 12.34,
  date: '2026-01-02',
  ...more,
});

const task = (id: TaskQuality['id'], more: Partial<TaskQuality> = {}): TaskQuality => ({
  id,
  machine: 'a machine',
  versions: 'mettle-edge 9',
  backbone: { id: 'nano', version: '1.0.0', untrained: false },
  data: { seed: 7, clips: { train: 80, val: 10, test: 11 } },
  budget: { epochs: 3, batch: 8, seed: 5, rate: 0.001 },
  runs: {},
  forms: [],
  ...more,
});

const ave = task('toybox-ave', {
  runs: {
    lcd: result({ accuracy: 91.26 }),
    audio: result({ accuracy: 71.25 }),
    visual: result({ accuracy: 71.27 }),
    probe: result({ accuracy: 88.2 }, { date: '2026-01-04' }),
    chance: result({ accuracy: 30 }, { note: '"background" everywhere' }),
  },
  forms: [
    { form: 'as shipped', device: 'cpu', figures: { accuracy: 90.2 } },
    { form: 'as shipped', device: 'webgpu', figures: null, skipped: 'no GPU' },
  ],
});

const page = (...all: TaskQuality[]): string => qualityPage({ schema: 1, tasks: all });
const row = (text: string, start: string): string => text.split('\n').find((line) => line.startsWith(`| ${start} |`))!;

test('figures, differences and conditions are those of the JSON', () => {
  const text = page(ave);
  expect(row(text, '**LCD**')).toBe('| **LCD** | 91.3 |  | 1,234,567 | 12.3 |');
  expect(row(text, 'sound alone')).toBe('| sound alone | 71.3 | -20.0 | 1,234,567 | 12.3 |');
  expect(text).toContain('LCD - linear probe of all layers: +3.1 points of accuracy.');
  expect(text).toContain('Chance is "background" everywhere');
  expect(row(text, 'toybox-ave')).toBe(
    '| toybox-ave | 80 / 10 / 11 | 7 | epochs 3, batch 8, rate 0.001, seed 5 | nano 1.0.0 | a machine | mettle-edge 9 | 2026-01-02 to 2026-01-04 |',
  );
  expect(text).toContain('| toybox-ave | as shipped | cpu | accuracy 90.2 | -1.06 |');
  expect(text).toContain('| toybox-ave | as shipped | webgpu | no GPU | - |');
  expect(page(ave)).toBe(text);
});

test('what was not run is a dash, in tables and targets', () => {
  const text = page(ave);
  expect(row(text, 'task path alone')).toBe('| task path alone | - | - | - | - |');
  for (const { name, absent } of runs) {
    const count = text.split('\n').filter((line) => line.startsWith(`| ${name} |`)).length;
    expect(count, name).toBe(tasks.length - Object.keys(absent ?? {}).length);
  }
  expect(text).toContain('| toybox-s4, M_J | at least 75 % | - | - |');
  expect(text).not.toMatch(/undefined|NaN|null/);
  expect(qualityPage({ schema: 1, tasks: [] })).not.toMatch(/reached|missed|undefined|NaN/);
});

test('what LCD has above the probe is the mean over the seeds of which there are both', () => {
  const seeded = {
    ...ave,
    runs: {
      ...ave.runs,
      'lcd@6': result({ accuracy: 92 }),
      'probe@6': result({ accuracy: 89.8 }),
      'lcd@10': result({ accuracy: 90 }),
      'probe@10': result({ accuracy: 86.5 }),
      'lcd@11': result({ accuracy: 99 }),
    },
  };
  const text = page(seeded);
  expect(text).toContain(
    'LCD - linear probe of all layers: +3.1 with seed 5, +2.2 with seed 6, +3.5 with seed 10, in the mean +2.9 points of accuracy.',
  );
  expect(text).toContain(
    '| toybox-ave, accuracy, above the linear probe of all layers, mean of 3 seeds | at least 3 points | 2.9 | **missed** |',
  );
  expect(text).not.toContain('99.0');
});

describe('targets', () => {
  const reached = (id: TaskQuality['id'], of: TaskQuality): Record<string, boolean | null> =>
    Object.fromEntries(judge(id, of).map((one) => [one.what, one.reached]));

  test('of localization: the figure, each sense, the probe, the forms', () => {
    expect(reached('toybox-ave', ave)).toEqual({
      'toybox-ave, accuracy': true,
      'toybox-ave, above sound alone': true,
      'toybox-ave, above pictures alone': false,
      'toybox-ave, accuracy, above the linear probe of all layers': true,
      'toybox-ave, forms against training': false,
    });
  });

  test('of the everyday: by sense, and dark where nothing sounds', () => {
    const llp = task('everyday-llp', {
      runs: { lcd: result({ segmentType: 65, eventType: 54.9, heard: 75.1, seen: 59.9, both: 1 }) },
    });
    expect(reached('everyday-llp', llp)).toEqual({
      'everyday-llp, Type@AV, segments': true,
      'everyday-llp, Type@AV, events': false,
      'everyday-llp, heard': true,
      'everyday-llp, seen': false,
      'everyday-llp, forms against training': null,
    });
    const avs = (ofPicture: number) =>
      task('everyday-avs', { runs: { lcd: result({ mJ: 60, mF: 71 }, { quiet: { seconds: 12, ofPicture } }) } });
    expect(reached('everyday-avs', avs(3))['everyday-avs, mask where nothing sounds']).toBe(true);
    expect(reached('everyday-avs', avs(3.01))['everyday-avs, mask where nothing sounds']).toBe(false);
    expect(page(avs(1.234))).toContain(
      'In 12 test seconds nothing sounds; of them a mask (threshold 0.5) takes 1.23 %',
    );
  });

  test('of segmentation: silent objects count as share of the picture', () => {
    const share = (ofPicture: number) => ({ frames: 9, ofPicture, ofObjects: 50 });
    const s4 = (ofPicture: number, mJ = 75) =>
      task('toybox-s4', {
        runs: { lcd: result({ mJ, mF: 84.9 }, { silent: { all: share(ofPicture), alike: share(1) } }) },
      });
    expect(reached('toybox-s4', s4(3))).toMatchObject({
      'toybox-s4, M_J': true,
      'toybox-s4, M_F': false,
      'toybox-s4, mask on silent objects': true,
      'toybox-s4, M_J, above the linear probe of all layers': null,
    });
    expect(reached('toybox-s4', s4(3.01))['toybox-s4, mask on silent objects']).toBe(false);
    expect(reached('toybox-s4', s4(0, 0))['toybox-s4, mask on silent objects']).toBe(false);
    expect(page(s4(3))).toContain('Silent objects stand in 9 test frames');
    expect(page(s4(3))).not.toContain('LCD - mean tokens');
    const own = s4(3);
    const both = { ...own, runs: { ...own.runs, 'mean-token': result({ mJ: 74.5, mF: 80 }) } };
    expect(page(both)).toContain('LCD - mean tokens, with the same injection and decoder: +0.5 points of M_J.');
  });
});

test('an untrained backbone is told of at the top', () => {
  const text = page(task('toybox-llp', { backbone: { id: 'nano', version: '0.1.0', untrained: true } }));
  expect(text).toContain('**The backbone "nano" is untrained');
  expect(page(ave)).not.toContain('untrained');
});

test('a task that was measured again takes the place of the old one', () => {
  const old: Quality = { schema: 1, tasks: [task('toybox-s4'), task('toybox-ms3')] };
  const { tasks } = withTask(withTask(old, ave), task('toybox-s4', { machine: 'another' }));
  expect(tasks.map(({ id, machine }) => [id, machine])).toEqual([
    ['toybox-ave', 'a machine'],
    ['toybox-s4', 'another'],
    ['toybox-ms3', 'a machine'],
  ]);
});
