/** The toybox as a world: same seed, same clip; what it says is seen and heard is what pixels and samples show. */
import { describe, expect, test } from 'vitest';
import {
  type Actor,
  centreOf,
  composeClip,
  createRenderer,
  eventsOf,
  flagsOf,
  soundingMask,
  soundtrackOf,
  TOYBOX_LAYOUTS,
  type ToyClip,
  toyboxClasses,
} from '../../sdk/toybox/index.ts';
import { bellPartials, bellPrime } from '../../sdk/toybox/objects/bell.ts';
import { sirenFrequency } from '../../sdk/toybox/objects/siren.ts';
import { splitRanges } from '../../sdk/toybox/splits.ts';

const rate = 32_000;
const clipsOf = (layout: (typeof TOYBOX_LAYOUTS)[number], count: number, seed = 1) =>
  Array.from({ length: count }, (_, index) => composeClip(seed, layout, index));
const everySecond = (clip: ToyClip) => Array.from({ length: clip.seconds }, (_, second) => second);

/** A clip of five seconds with one actor at the centre, nothing before it, and next to no noise. */
function solo(label: string, change: Partial<Actor> = {}): ToyClip {
  const clip = composeClip(1, 'avs-s4', 0);
  const always = [true, true, true, true, true];
  const actor: Actor = {
    ...clip.actors[0]!,
    label,
    seen: always,
    heard: always,
    moving: always,
    strokes: [0.1, 0.7, 1.3, 1.9, 2.5, 3.1, 3.7, 4.3],
    place: { x: 2 / 3, y: 0.5, size: 0.6, angle: 0 },
    drift: { x: 0, y: 0, turn: 0, grow: 0, phase: 0 },
    look: [0.3, 0.4, 0.5, 0.6],
    voice: { pitch: 1, gain: 1, muffled: false },
    occluder: null,
    ...change,
  };
  return {
    ...clip,
    actors: [actor],
    noise: { level: 1e-5, tilt: 0 },
    room: { ...clip.room, wet: 0 },
    backdrop: { ...clip.backdrop, clutter: [] },
  };
}

/** Amplitude of one frequency in `wave` from `start` for `length` seconds, Hann window. */
function tone(wave: Float32Array, start: number, length: number, frequency: number): number {
  const [first, count] = [Math.round(start * rate), Math.round(length * rate)];
  let [re, im] = [0, 0];
  for (let i = 0; i < count; i++) {
    const value = wave[first + i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / count));
    const angle = (2 * Math.PI * frequency * i) / rate;
    re += value * Math.cos(angle);
    im += value * Math.sin(angle);
  }
  return (4 * Math.hypot(re, im)) / count;
}

const rmsOfSecond = (wave: Float32Array, second: number): number =>
  Math.sqrt(wave.subarray(second * rate, (second + 1) * rate).reduce((sum, value) => sum + value * value, 0) / rate);

describe('seeds', () => {
  test('one seed gives one clip: plan, picture and sound', () => {
    const [one, again, other] = [composeClip(7, 'llp', 3), composeClip(7, 'llp', 3), composeClip(8, 'llp', 3)];
    expect(again).toEqual(one);
    const picture = (clip: ToyClip) => createRenderer(clip, 64, 48).draw(4.5).rgb.slice();
    expect(picture(again)).toEqual(picture(one));
    expect(picture(other)).not.toEqual(picture(one));
    expect(soundtrackOf(again, 16_000)).toEqual(soundtrackOf(one, 16_000));
    expect(soundtrackOf(other, 16_000)).not.toEqual(soundtrackOf(one, 16_000));
  });

  test('a picture does not depend on those drawn before', () => {
    const clip = composeClip(2, 'ave', 5);
    const fresh = createRenderer(clip, 64, 48).draw(6.5);
    const renderer = createRenderer(clip, 64, 48);
    renderer.draw(2.5);
    expect(renderer.draw(6.5)).toEqual(fresh);
  });

  test('splits share no background, pitch or room', () => {
    for (const layout of TOYBOX_LAYOUTS) {
      for (const { split, actors, backdrop, room } of clipsOf(layout, 100)) {
        for (const [name, ranges] of Object.entries(splitRanges)) {
          const own = name === split;
          const inside = (spans: readonly (readonly [number, number])[], value: number) =>
            spans.some(([low, high]) => value >= low && value <= high);
          expect(ranges.backdrops.includes(backdrop.kind)).toBe(own);
          expect(inside(ranges.hues, backdrop.hue)).toBe(own);
          expect(inside(ranges.rooms, room.reverberation)).toBe(own);
          for (const { voice } of actors) expect(inside(ranges.pitches, voice.pitch)).toBe(own);
        }
      }
    }
  });

  test('of every ten clips eight train, and every dozen of a split has every class once', () => {
    const clips = clipsOf('ave', 120);
    const labels = (split: string) =>
      clips.filter((clip) => clip.split === split).map(({ actors }) => actors[0]!.label);
    expect([labels('train').length, labels('val').length, labels('test').length]).toEqual([96, 12, 12]);
    for (const split of ['val', 'test']) expect(labels(split).sort()).toEqual([...toyboxClasses].sort());
    expect(labels('train').slice(12, 24).sort()).toEqual([...toyboxClasses].sort());
  });
});

describe('truth', () => {
  test('an AVE clip has exactly one interval of one class that is both seen and heard', () => {
    for (const clip of clipsOf('ave', 300)) {
      const both = eventsOf(clip).filter(({ modality }) => modality === 'both');
      expect(both.map(({ label }) => label)).toEqual([clip.actors[0]!.label]);
    }
  });

  test.each(['seen', 'heard'] as const)(
    'who knows all that is %s is right about two AVE seconds of three at best',
    (sense) => {
      // The best answer for every combination of how long each class that is there now is there in all; to background, or to the one that stays longest.
      const answers = new Map<string, { background: number; longest: number }>();
      let seconds = 0;
      for (const clip of clipsOf('ave', 1000)) {
        const classes = toyboxClasses.map((label) => flagsOf(clip, label));
        for (const second of everySecond(clip)) {
          const there = classes
            .filter((flags) => flags[sense][second])
            .map((flags) => ({ both: flags.both[second]!, length: flags[sense].filter(Boolean).length }))
            .sort((a, b) => b.length - a.length);
          const key = there.map(({ length }) => length).join();
          const answer = answers.get(key) ?? { background: 0, longest: 0 };
          if (classes.every((flags) => !flags.both[second])) answer.background++;
          else if (there[0]?.both) answer.longest++;
          answers.set(key, answer);
          seconds++;
        }
      }
      const right = [...answers.values()].reduce(
        (sum, { background, longest }) => sum + Math.max(background, longest),
        0,
      );
      expect(right / seconds).toBeLessThan(0.68);
      expect(right / seconds).toBeGreaterThan(0.45);
    },
  );

  test('neither sense alone tells what is both seen and heard', () => {
    for (const layout of ['ave', 'llp'] as const) {
      let [seen, heard, both] = [0, 0, 0];
      for (const clip of clipsOf(layout, 500)) {
        for (const label of toyboxClasses) {
          const flags = flagsOf(clip, label);
          for (const second of everySecond(clip)) {
            seen += Number(flags.seen[second]);
            heard += Number(flags.heard[second]);
            both += Number(flags.both[second]);
          }
        }
      }
      // Of all that is seen, and of all that is heard, a good part lacks the other half.
      for (const share of [1 - both / seen, 1 - both / heard]) expect(share).toBeGreaterThan(0.25);
      for (const share of [1 - both / seen, 1 - both / heard]) expect(share).toBeLessThan(0.6);
    }
  });

  test('silent things often move as if they sounded, and S4 has look-alikes of what sounds', () => {
    let [silent, moving, alike] = [0, 0, 0];
    for (const { actors } of clipsOf('avs-s4', 200)) {
      expect(actors.filter(({ heard }) => heard.includes(true))).toHaveLength(1);
      for (const actor of actors.slice(1)) {
        silent++;
        moving += Number(actor.moving[0]);
        alike += Number(actor.label === actors[0]!.label);
      }
    }
    expect(moving / silent).toBeGreaterThan(0.25);
    expect(alike).toBeGreaterThan(40);
  });

  test('the mask holds the pixels that change when the sounding object is taken away', () => {
    let [strong, strongInMask] = [0, 0];
    for (const clip of clipsOf('avs-ms3', 20)) {
      const second = 2;
      const with_ = createRenderer(clip, 112, 112).draw(centreOf(second));
      const mask = soundingMask(clip, with_, second);
      // Gone, but its occluder stays: that is a part of the scene.
      const gone = clip.actors.map((actor) => {
        const hidden = { ...actor, place: { ...actor.place, size: 1e-3 } };
        return actor.heard[second] ? hidden : actor;
      });
      const without = createRenderer({ ...clip, actors: gone }, 112, 112).draw(centreOf(second));
      let [inMask, changedInMask] = [0, 0];
      for (let i = 0; i < mask.length; i++) {
        const change = Math.max(
          ...[0, 1, 2].map((channel) => Math.abs(with_.rgb[3 * i + channel]! - without.rgb[3 * i + channel]!)),
        );
        inMask += Number(mask[i] === 255);
        changedInMask += Number(mask[i] === 255 && change > 4);
        strong += Number(change > 70);
        strongInMask += Number(change > 70 && mask[i] === 255);
      }
      const sounding = clip.actors.some(({ heard, seen }) => heard[second] && seen[second]);
      expect(inMask > 0).toBe(sounding);
      if (sounding) expect(changedInMask / inMask).toBeGreaterThan(0.85);
    }
    // The rest is soft edges, shadows and glow.
    expect(strongInMask / strong).toBeGreaterThan(0.9);
  });

  test('what is seen covers enough pixels, what is not covers none, and objects are neither tiny nor huge', () => {
    for (const clip of clipsOf('llp', 60)) {
      const [width, height] = [96, 72];
      const renderer = createRenderer(clip, width, height);
      for (const { actors } of [clip]) {
        for (const { place } of actors) expect(place.size >= 0.15 && place.size <= 0.46).toBe(true);
      }
      for (const second of everySecond(clip)) {
        const counts = clip.actors.map(() => 0);
        for (const number of renderer.draw(centreOf(second)).owner) if (number > 0) counts[number - 1]!++;
        clip.actors.forEach(({ seen }, index) => {
          if (seen[second]) expect(counts[index]).toBeGreaterThan(20);
          else expect(counts[index]).toBe(0);
        });
      }
    }
  });

  test.each(['avs-s4', 'avs-ms3'] as const)(
    'what sounds covers five to ten percent of the pictures of %s',
    (layout) => {
      let [covered, pixels] = [0, 0];
      for (const clip of clipsOf(layout, 40)) {
        const canvas = createRenderer(clip, 48, 48).draw(centreOf(2));
        const mask = soundingMask(clip, canvas, 2);
        covered += mask.reduce((count, value) => count + Number(value === 255), 0);
        pixels += mask.length;
      }
      expect(covered / pixels).toBeGreaterThan(0.05);
      expect(covered / pixels).toBeLessThan(0.1);
    },
  );

  test('a second is louder than the room exactly where something is heard', () => {
    for (const clip of clipsOf('llp', 12)) {
      const sound = soundtrackOf(clip, rate);
      const noise = clip.noise.level;
      for (const second of everySecond(clip)) {
        const heard = clip.actors.some((actor) => actor.heard[second]);
        const loudness = rmsOfSecond(sound, second) / noise;
        if (heard) expect(loudness).toBeGreaterThan(2);
        else expect(loudness).toBeLessThan(1.2);
      }
    }
  });
});

describe('objects', () => {
  test.each(toyboxClasses)('%s: sounds in its seconds alone, and looks and moves like itself', (label) => {
    const heard = [false, true, true, false, false];
    const clip = solo(label, { heard, moving: heard, strokes: [1.05, 1.5, 1.95, 2.4] });
    const sound = soundtrackOf(clip, rate);
    expect(sound.every(Number.isFinite)).toBe(true);
    const loudness = [0, 1, 2, 3, 4].map((second) => rmsOfSecond(sound, second));
    for (const second of [1, 2]) expect(loudness[second]).toBeGreaterThan(0.004);
    for (const second of [0, 3, 4]) expect(loudness[second]).toBeLessThan(2e-5);
    const renderer = createRenderer(clip, 96, 72);
    const picture = (time: number) => renderer.draw(time).rgb.slice();
    const change = (one: Uint8ClampedArray, other: Uint8ClampedArray) =>
      one.reduce((count, value, i) => count + Number(Math.abs(value - other[i]!) > 30), 0);
    expect(change(picture(0.3), picture(0.6))).toBe(0);
    expect(change(picture(1.62), picture(1.78))).toBeGreaterThan(8);
  });

  test('no two classes look or sound alike', () => {
    const pictures = toyboxClasses.map((label) => createRenderer(solo(label), 48, 36).draw(0.5).owner.slice());
    const sounds = toyboxClasses.map((label) => {
      const wave = soundtrackOf(solo(label), rate);
      const bands = Array.from({ length: 24 }, (_, band) => tone(wave, 1, 1, 100 * 2 ** (band / 4)));
      const length = Math.hypot(...bands);
      return bands.map((value) => value / length);
    });
    for (let i = 0; i < pictures.length; i++) {
      for (let j = 0; j < i; j++) {
        const union = pictures[i]!.reduce((count, on, at) => count + Number(on > 0 || pictures[j]![at]! > 0), 0);
        const differ = pictures[i]!.reduce((count, on, at) => count + Number(on > 0 !== pictures[j]![at]! > 0), 0);
        expect(differ / union).toBeGreaterThan(0.15);
        const likeness = sounds[i]!.reduce((sum, value, band) => sum + value * sounds[j]![band]!, 0);
        expect(likeness).toBeLessThan(0.97);
      }
    }
  });

  test('a bell has the partials of a bell and nothing between them, and decays', () => {
    const sound = soundtrackOf(solo('bell', { strokes: [0.1] }), rate);
    const at = (ratio: number) => tone(sound, 0.15, 0.5, bellPrime * ratio);
    for (const [ratio] of bellPartials.slice(0, 5)) {
      for (const beside of [0.93, 1.07]) expect(at(ratio)).toBeGreaterThan(8 * at(ratio * beside));
    }
    expect(rmsOfSecond(sound, 2)).toBeLessThan(0.4 * rmsOfSecond(sound, 0));
  });

  test('a siren sweeps as it says', () => {
    const clip = solo('siren');
    const sound = soundtrackOf(clip, rate);
    for (const time of [0.3, 0.7, 1.1, 2.6, 3.3]) {
      const frequency = sirenFrequency(time + 0.02, 1, clip.actors[0]!.look[0]!);
      const there = tone(sound, time, 0.04, frequency);
      for (const factor of [0.75, 1.35]) expect(there).toBeGreaterThan(5 * tone(sound, time, 0.04, frequency * factor));
    }
  });

  test('a ball is lowest when it sounds, and pitch follows the voice', () => {
    const clip = solo('bouncing ball');
    const renderer = createRenderer(clip, 96, 72);
    const centre = (time: number) => {
      let [sum, count] = [0, 0];
      renderer.draw(time).owner.forEach((number, at) => {
        if (number === 1) {
          sum += Math.floor(at / 96);
          count++;
        }
      });
      return sum / count;
    };
    for (const stroke of clip.actors[0]!.strokes.slice(0, 6)) {
      expect(centre(stroke + 0.01)).toBeGreaterThan(centre(stroke + 0.3) + 4);
    }
    const whistle = soundtrackOf(solo('whistle', { voice: { pitch: 1.2, gain: 1, muffled: false } }), rate);
    expect(tone(whistle, 0.2, 0.2, 2250 * 1.2)).toBeGreaterThan(3 * tone(whistle, 0.2, 0.2, 2250));
  });

  test('near is loud, and a wall takes the treble', () => {
    const loudness = (voice: Actor['voice']) => rmsOfSecond(soundtrackOf(solo('siren', { voice }), rate), 1);
    const near = loudness({ pitch: 1, gain: 1, muffled: false });
    expect(loudness({ pitch: 1, gain: 0.5, muffled: false }) / near).toBeCloseTo(0.5, 3);
    const treble = (muffled: boolean) =>
      tone(soundtrackOf(solo('rain', { voice: { pitch: 1, gain: 1, muffled } }), rate), 1, 2, 9000);
    expect(treble(true)).toBeLessThan(0.7 * treble(false));
  });
});
