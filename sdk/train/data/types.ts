/** What every dataset reader gives, whatever the layout it read: items with a source, a split and labels. No pictures and no sound are held here. */
import type { Split } from '../../contract/split.ts';
import type { Task } from '../../contract/task.ts';

/** `folder` is the user's own: clips, `events.csv`, optional masks. */
export type DataFormat = 'ave' | 'llp' | 'avs-s4' | 'avs-ms3' | 'folder';

/** Something about a dataset that its user should know. Findings of one kind are counted in one entry. */
export type Finding = {
  /** `error`: something is left out that should be there; `warning`: figures may be affected; `info`: a known oddity, and how it was read. */
  level: 'info' | 'warning' | 'error';
  /** Stable, for `switch`. */
  code: string;
  message: string;
  /** Files and lines, the first few and how many more; empty where it concerns everything. */
  where: string;
};

/** Paths are relative to the dataset's folder, with `/`. Frames are one per second. */
export type ItemSource = { kind: 'video'; path: string } | { kind: 'frames'; paths: string[]; audio: string | null };

/** One class per second: Int32Array [seconds], background = number of classes. */
export type LocalizationLabels = { task: 'localize'; seconds: Int32Array };

/**
 * 0 or 1: `clip` [classes] is the union over time and modality; `audio` and `visual` [seconds, classes] are null where only the union is known
 * (the training split of LLP).
 */
export type ParsingLabels = {
  task: 'parse';
  clip: Uint8Array;
  audio: Uint8Array | null;
  visual: Uint8Array | null;
};

/** Per second: the path of the mask or null, and whether the protocol lets it train or count. */
export type SegmentationLabels = {
  task: 'segment';
  masks: (string | null)[];
  supervised: boolean[];
  /** Name of the sounding object where the dataset tells it. */
  category: string | null;
};

export type DatasetItem = {
  /** Unique in the dataset: the clip's name, and `#2`, `#3` where one clip carries several rows of labels. */
  id: string;
  split: Split;
  /** How many seconds the labels cover. The clip itself may be shorter or longer. */
  seconds: number;
  source: ItemSource;
  labels: LocalizationLabels | ParsingLabels | SegmentationLabels;
};

export type Dataset = {
  task: Task;
  format: DataFormat;
  /** Empty for segmentation, which has no classes. */
  classes: string[];
  /** Train first, then val and test, each in the order of its table. Only what can be used: what is missing or broken is in `findings`. */
  items: DatasetItem[];
  /** Clips that the tables name, usable or not. */
  annotated: Record<Split, number>;
  findings: Finding[];
};

/** What a look into a clip tells. */
export type ClipFacts = { seconds: number; hasPicture: boolean; hasSound: boolean };

/** What a look into a mask tells: the number of different values in the file, and the share of pixels that sound. */
export type MaskFacts = { levels: number; area: number };

/**
 * A folder of data, wherever it is: files on disk, or a folder that a user picked in a page. Paths are relative, with `/`; '' is the folder itself.
 * Reading throws `not-found` where there is no such file, `invalid-file` where text is no UTF-8.
 */
export interface DataFolder {
  /** For messages. */
  readonly name: string;
  /** Names of what lies directly in `path`, folders with `/` at their end; empty if there is no such folder. */
  list(path: string): Promise<string[]>;
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
  /** Opens a clip far enough to know that it can be decoded. Throws a MettleError if not. Absent: readers trust every file that is there. */
  probeClip?(path: string): Promise<ClipFacts>;
  /** Unpacks a mask. Throws a MettleError if it cannot be read. Absent: as above. */
  probeMask?(path: string): Promise<MaskFacts>;
  /** Decodes an extracted frame. Throws a MettleError if it cannot be read. Absent: as above. */
  probeFrame?(path: string): Promise<{ width: number; height: number }>;
}

export type ReadOptions = {
  /** Default: what {@link detectFormat} finds. */
  format?: DataFormat;
  /** For the user's own folder: the default follows from what lies in it. */
  task?: Task;
  /** Seed of the split of a folder that names none. Default 0. */
  seed?: number;
  /** Open every clip, frame and mask to find broken ones, where the folder can. Default true. */
  probe?: boolean;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal;
};
