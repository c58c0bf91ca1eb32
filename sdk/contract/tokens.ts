/** What the outputs of a segment graph that hold meta-tokens are called, [1, K, c] each: the clip graph reads them, and so does the measure of familiarity. */
import type { Sense } from './manifest.ts';

export const tokensOf: Record<Sense, string> = { audio: 'audioTokens', visual: 'visualTokens' };

/** Whether an output of this name holds meta-tokens. */
export const isTokens = (name: string): boolean => Object.values(tokensOf).includes(name);
