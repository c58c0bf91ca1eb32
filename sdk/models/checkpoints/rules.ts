/** The form of a rule: from the name of a tensor in a file to what becomes of it. */

/** What becomes of a tensor: it is one of ours, or a part of one along the first axis, or knowingly left out. */
export type Fate =
  | { to: string; part?: readonly [index: number, count: number] }
  | { ignored: string; buffer?: Buffer };

/** Tables that some files carry and that are computed here. Their shapes still tell whether the file was made for the same windows and front end. */
export type Buffer = 'offsets' | 'offset index' | 'shift mask' | 'mel filters' | 'transform';

/** The first rule whose pattern matches decides. */
export type Rule = readonly [pattern: RegExp, fate: (match: RegExpMatchArray) => Fate];
