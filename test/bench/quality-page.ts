/** The quality page as markdown, made from the bench's results alone: the same JSON gives the same text. */
import {
  type FigureSpec,
  type FormResult,
  type Quality,
  repeatId,
  runs,
  type TaskQuality,
  tasks,
} from './quality-runs.ts';

/** Points by which the figures of a finished adapter may differ from those of its training. */
const mostBetweenForms = 1;

type Judged = { what: string; target: string; measured: string; reached: boolean | null };

export function qualityPage(quality: Quality): string {
  const measured = quality.tasks;
  const untrained = measured.filter(({ backbone }) => backbone.untrained);
  return [
    '# Quality',
    '',
    'What adapters of this project make of clips that they have not seen, beside baselines of the same run. Written by `npm run bench:quality` from',
    '`quality.json`; nothing here was typed in. A dash is a run that was not made.',
    '',
    ...(untrained.length > 0
      ? [
          `**The backbone "${untrained[0]!.backbone.id}" is untrained: its weights are seeded noise.** Figures on it show that the bench works, not how good the method is.`,
          '',
        ]
      : []),
    ...conditions(measured),
    ...targets(measured),
    ...tasks.flatMap((spec) => taskSection(spec.id, measured)),
    ...formsSection(measured),
    ...meaning,
  ].join('\n');
}

function conditions(measured: readonly TaskQuality[]): string[] {
  const rows = measured.map(({ id, backbone, data, budget, machine, versions, runs: done }) => {
    const { train, val, test } = data.clips;
    const days = [...new Set(Object.values(done).map(({ date }) => date))].sort();
    const span = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : (days[0] ?? '-');
    return [
      id,
      `${train} / ${val} / ${test}`,
      String(data.seed),
      `epochs ${budget.epochs}, batch ${budget.batch}, rate ${budget.rate}, seed ${budget.seed}`,
      `${backbone.id} ${backbone.version}`,
      machine,
      versions,
      span,
    ];
  });
  const header = [
    'data',
    'clips train / val / test',
    'their seed',
    'every run',
    'backbone',
    'machine',
    'versions',
    'day',
  ];
  return ['## How', '', ...table(header, rows), ''];
}

function targets(measured: readonly TaskQuality[]): string[] {
  const rows = tasks
    .flatMap(({ id }) =>
      judge(
        id,
        measured.find((task) => task.id === id),
      ),
    )
    .map(({ what, target, measured: value, reached }) => [
      what,
      target,
      value,
      reached === null ? '-' : reached ? 'reached' : '**missed**',
    ]);
  return ['## Targets', '', ...table(['', 'target', 'measured', ''], rows), ''];
}

/** Every target of a task, with what was measured of it. */
export function judge(id: TaskQuality['id'], task: TaskQuality | undefined): Judged[] {
  const { figures, aboveSense, aboveProbe, dark } = specOf(id);
  const [main] = figures as [FigureSpec];
  const value = (run: string, key: string): number | undefined => task?.runs[run]?.figures[key];
  const above = (run: string): number | undefined => difference(value('lcd', main.key), value(run, main.key));
  const judged: Judged[] = figures
    .filter(({ target }) => target !== undefined)
    .map(({ key, name, target }) => atLeast(`${id}, ${name}`, target!, value('lcd', key)));
  if (aboveSense !== undefined) {
    judged.push(
      atLeast(`${id}, above sound alone`, aboveSense, above('audio'), 'points'),
      atLeast(`${id}, above pictures alone`, aboveSense, above('visual'), 'points'),
    );
  }
  if (dark) {
    const { silent, quiet } = task?.runs.lcd ?? {};
    const [where, area] =
      dark.where === 'silent things'
        ? ['mask on silent objects', silent?.all.ofPicture]
        : ['mask where nothing sounds', quiet?.ofPicture];
    const taken = atMost(`${id}, ${where}`, dark.most, area, '% of the picture');
    // An empty mask covers nothing false: that is no success.
    const target = `${taken.target}, while M_J holds`;
    judged.push({ ...taken, target, reached: taken.reached && judged[0]!.reached });
  }
  if (aboveProbe !== undefined) {
    const margins = task ? marginsOverProbe(task) : [];
    const of = margins.length > 1 ? `, mean of ${margins.length} seeds` : '';
    judged.push(
      atLeast(
        `${id}, ${main.name}, above the linear probe of all layers${of}`,
        aboveProbe,
        margins.length > 0 ? meanOf(margins.map(({ points }) => points)) : undefined,
        'points',
      ),
    );
  }
  const worst = task && largestFormDifference(task);
  judged.push(atMost(`${id}, forms against training`, mostBetweenForms, worst ?? undefined, 'point'));
  return judged;
}

/** LCD minus the linear probe of all layers in the task's first figure, by seed. */
function marginsOverProbe({ id, runs: done, budget }: TaskQuality): { seed: number; points: number }[] {
  const [{ key }] = specOf(id).figures as [FigureSpec];
  const margin = (seed: number, lcd: string, probe: string) => {
    const points = difference(done[lcd]?.figures[key], done[probe]?.figures[key]);
    return points === undefined ? [] : [{ seed, points }];
  };
  const others = Object.keys(done)
    .flatMap((run) => /^lcd@(\d+)$/.exec(run)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  return [
    ...margin(budget.seed, 'lcd', 'probe'),
    ...others.flatMap((seed) => margin(seed, repeatId('lcd', seed), repeatId('probe', seed))),
  ];
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

function atLeast(what: string, target: number, value: number | undefined, unit = '%'): Judged {
  return {
    what,
    target: `at least ${target} ${unit}`,
    measured: shown(value),
    reached: value === undefined ? null : value >= target,
  };
}

function atMost(what: string, target: number, value: number | undefined, unit: string): Judged {
  return {
    what,
    target: `at most ${target} ${unit}`,
    measured: shown(value, 2),
    reached: value === undefined ? null : value <= target,
  };
}

function taskSection(id: TaskQuality['id'], measured: readonly TaskQuality[]): string[] {
  const task = measured.find((one) => one.id === id);
  const { what, figures } = specOf(id);
  const [main] = figures as [FigureSpec];
  const lcd = task?.runs.lcd?.figures[main.key];
  const present = runs.filter((run) => !run.absent?.[id]);
  const rows = present.map((run) => {
    const result = task?.runs[run.id];
    const own = result?.figures[main.key];
    return [
      run.name,
      ...figures.map(({ key }) => shown(result?.figures[key])),
      run.id === 'lcd' ? '' : signed(difference(own, lcd)),
      ...(id === 'toybox-s4' ? silentCells(result?.silent) : []),
      result ? result.parameters.toLocaleString('en') : '-',
      shown(result?.minutes ?? undefined),
    ];
  });
  const silent = id === 'toybox-s4' ? ['on silent, % of picture', '% of them', '% of its like'] : [];
  const header = [
    '',
    ...figures.map(({ name }) => name),
    `${main.name} - LCD`,
    ...silent,
    'trained numbers',
    'minutes',
  ];
  const margins = task ? marginsOverProbe(task) : [];
  return [
    `## ${id}`,
    '',
    what,
    '',
    ...table(header, rows),
    '',
    `- LCD - linear probe of all layers: ${marginText(margins)} points of ${main.name}.`,
    ...(task?.runs['mean-token']
      ? [
          `- LCD - mean tokens, with the same injection and decoder: ${signed(difference(lcd, task.runs['mean-token'].figures[main.key]))} points of ${main.name}.`,
        ]
      : []),
    ...notes(id, task),
    '',
  ];
}

function marginText(margins: ReturnType<typeof marginsOverProbe>): string {
  if (margins.length < 2) return signed(margins[0]?.points);
  const points = margins.map((margin) => margin.points);
  const each = margins.map((margin) => `${signed(margin.points)} with seed ${margin.seed}`).join(', ');
  return `${each}, in the mean ${signed(meanOf(points))}`;
}

const silentCells = (
  silent: { all: { ofPicture: number; ofObjects: number }; alike: { ofObjects: number } } | undefined,
) => [shown(silent?.all.ofPicture, 2), shown(silent?.all.ofObjects), shown(silent?.alike.ofObjects)];

function notes(id: TaskQuality['id'], task: TaskQuality | undefined): string[] {
  const constant = task?.runs.chance?.note;
  const absent = new Map<string, string[]>();
  for (const { name, absent: reasons } of runs) {
    const reason = reasons?.[id];
    if (reason) absent.set(reason, [...(absent.get(reason) ?? []), name]);
  }
  const { silent, quiet } = task?.runs.lcd ?? {};
  return [
    ...(quiet
      ? [
          `- In ${quiet.seconds} test seconds nothing sounds; of them a mask (threshold 0.5) takes ${shown(quiet.ofPicture, 2)} % of the picture.`,
        ]
      : []),
    ...(constant ? [`- Chance is ${constant}; of several such answers the best one on the validation split.`] : []),
    ...[...absent].map(([reason, names]) => `- Not made: ${names.join(', ')}; this task's ${reason}.`),
    ...(silent
      ? [
          `- Silent objects stand in ${silent.all.frames} test frames, beside one of their own kind that sounds in ${silent.alike.frames}; what a mask (threshold 0.5) covers of them is false.`,
        ]
      : []),
  ];
}

function formsSection(measured: readonly TaskQuality[]): string[] {
  const rows = measured.flatMap((task) => {
    const { figures } = specOf(task.id);
    const trained = task.runs.lcd?.figures;
    return task.forms.map(({ form, device, figures: own, skipped }) => [
      task.id,
      form,
      device,
      skipped ?? figures.map(({ key, name }) => `${name} ${shown(own?.[key])}`).join(', '),
      own && trained ? signed(largestDifference(own, trained), 2) : '-',
    ]);
  });
  return [
    '## Forms and devices',
    '',
    'The finished adapter on the test clips through the engine, as users run it, decoding and all; the last column is the difference that is largest to the',
    'figures above, which are those of the training graph in float32 on kept features.',
    '',
    ...table(['adapter', 'weights', 'device', 'figures', 'largest difference'], rows),
    '',
  ];
}

/** Whichever way it goes; null where no form was run. */
function largestFormDifference({ runs: done, forms }: TaskQuality): number | null {
  const trained = done.lcd?.figures;
  const own = forms.flatMap(({ figures }: FormResult) => (figures ? [figures] : []));
  if (!trained || own.length === 0) return null;
  return Math.max(...own.map((figures) => Math.abs(largestDifference(figures, trained))));
}

function largestDifference(own: Record<string, number>, other: Record<string, number>): number {
  const differences = Object.entries(own).map(([key, value]) => value - (other[key] ?? value));
  return differences.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most), 0);
}

const meaning = [
  '## What this says, and what it does not',
  '',
  'The clips of the toybox are made up by `mettle data toybox`: twelve drawn objects with synthesised sounds, backgrounds, rooms and pitches that differ between the splits.',
  'The everyday clips are composed of real photographs and real recordings, and the test split has photographs and recordings of its own. Both worlds are far simpler',
  'than films of people and streets, and the adapters know nothing else. What can be read off is how the rows of one table stand to each other: same clips, same backbone, same number of epochs, same seed, one run each. A difference of a point or two between two rows may be the seed; what',
  'LCD has above the linear probe is judged by the mean of several seeds where there are several.',
  '',
  'The networks are small. Weights and thresholds are selected on the validation split; the test split is read once per run for its figure, and once more for',
  'each form of a finished adapter, which selects nothing. Of localization and parsing the linear probes have the same heads on top as the rest, fusion along time',
  'included: they are linear in what they read of the backbone, not as a whole. Of segmentation they are linear as a whole: every cell of every layer and the mean of',
  'every layer of sound say one number each. What meta-tokens alone are worth there, beside injection and decoder, is in the row of mean tokens. A single sense trains',
  'and tests without the other; it may guess from what usually goes together.',
  '',
  "None of these figures is one of the paper's, nor comparable with those of AVE, LLP or AVSBench: other data, other networks, our own form of the method.",
  '',
];

const specOf = (id: TaskQuality['id']) => tasks.find((task) => task.id === id)!;

const difference = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b;

const shown = (value: number | undefined, digits = 1): string => (value === undefined ? '-' : value.toFixed(digits));

function signed(value: number | undefined, digits = 1): string {
  if (value === undefined) return '-';
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '-' : '+'}${text}`;
}

/** A table of markdown; the first column is text, the others are numbers where all their cells look so. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const numeric = header.map((_, i) => i > 0 && rows.every((row) => /^[-+]?[\d.,]*$/.test(row[i]!)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (numeric[i] ? '--:' : '---'))), ...rows.map(line)];
}
