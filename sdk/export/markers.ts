/** Events as markers on the time line of a cutting program: an edit decision list (CMX 3600, with markers as DaVinci Resolve writes and reads them), or OpenTimelineIO. */
import { checkOptions, oneOf, type Rules, text } from '../contract/options.ts';
import { oneLine } from '../contract/plain-text.ts';
import { MettleError } from '../errors.ts';
import { type FoundEvent, foundEvents, type Results, resultsOf } from '../tasks/given.ts';

/** Frame rates of time codes. */
export const frameRates = [23.976, 24, 25, 29.97, 30, 50, 59.94, 60] as const;
/** Frames per second of a time code. */
export type FrameRate = (typeof frameRates)[number];

/** How markers are written. */
export type MarkerOptions = {
  /** `edl` (the default) or `otio`. */
  format?: 'edl' | 'otio';
  /** That of the time line; default 25. Time codes are counted without dropping any. */
  frameRate?: FrameRate;
  /** Time code of the first frame, for `edl`; default `01:00:00:00`, where most time lines begin. */
  start?: string;
  /** Name of the list; default `mettle-edge`. */
  title?: string;
  /** Address of the film, for `otio`. */
  media?: string;
};

const rules: Rules<MarkerOptions> = {
  format: oneOf('edl', 'otio'),
  frameRate: {
    expected: `one of ${frameRates.join(', ')}`,
    fits: (value) => (frameRates as readonly unknown[]).includes(value),
  },
  start: text,
  title: text,
  media: text,
};

/** Events of all results as markers, by start time. Throws `invalid-argument`. */
export function toMarkers(from: Results, options: MarkerOptions = {}): string {
  checkOptions(options, rules);
  const results = resultsOf(from);
  const duration = Math.max(0, ...results.map((result) => result.duration));
  const events = foundEvents(results);
  return options.format === 'otio' ? timeline(events, duration, options) : decisionList(events, options);
}

const colors = { audio: 'Blue', visual: 'Green', 'audio-visual': 'Purple' } as const;

function decisionList(events: readonly FoundEvent[], options: MarkerOptions): string {
  const { frameRate = 25, start = '01:00:00:00', title = 'mettle-edge' } = options;
  const perSecond = Math.round(frameRate);
  const first = framesOf(start, perSecond);
  const entries = events.map((event, index) => {
    const [at, until] = [frameOf(event.start, frameRate), frameOf(event.end, frameRate)];
    const [code, next] = [timecode(first + at, perSecond), timecode(first + at + 1, perSecond)];
    const number = String(index + 1).padStart(3, '0');
    const name = oneLine(event.label).replaceAll('|', '/');
    return (
      `${number}  001      V     C        ${code} ${next} ${code} ${next}  \n` +
      ` |C:ResolveColor${colors[event.modality]} |M:${name} |D:${Math.max(1, until - at)}\n`
    );
  });
  return `${[`TITLE: ${oneLine(title)}`, 'FCM: NON-DROP FRAME\n', ...entries].join('\n')}`;
}

const frameOf = (seconds: number, frameRate: number): number => Math.round(seconds * exactRate(frameRate));

/** 23.976, 29.97 and 59.94 stand for so many thousand frames in 1001 seconds. */
const exactRate = (frameRate: number): number =>
  Number.isInteger(frameRate) ? frameRate : (Math.round(frameRate) * 1000) / 1001;

function framesOf(code: string, perSecond: number): number {
  const found = /^(\d\d):([0-5]\d):([0-5]\d):(\d\d)$/.exec(code);
  const [hours, minutes, seconds, frames] = (found?.slice(1) ?? []).map(Number) as [number, number, number, number];
  if (found && frames < perSecond) return ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
  throw new MettleError(
    'invalid-argument',
    `options.start must be a time code such as "01:00:00:00" with frames below ${perSecond}, not "${code}".`,
  );
}

function timecode(frame: number, perSecond: number): string {
  const seconds = Math.floor(frame / perSecond);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60, frame % perSecond]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** One clip with markers, as OpenTimelineIO's own JSON. */
function timeline(events: readonly FoundEvent[], duration: number, options: MarkerOptions): string {
  const { frameRate = 25, title = 'mettle-edge', media } = options;
  const rate = exactRate(frameRate);
  const time = (value: number) => ({ OTIO_SCHEMA: 'RationalTime.1', rate, value });
  const range = (start: number, end: number) => ({
    OTIO_SCHEMA: 'TimeRange.1',
    start_time: time(frameOf(start, frameRate)),
    duration: time(Math.max(1, frameOf(end, frameRate) - frameOf(start, frameRate))),
  });
  const whole = range(0, duration);
  const markers = events.map(({ label, modality, confidence, adapter, start, end }) => ({
    OTIO_SCHEMA: 'Marker.2',
    name: label,
    color: colors[modality].toUpperCase(),
    marked_range: range(start, end),
    metadata: { 'mettle-edge': { modality, confidence, adapter, start, end } },
  }));
  const reference =
    media === undefined
      ? { OTIO_SCHEMA: 'MissingReference.1', name: '', metadata: {}, available_range: whole }
      : { OTIO_SCHEMA: 'ExternalReference.1', name: '', metadata: {}, available_range: whole, target_url: media };
  const clip = {
    OTIO_SCHEMA: 'Clip.1',
    name: title,
    source_range: whole,
    media_reference: reference,
    markers,
    effects: [],
    metadata: {},
  };
  const stack = (schema: string, kind: object, children: unknown[]) => ({
    OTIO_SCHEMA: schema,
    name: '',
    source_range: null,
    effects: [],
    markers: [],
    metadata: {},
    ...kind,
    children,
  });
  const tracks = stack('Stack.1', {}, [stack('Track.1', { kind: 'Video' }, [clip])]);
  const document = { OTIO_SCHEMA: 'Timeline.1', name: title, global_start_time: null, metadata: {}, tracks };
  return `${JSON.stringify(document, null, 2)}\n`;
}
