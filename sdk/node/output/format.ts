/** Numbers and tracks as short text for people, in reports and on the terminal. */

import type { AudioTrack, VideoTrack } from '../../contract/clip.ts';
import type { Task } from '../../contract/task.ts';

export const TASK_TITLES: Record<Task, string> = {
  localize: 'Event localization',
  parse: 'Video parsing',
  segment: 'Sound segmentation',
};

/** `2`, `3.4`: at most one decimal. */
export const seconds = (value: number) => String(Math.round(value * 10) / 10);

export const percent = (share: number) => `${Math.round(share * 100)}%`;

/** `9.8 s`, `2 min 5 s` */
export function durationText(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `840 ms`, `2.3 s` */
export const millisecondsText = (value: number) =>
  value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;

export const videoText = (track: VideoTrack | null) =>
  track ? `${track.width} × ${track.height}, ${track.codec}` : 'none';

export function audioText(track: AudioTrack | null): string {
  if (!track) return 'none';
  const channels = track.channels === 1 ? 'mono' : track.channels === 2 ? 'stereo' : `${track.channels} channels`;
  return `${track.sampleRate / 1000} kHz ${channels}, ${track.codec}`;
}
