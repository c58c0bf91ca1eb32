/** What a box tells a broker: topics, payloads, and the cards by which Home Assistant finds them. `docs/box.md` is written for those who read them. */
import { jsonText } from '../../contract/plain-text.ts';
import { sdkVersion } from '../../contract/version.ts';
import type { LiveEvent } from '../../live/tracker.ts';
import type { FoundEvent } from '../../tasks/given.ts';
import type { Modality } from '../../tasks/timeline.ts';
import type { Message } from './disk-queue.ts';

export const senses = ['heard', 'seen', 'both'] as const;
export type Sense = (typeof senses)[number];

const senseOf: Record<Modality, Sense> = { audio: 'heard', visual: 'seen', 'audio-visual': 'both' };
const titles: Record<Sense, string> = { heard: 'Heard', seen: 'Seen', both: 'Seen and heard' };

/** Of a topic a part that needs no care: letters, digits, `_` and `-`. */
export const boxName = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 60) || 'box';

export const topics = (name: string) => ({
  status: `mettle/${name}/status`,
  health: `mettle/${name}/health`,
  films: `mettle/${name}/films`,
  of: (sense: Sense) => `mettle/${name}/${sense}`,
});

/** Where and when a live source was opened: event numbers begin anew with each. */
export type LiveSession = { name: string; source: string; id: string };

/** An event of a running source that began or ended. `startedAt` is when its second 0 was, in seconds since 1970. */
export function liveMessage(
  { name, source, id }: LiveSession,
  type: 'began' | 'ended',
  event: LiveEvent,
  startedAt: number,
): Message {
  const sense = senseOf[event.modality];
  const payload = {
    id: `${name}-${id}-${event.id}-${type}`,
    event: `${name}-${id}-${event.id}`,
    event_type: type,
    source,
    ...facts(event),
    start_time: rounded(startedAt + event.start),
    end_time: type === 'ended' ? rounded(startedAt + event.end) : null,
  };
  return { id: payload.id, topic: topics(name).of(sense), payload: jsonText(payload) };
}

/** A film and its events; `mark` tells it from an earlier film of its name. */
export type AnalyzedFilm = { film: string; mark: string; duration: number; events: readonly FoundEvent[] };

/** One message per event of a film, and one for the film, which comes last. */
export function filmMessages(name: string, { film, mark, duration, events }: AnalyzedFilm): Message[] {
  const messages = events.map((event, index): Message => {
    const id = `${name}-${film}-${mark}-${index}`;
    const times = { start: rounded(event.start), end: rounded(event.end) };
    const payload = { id, event: id, event_type: 'found', source: film, ...facts(event), ...times };
    return { id, topic: topics(name).of(senseOf[event.modality]), payload: jsonText(payload) };
  });
  const id = `${name}-${film}-${mark}`;
  const payload = jsonText({ id, source: film, duration: rounded(duration), events: events.length });
  return [...messages, { id, topic: topics(name).films, payload }];
}

const facts = ({ label, modality, confidence, adapter }: FoundEvent | LiveEvent) => ({
  label,
  sense: senseOf[modality],
  adapter,
  confidence: Math.round(confidence * 1000) / 1000,
});

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Retained messages by which Home Assistant makes one device of the box: an event entity for each sense, and whether the box is there. `prefix` is mostly `homeassistant`. */
export function discoveryMessages(name: string, prefix: string): { topic: string; payload: string }[] {
  const device = {
    identifiers: [`mettle_${name}`],
    name: `Mettle ${name}`,
    manufacturer: 'Mettle Edge',
    sw_version: sdkVersion,
  };
  const availability = { availability_topic: topics(name).status };
  const events = senses.map((sense) => ({
    topic: `${prefix}/event/mettle_${name}/${sense}/config`,
    payload: jsonText({
      name: titles[sense],
      unique_id: `mettle_${name}_${sense}`,
      state_topic: topics(name).of(sense),
      event_types: ['began', 'ended', 'found'],
      device,
      ...availability,
    }),
  }));
  const problem = {
    topic: `${prefix}/binary_sensor/mettle_${name}/problem/config`,
    payload: jsonText({
      name: 'Problem',
      unique_id: `mettle_${name}_problem`,
      device_class: 'problem',
      state_topic: topics(name).health,
      value_template: "{{ 'OFF' if value_json.ok else 'ON' }}",
      json_attributes_topic: topics(name).health,
      device,
      ...availability,
    }),
  };
  return [...events, problem];
}
