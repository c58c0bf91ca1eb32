/** Types of offscreen.js. */
type Stretch = { start: number; end: number };
type Labelled = Stretch & { label: string };

export function offScreen(heard: Labelled, together: readonly Labelled[]): Stretch[];
