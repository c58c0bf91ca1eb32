/** What can be asked of a clip: everywhere the same three words, in calls, results, manifests and options. */
export const TASKS = ['localize', 'parse', 'segment'] as const;

/** What can be asked of a clip. */
export type Task = (typeof TASKS)[number];
