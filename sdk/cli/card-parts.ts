/** What the cards of imported backbones have in common. */
import type { BackboneManifest } from '../contract/manifest.ts';

/** Front matter and title, a line each. */
export const cardHead = ({ id, version, license }: BackboneManifest): string[] => [
  '---',
  `license: ${JSON.stringify(license)}`,
  'tags: [mettle-edge, audio-visual]',
  '---',
  `# ${id} ${version}`,
];

/** Text from outside in a table. */
export const cell = (text: string): string => text.replace(/[\p{Cc}|`<>[\]\\]/gu, ' ').trim() || 'unnamed';
