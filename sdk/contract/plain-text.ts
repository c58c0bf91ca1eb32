/** Texts from strangers, made harmless: names of files, classes and models must steer no terminal, end no cue and reach no screen as anything but letters. */

/** Control characters, marks that turn the direction of writing, and halves of characters. */
const controls = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** On one line, without control or direction characters. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(controls, '\ufffd');
}

/** As `oneLine`, with the spaces that indent a line or make columns of it. */
export const spacedLine = (line: string): string => line.split(' ').map(oneLine).join(' ');

/** JSON that means the same and holds no such character itself: they are written as `\u` and four digits. */
export function jsonText(value: unknown, space?: number): string {
  return JSON.stringify(value, null, space).replace(controls, (found) =>
    found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
