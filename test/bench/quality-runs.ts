/** What the quality bench trains, and what its results are as JSON. Plain data; nothing is run here. */
import { hasMasks } from '../../sdk/toybox/cast.ts';
import type { TOYBOX_LAYOUTS } from '../../sdk/toybox/types.ts';
import type { ConfigChange } from '../../sdk/train/adapter/config.ts';

export type TaskId = 'toybox-ave' | 'toybox-llp' | 'toybox-s4' | 'toybox-ms3';

/** A figure in percent: its key in a result, its name, and what it should reach. */
export type FigureSpec = { key: string; name: string; target?: number };

export type TaskSpec = {
  id: TaskId;
  layout: (typeof TOYBOX_LAYOUTS)[number];
  what: string;
  /** The first is the one that differences are judged by. */
  figures: readonly FigureSpec[];
};

export const tasks: readonly TaskSpec[] = [
  {
    id: 'toybox-ave',
    layout: 'ave',
    what: 'Event localization: percent of seconds whose class (or background) is right.',
    figures: [{ key: 'accuracy', name: 'accuracy', target: 90 }],
  },
  {
    id: 'toybox-llp',
    layout: 'llp',
    what: 'Video parsing from labels of whole clips: F per video, the mean over what is heard, seen and both, with 0.5 as every threshold.',
    figures: [
      { key: 'segmentType', name: 'Type@AV, segments', target: 75 },
      { key: 'eventType', name: 'Type@AV, events', target: 65 },
      { key: 'segmentTypeChosen', name: 'segments, own thresholds' },
      { key: 'eventTypeChosen', name: 'events, own thresholds' },
    ],
  },
  {
    id: 'toybox-s4',
    layout: 'avs-s4',
    what: 'Segmentation of one sounding object among silent ones, of which some are its like; only the first mask of each training clip is known.',
    figures: [
      { key: 'mJ', name: 'M_J', target: 75 },
      { key: 'mF', name: 'M_F', target: 85 },
    ],
  },
  {
    id: 'toybox-ms3',
    layout: 'avs-ms3',
    what: 'Segmentation of several objects that sound by turns or together.',
    figures: [
      { key: 'mJ', name: 'M_J', target: 60 },
      { key: 'mF', name: 'M_F', target: 70 },
    ],
  },
];

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
const noTaps = { 'toybox-s4': topAlone, 'toybox-ms3': topAlone };
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
    absent: { 'toybox-s4': noSound, 'toybox-ms3': noSound },
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
    absent: { 'toybox-ave': isProbe, 'toybox-llp': isProbe },
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
export const changeFor = ({ change, masks }: RunSpec, { layout }: TaskSpec): ConfigChange | null =>
  masks && hasMasks(layout) ? masks : change;

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
};

/** The finished adapter through the engine; `skipped` says why there are no figures. */
export type FormResult = { form: string; device: string; figures: Record<string, number> | null; skipped?: string };

export type Budget = { epochs: number; batch: number; seed: number; rate: number };

export type TaskQuality = {
  id: TaskId;
  machine: string;
  versions: string;
  backbone: { id: string; version: string; untrained: boolean };
  data: { seed: number; clips: Record<'train' | 'val' | 'test', number> };
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
