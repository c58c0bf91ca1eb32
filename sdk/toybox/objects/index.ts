/** All objects of the toybox by name. Their order is that of the classes in every layout and every shipped adapter. */
import type { ToyObject } from '../types.ts';
import { bell } from './bell.ts';
import { bird } from './bird.ts';
import { bouncingBall } from './bouncing-ball.ts';
import { clock } from './clock.ts';
import { dog } from './dog.ts';
import { drum } from './drum.ts';
import { engine } from './engine.ts';
import { handClap } from './hand-clap.ts';
import { pluckedString } from './plucked-string.ts';
import { rain } from './rain.ts';
import { siren } from './siren.ts';
import { whistle } from './whistle.ts';

const objects = [bell, pluckedString, drum, siren, engine, bird, bouncingBall, clock, rain, dog, whistle, handClap];

export const toyObjects: ReadonlyMap<string, ToyObject> = new Map(objects.map((object) => [object.label, object]));
export const toyboxClasses: readonly string[] = objects.map(({ label }) => label);
