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
  /** One or two sentences for people. */
  message: string;
  /** Files and lines, the first few and how many more; empty where it concerns everything. */
  where: string;
};

/** Paths are relative to the dataset's folder, with `/`. Frames are one per second. */
export type ItemSource =
  | {
      /** A file with sound and picture. */
      kind: 'video';
      /** Of the file. */
      path: string;
    }
  | {
      /** Extracted pictures, and a file of sound. */
      kind: 'frames';
      /** Of the pictures, one per second. */
      paths: string[];
      /** Of the sound; null where there is none. */
      audio: string | null;
    };

/** One class per second: Int32Array [seconds], background = number of classes. */
export type LocalizationLabels = {
  /** Tells labels apart. */
  task: 'localize';
  /** [seconds] */
  seconds: Int32Array;
};

/**
 * 0 or 1: `clip` [classes] is the union over time and modality; `audio` and `visual` [seconds, classes] are null where only the union is known
 * (the training split of LLP).
 */
export type ParsingLabels = {
  /** Tells labels apart. */
  task: 'parse';
  /** [classes] */
  clip: Uint8Array;
  /** [seconds, classes], or null. */
  audio: Uint8Array | null;
  /** [seconds, classes], or null. */
  visual: Uint8Array | null;
};

/** Per second: the path of the mask or null, and whether the protocol lets it train or count. */
export type SegmentationLabels = {
  /** Tells labels apart. */
  task: 'segment';
  /** Paths, one per second; null where there is no mask. */
  masks: (string | null)[];
  /** [seconds] */
  supervised: boolean[];
  /** Name of the sounding object where the dataset tells it. */
  category: string | null;
};

/** An event with the times that the data gives, however fine, in seconds from the start of the clip. */
export type ExactEvent = {
  /** Index of the class. */
  classIndex: number;
  /** Whether it is heard, seen, or both. */
  modality: 'audio' | 'visual' | 'audio-visual';
  /** Seconds. */
  onset: number;
  /** Seconds. */
  offset: number;
};

/** One clip with its labels. */
export type DatasetItem = {
  /** Unique in the dataset: the clip's name, and `#2`, `#3` where one clip carries several rows of labels. */
  id: string;
  /** The part of the dataset that it is for. */
  split: Split;
  /** How many seconds the labels cover. The clip itself may be shorter or longer. */
  seconds: number;
  /** Where sound and picture are. */
  source: ItemSource;
  /** What is true of it. */
  labels: LocalizationLabels | ParsingLabels | SegmentationLabels;
  /** Its events with their own times, where the data has finer ones than whole seconds. */
  events?: ExactEvent[];
};

/** What a reader gives: everything but the clips themselves. */
export type Dataset = {
  /** What its labels are for. */
  task: Task;
  /** The layout that was read. */
  format: DataFormat;
  /** Empty for segmentation, which has no classes. */
  classes: string[];
  /** Train first, then val and test, each in the order of its table. Only what can be used: what is missing or broken is in `findings`. */
  items: DatasetItem[];
  /** Clips that the tables name, usable or not. */
  annotated: Record<Split, number>;
  /** What is missing or odd. */
  findings: Finding[];
};

/** What a look into a clip tells. */
export type ClipFacts = {
  /** Its length. */
  seconds: number;
  /** Whether there is a stream of pictures. */
  hasPicture: boolean;
  /** Whether there is a stream of sound. */
  hasSound: boolean;
};

/** What a look into a mask tells: the number of different values in the file, and the share of pixels that sound. */
export type MaskFacts = {
  /** Different values. */
  levels: number;
  /** Share, 0 to 1. */
  area: number;
};

/**
 * A folder of data, wherever it is: files on disk, or a folder that a user picked in a page. Paths are relative, with `/`; '' is the folder itself.
 * Reading throws `not-found` where there is no such file, `invalid-file` where text is no UTF-8.
 */
export interface DataFolder {
  /** For messages. */
  readonly name: string;
  /** Names of what lies directly in `path`, folders with `/` at their end; empty if there is no such folder. */
  list(path: string): Promise<string[]>;
  /** The text of a file. */
  readText(path: string): Promise<string>;
  /** The bytes of a file. */
  readBytes(path: string): Promise<Uint8Array>;
  /** Whether there is a file or folder at this path. */
  exists(path: string): Promise<boolean>;
  /** Opens a clip far enough to know that it can be decoded. Throws a MettleError if not. Absent: readers trust every file that is there. */
  probeClip?(path: string): Promise<ClipFacts>;
  /** Unpacks a mask. Throws a MettleError if it cannot be read. Absent: as above. */
  probeMask?(path: string): Promise<MaskFacts>;
  /** Decodes an extracted frame. Throws a MettleError if it cannot be read. Absent: as above. */
  probeFrame?(path: string): Promise<{
    /** Pixels. */
    width: number;
    /** Pixels. */
    height: number;
  }>;
}

/** How a dataset is read; all of it may be left out. */
export type ReadOptions = {
  /** Default: what {@link detectFormat} finds. */
  format?: DataFormat;
  /** For the user's own folder: the default follows from what lies in it. */
  task?: Task;
  /** Seed of the split of a folder that names none. Default 0. */
  seed?: number;
  /** Open every clip, frame and mask to find broken ones, where the folder can. Default true. */
  probe?: boolean;
  /** Called for every clip or mask that was looked into. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Ends the reading: it rejects with the signal's reason. */
  signal?: AbortSignal;
};
