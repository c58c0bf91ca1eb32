/** What a border head adds to what an adapter says of a second. */

/** Name of the output that the engine adds for adapters that have one, and of the graph's own: [1, steps, classes], log-odds that a class sounds in a part of the second. */
export const bordersOutput = 'borders';
