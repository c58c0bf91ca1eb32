/** The tables of the four layouts, as their readers expect them, and where the files of a clip lie. */
import { spansOf } from './compose.ts';
import { toyboxClasses } from './objects/index.ts';
import { eventsOf, filmEvents, flagsOf } from './truth.ts';
import type { ToyboxLayout, ToyClip } from './types.ts';

/** Names relative to the layout's folder. `frames` and `sound` are null where the clip is a film, `film` where it is frames. */
export type ClipPaths = {
  film: string | null;
  frames: string[] | null;
  sound: string | null;
  /** Per second; null where the layout keeps the mask back. */
  masks: (string | null)[];
};

export function pathsOf({ layout, id, split, seconds, actors }: ToyClip): ClipPaths {
  const numbered = (folder: string, stem: string) =>
    Array.from({ length: seconds }, (_, second) => `${folder}/${stem}_${second + 1}.png`);
  switch (layout) {
    case 'ave':
    case 'llp': {
      const folder = layout === 'ave' ? 'AVE' : 'videos';
      return { film: `${folder}/${id}.webm`, frames: null, sound: null, masks: numbered(`gt_masks/${id}`, id) };
    }
    case 'ave-exact':
    case 'llp-exact':
      return { film: `clips/${id}.webm`, frames: null, sound: null, masks: [] };
    case 'avs-s4': {
      const place = `${split}/${categoryOf(actors[0]!.label)}/${id}`;
      // S4 trains on the first mask alone.
      const masks = numbered(`gt_masks/${place}`, id).map((path, second) =>
        split === 'train' && second > 0 ? null : path,
      );
      return { film: null, frames: numbered(`visual_frames/${place}`, id), sound: `audio_wav/${place}.wav`, masks };
    }
    case 'avs-ms3':
      return {
        film: null,
        frames: numbered(`visual_frames/${id}`, `${id}.mp4`),
        sound: `audio_wav/${split}/${id}.wav`,
        masks: numbered(`gt_masks/${split}/${id}`, id),
      };
  }
}

/** Every table of a layout by name: those that its readers want, and `truth.jsonl` with all that is true of every clip. */
export function tablesOf(layout: ToyboxLayout, clips: readonly ToyClip[]): Record<string, string> {
  const truth = lines(
    clips.map((clip) =>
      JSON.stringify({ id: clip.id, split: clip.split, seconds: clip.seconds, events: eventsOf(clip) }),
    ),
  );
  return { ...readerTables[layout](clips), 'truth.jsonl': truth };
}

const lines = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('');
const categoryOf = (label: string): string => label.replaceAll(' ', '_');

const readerTables: Record<ToyboxLayout, (clips: readonly ToyClip[]) => Record<string, string>> = {
  ave(clips) {
    const header = 'Category&VideoID&Quality&StartTime&EndTime';
    const row = (clip: ToyClip) => {
      const { label } = clip.actors[0]!;
      const [[start, end]] = spansOf(flagsOf(clip, label).both) as [[number, number]];
      return `${label}&${clip.id}&good&${start}&${end}`;
    };
    const rows = (split: string) => clips.filter((clip) => clip.split === split).map(row);
    return {
      // By class, since class numbers follow first appearance here.
      'Annotations.txt': lines([header, ...toyboxClasses.flatMap((label) => clips.filter(showing(label)).map(row))]),
      'trainSet.txt': lines(rows('train')),
      'valSet.txt': lines(rows('val')),
      'testSet.txt': lines(rows('test')),
      'categories.txt': lines(toyboxClasses),
    };
  },
  llp(clips) {
    const labels = (split: string) =>
      lines([
        'filename\tevent_labels',
        ...clips
          .filter((clip) => clip.split === split)
          .map((clip) => `${clip.id}\t${toyboxClasses.filter((label) => occurs(clip, label)).join(',')}`),
      ]);
    const events = (modality: 'seen' | 'heard') =>
      lines([
        'filename\tonset\toffset\tevent_labels',
        ...clips
          .filter(({ split }) => split !== 'train')
          .flatMap((clip) =>
            eventsOf(clip)
              .filter((event) => event.modality === modality)
              .map(({ label, start, end }) => `${clip.id}\t${start}\t${end}\t${label}`),
          ),
      ]);
    return {
      'AVVP_train.csv': labels('train'),
      'AVVP_val_pd.csv': labels('val'),
      'AVVP_test_pd.csv': labels('test'),
      'AVVP_eval_audio.csv': events('heard'),
      'AVVP_eval_visual.csv': events('seen'),
      'categories.txt': lines(toyboxClasses),
    };
  },
  'ave-exact': exactTables,
  'llp-exact': exactTables,
  'avs-s4': (clips) => ({
    's4_meta_data.csv': lines([
      'name,start,category,split',
      ...clips.map(({ id, split, actors }) => `${id},0,${categoryOf(actors[0]!.label)},${split}`),
    ]),
  }),
  'avs-ms3': (clips) => ({
    'ms3_meta_data.csv': lines(['name,split', ...clips.map(({ id, split }) => `${id},${split}`)]),
  }),
};

/** A folder of one's own. Times with as many digits as one millisecond has. */
function exactTables(clips: readonly ToyClip[]): Record<string, string> {
  const senses = { heard: 'audio', seen: 'visual', both: 'audio-visual' };
  const rows = clips.flatMap((clip) => {
    const events = filmEvents(clip).map(({ label, modality, start, end }) =>
      [`${clip.id}.webm`, start.toFixed(3), end.toFixed(3), label, senses[modality], clip.split].join(','),
    );
    return events.length > 0 ? events : [`${clip.id}.webm,,,,,${clip.split}`];
  });
  return {
    'events.csv': lines(['file,onset,offset,label,modality,split', ...rows]),
    'classes.txt': lines(toyboxClasses),
  };
}

const showing =
  (label: string) =>
  ({ actors }: ToyClip): boolean =>
    actors[0]!.label === label;

const occurs = (clip: ToyClip, label: string): boolean => {
  const { seen, heard } = flagsOf(clip, label);
  return seen.includes(true) || heard.includes(true);
};
