/** The same network on pictures of half the size: every weight fits, as Swin-V2 works out its position biases from offsets. */
import { MettleError } from '../../errors.ts';
import type { BackbonePreset } from '../../models/presets.ts';

/** Throws `incompatible` for a preset of which a quarter of the places is not enough, and for sounds, whose tables of position biases depend on the size. */
export function halfOf(preset: BackbonePreset): BackbonePreset {
  const [rows, columns] = preset.modality === 'visual' ? preset.network.image : [0, 0];
  const least = 2 * 2 ** (preset.network.depths.length - 1) * preset.network.patch;
  if (preset.modality !== 'visual' || rows % least !== 0 || columns % least !== 0) {
    throw new MettleError('incompatible', 'This preset cannot be trained on samples of half the size.', {
      hint: `Only networks for pictures whose sides are multiples of ${least} pixels can.`,
    });
  }
  const { frontEnd, network } = preset;
  return {
    modality: 'visual',
    frontEnd: { ...frontEnd, width: frontEnd.width / 2, height: frontEnd.height / 2 },
    network: { ...network, image: [rows / 2, columns / 2] },
  };
}
