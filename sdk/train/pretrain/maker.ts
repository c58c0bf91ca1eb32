/** Makes views: draws a sample by its number, asks the teachers about it, and keeps what is learned from it. */
import type { BackbonePreset } from '../../models/presets.ts';
import { toyboxClasses } from '../../toybox/index.ts';
import { type PictureSource, pictureSample } from './pictures.ts';
import { type SoundSource, soundSample } from './sounds.ts';
import { type Target, targetFor } from './targets.ts';
import type { Sample, Teacher } from './teacher.ts';
import { type View, type ViewField, viewFields, viewMaker } from './views.ts';

/** What is drawn from. */
export type Material = { pictures: readonly PictureSource[] } | { sounds: readonly SoundSource[] };

export type MakerOptions = { preset: BackbonePreset; teachers: readonly Teacher[]; material: Material; seed: number };

export type Maker = {
  targets: Target[];
  fields: ViewField[];
  /** The sample of this number, without what teachers say. */
  draw(index: number): Promise<Sample>;
  /** The view of this number, the same wherever and whenever it is made. The teachers must be measured or scaled. */
  make(index: number): Promise<View>;
};

export function makerOf({ preset, teachers, material, seed }: MakerOptions): Maker {
  const own = teachers.map(({ taps }) => taps.map((tap) => targetFor(preset, tap)));
  const targets = own.flat();
  const keep = viewMaker(preset, toyboxClasses.length);
  const draw = drawing(preset, material, seed);
  return {
    targets,
    fields: viewFields(preset, targets, toyboxClasses.length),
    draw,
    async make(index) {
      const sample = await draw(index);
      const wanted: Float32Array[][] = [];
      for (const [i, teacher] of teachers.entries()) wanted.push(await teacher.targets(sample, own[i]!));
      return keep(sample, wanted.flat());
    },
  };
}

function drawing(preset: BackbonePreset, material: Material, seed: number): (index: number) => Promise<Sample> {
  if ('pictures' in material) {
    const side = preset.modality === 'visual' ? preset.frontEnd.width : 0;
    return async (index) => ({ picture: await pictureSample(material.pictures, side, seed, index) });
  }
  const rate = preset.modality === 'audio' ? preset.frontEnd.sampleRate : 0;
  return async (index) => ({ ...(await soundSample(material.sounds, rate, seed, index)), rate });
}
