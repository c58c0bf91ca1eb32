/** What the quality bench trains, and what its results are as JSON. Plain data; nothing is run here. */
import type { Split } from '../../sdk/contract/split.ts';
import type { Task } from '../../sdk/contract/task.ts';
import type { ConfigChange } from '../../sdk/train/adapter/config.ts';
import type { DataFormat } from '../../sdk/train/data/types.ts';

export type TaskId =
  | 'toybox-ave'
  | 'toybox-llp'
  | 'toybox-s4'
  | 'toybox-ms3'
  | 'everyday-ave'
  | 'everyday-llp'
  | 'everyday-avs';

/** A figure in percent: its key in a result, its name, and what it should reach. */
export type FigureSpec = { key: string; name: string; target?: number };

export type TaskSpec = {
  id: TaskId;
  /** Where its clips lie in the folder of all data. */
  folder: string;
  format: DataFormat;
  task: Task;
  what: string;
  /** The first is the one that differences are judged by. */
  figures: readonly FigureSpec[];
  /** Points by which both senses should beat each alone. */
  aboveSense?: number;
  /** Points by which the default should beat a linear probe of all layers. */
  aboveProbe?: number;
  /** Largest share of the picture, in percent, that a mask may take where it should be dark: on things that are silent beside one that sounds, or in seconds in which nothing sounds. */
  dark?: { where: 'silent things' | 'silent seconds'; most: number };
};

const parsing = (targets: Partial<Record<string, number>>): FigureSpec[] => [
  { key: 'segmentType', name: 'Type@AV, segments', target: targets.segmentType },
  { key: 'eventType', name: 'Type@AV, events', target: targets.eventType },
];
const chosenThresholds: FigureSpec[] = [
  { key: 'segmentTypeChosen', name: 'segments, own thresholds' },
  { key: 'eventTypeChosen', name: 'events, own thresholds' },
];

export const tasks: readonly TaskSpec[] = [
  {
    id: 'toybox-ave',
    folder: 'toybox/ave',
    format: 'ave',
    task: 'localize',
    what: 'Event localization: percent of seconds whose class (or background) is right.',
    figures: [{ key: 'accuracy', name: 'accuracy', target: 90 }],
    aboveSense: 20,
    aboveProbe: 3,
  },
  {
    id: 'toybox-llp',
    folder: 'toybox/llp',
    format: 'llp',
    task: 'parse',
    what: 'Video parsing from labels of whole clips: F per video, the mean over what is heard, seen and both, with 0.5 as every threshold.',
    figures: [...parsing({ segmentType: 75, eventType: 65 }), ...chosenThresholds],
    aboveProbe: 3,
  },
  {
    id: 'toybox-s4',
    folder: 'toybox/avs-s4',
    format: 'avs-s4',
    task: 'segment',
    what: 'Segmentation of one sounding object among silent ones, of which some are its like; only the first mask of each training clip is known.',
    figures: [
      { key: 'mJ', name: 'M_J', target: 75 },
      { key: 'mF', name: 'M_F', target: 85 },
    ],
    aboveProbe: 3,
    dark: { where: 'silent things', most: 3 },
  },
  {
    id: 'toybox-ms3',
    folder: 'toybox/avs-ms3',
    format: 'avs-ms3',
    task: 'segment',
    what: 'Segmentation of several objects that sound by turns or together.',
    figures: [
      { key: 'mJ', name: 'M_J', target: 60 },
      { key: 'mF', name: 'M_F', target: 70 },
    ],
    aboveProbe: 3,
  },
  {
    id: 'everyday-ave',
    folder: 'everyday-ave',
    format: 'folder',
    task: 'localize',
    what: 'Fifteen real things, seen and heard at once: percent of seconds whose class (or background) is right.',
    figures: [{ key: 'accuracy', name: 'accuracy', target: 80 }],
    aboveSense: 15,
  },
  {
    id: 'everyday-llp',
    folder: 'everyday-llp',
    format: 'folder',
    task: 'parse',
    what: 'Real things that are heard and that are seen, from labels of whole clips: F per video, with 0.5 as every threshold.',
    figures: [
      ...parsing({ segmentType: 65, eventType: 55 }),
      { key: 'heard', name: 'heard', target: 75 },
      { key: 'seen', name: 'seen', target: 60 },
      { key: 'both', name: 'both at once' },
      ...chosenThresholds,
    ],
  },
  {
    id: 'everyday-avs',
    folder: 'everyday-avs',
    format: 'folder',
    task: 'segment',
    what: 'Segmentation of real things that sound, cut out and put before photographs, beside silent ones.',
    figures: [
      { key: 'mJ', name: 'M_J', target: 60 },
      { key: 'mF', name: 'M_F', target: 70 },
    ],
    dark: { where: 'silent seconds', most: 3 },
  },
];

/** Of the tasks whose clips `mettle data toybox` makes. */
export const isToybox = ({ id }: Pick<TaskSpec, 'id'>): boolean => id.startsWith('toybox-');

export type RunSpec = {
  id: string;
  name: string;
  kind: 'ours' | 'baseline' | 'ablation' | 'repeat';
  /** What differs from the defaults; null where nothing is trained. */
  change: ConfigChange | null;
  /** What differs instead where masks are made. */
  masks?: ConfigChange;
  /** Instead of the budget's. */
  seed?: number;
  /** Why a task has no such run. */
  absent?: Partial<Record<TaskId, string>>;
};

const topAlone = 'adapter reads the top layer alone by design';
const noTaps = { 'toybox-s4': topAlone, 'toybox-ms3': topAlone, 'everyday-avs': topAlone };
const noSound = 'masks are decoded from pictures';
const isProbe = 'linear probe of all layers is just that';

/** Sorted by how much each of them tells. */
export const runs: readonly RunSpec[] = [
  { id: 'lcd', name: '**LCD**', kind: 'ours', change: {} },
  { id: 'chance', name: 'chance', kind: 'baseline', change: null },
  {
    id: 'audio',
    name: 'sound alone',
    kind: 'baseline',
    change: { senses: 'audio' },
    absent: { 'toybox-s4': noSound, 'toybox-ms3': noSound, 'everyday-avs': noSound },
  },
  { id: 'visual', name: 'pictures alone', kind: 'baseline', change: { senses: 'visual' } },
  {
    id: 'probe',
    name: 'linear probe of all layers',
    kind: 'baseline',
    change: { distill: { paths: 'none' } },
    masks: { decoder: 'linear' },
  },
  {
    id: 'last-probe',
    name: 'linear probe of the last layer',
    kind: 'baseline',
    change: { taps: 'last', distill: { paths: 'none' } },
    masks: { decoder: 'linear', taps: 'last' },
  },
  {
    id: 'mean-token',
    name: 'mean tokens instead of meta-tokens',
    kind: 'ablation',
    change: { distill: { paths: 'none' } },
    absent: { 'toybox-ave': isProbe, 'toybox-llp': isProbe, 'everyday-ave': isProbe, 'everyday-llp': isProbe },
  },
  {
    id: 'preservation',
    name: 'preservation path alone',
    kind: 'ablation',
    change: { distill: { paths: 'preservation' } },
  },
  { id: 'task', name: 'task path alone', kind: 'ablation', change: { distill: { paths: 'task' } } },
  { id: 'k1', name: '1 meta-token instead of 4', kind: 'ablation', change: { distill: { tokens: 1 } } },
  { id: 'k8', name: '8 meta-tokens instead of 4', kind: 'ablation', change: { distill: { tokens: 8 } } },
  { id: 'stage-ends', name: 'ends of stages alone', kind: 'ablation', change: { taps: 'stage-ends' }, absent: noTaps },
  {
    id: 'last-half',
    name: 'the later half of the blocks',
    kind: 'ablation',
    change: { taps: 'last-half' },
    absent: noTaps,
  },
];

/** What {@link RunSpec.change} is for this task. */
export const changeFor = ({ change, masks }: RunSpec, { task }: TaskSpec): ConfigChange | null =>
  masks && task === 'segment' ? masks : change;

export const repeatId = (run: string, seed: number): string => `${run}@${seed}`;

/** LCD and the linear probe of all layers, whose difference is judged, once more with each of these seeds. */
export const repeats = (seeds: readonly number[]): RunSpec[] =>
  seeds.flatMap((seed) =>
    runs
      .filter(({ id }) => id === 'lcd' || id === 'probe')
      .map((run): RunSpec => ({ ...run, id: repeatId(run.id, seed), kind: 'repeat', seed })),
  );

/** Percent of the picture, and of the silent objects' own area, that is taken for sounding though it is silent. */
export type SilentShare = { frames: number; ofPicture: number; ofObjects: number };

export type RunResult = {
  /** On the test split, percent, by key. */
  figures: Record<string, number>;
  /** What the weights were selected by, on the validation split. */
  validation: number | null;
  /** Numbers that were trained. */
  parameters: number;
  /** Null where it was trained before. */
  minutes: number | null;
  /** Day on which it was finished. */
  date: string;
  note?: string;
  /** Segmentation of one source: on silent objects of any kind, and on those of the kind that sounds. */
  silent?: { all: SilentShare; alike: SilentShare };
  /** Segmentation of the everyday: in seconds in which nothing sounds, the share of the picture that is taken for sounding, in percent. */
  quiet?: { seconds: number; ofPicture: number };
};

/** The finished adapter through the engine; `skipped` says why there are no figures. */
export type FormResult = { form: string; device: string; figures: Record<string, number> | null; skipped?: string };

export type Budget = { epochs: number; batch: number; seed: number; rate: number };

export type TaskQuality = {
  id: TaskId;
  machine: string;
  versions: string;
  backbone: { id: string; version: string; untrained: boolean };
  data: { seed: number; clips: Record<Split, number> };
  budget: Budget;
  runs: Record<string, RunResult>;
  forms: FormResult[];
};

export type Quality = { schema: 1; tasks: TaskQuality[] };

/** With `task` in the place of the one of its id, in the order of {@link tasks}. */
export function withTask({ tasks: present }: Quality, task: TaskQuality): Quality {
  const all = [...present.filter(({ id }) => id !== task.id), task];
  const place = ({ id }: TaskQuality): number => tasks.findIndex((spec) => spec.id === id);
  return { schema: 1, tasks: all.sort((a, b) => place(a) - place(b)) };
}
