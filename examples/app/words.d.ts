/** Types of words.js, as far as tests use it. */
type Scope = { senses: ('audio' | 'visual')[]; world: string; unknown: string };
type Familiarity = number | null | { audio: number | null; visual: number | null };

export function scopeWords(manifest: { scope?: Scope | null; task: string }): string;
export function knownWords(manifest: { scope?: Scope | null; classes: string[] }): string;
export function familiarityWords(result: { withheld?: number; seconds: { familiarity?: Familiarity }[] }): string;
