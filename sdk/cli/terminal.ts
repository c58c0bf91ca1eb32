/** Text on a terminal: colours where wanted, control characters nowhere, a progress bar on one line. */
import { oneLine } from '../contract/plain-text.ts';
import { classRgb } from '../tasks/color.ts';
import type { Io, Output } from './types.ts';

export type Paint = {
  dim(text: string): string;
  bold(text: string): string;
  warn(text: string): string;
  /** In the colour of class `index`. */
  class(index: number, text: string): string;
};

/** Colour only on a terminal and without `NO_COLOR` (https://no-color.org). */
export function paintFor(output: Output, env: Io['env']): Paint {
  const on = output.isTTY === true && !env.NO_COLOR;
  const wrap = (code: string, text: string) => (on ? `\x1b[${code}m${text}\x1b[0m` : text);
  return {
    dim: (text) => wrap('2', text),
    bold: (text) => wrap('1', text),
    warn: (text) => wrap('33', text),
    class: (index, text) => {
      const [red, green, blue] = classRgb(index).map((channel) => Math.round((channel / 255) * 5)) as [
        number,
        number,
        number,
      ];
      return wrap(`38;5;${16 + 36 * red + 6 * green + blue}`, text);
    },
  };
}

export { oneLine };

/** A bar that is drawn over itself. On anything but a terminal it does nothing. */
export class ProgressBar {
  readonly #output: Output;
  readonly #enabled: boolean;
  #shown = '';

  constructor(output: Output, enabled: boolean) {
    this.#output = output;
    this.#enabled = enabled && output.isTTY === true;
  }

  /** @param amount e.g. `3/10 s` */
  update(title: string, done: number, total: number, amount: string): void {
    if (!this.#enabled) return;
    const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
    const cells = 24;
    const filled = Math.round(share * cells);
    const room = Math.max(8, (this.#output.columns || 80) - cells - amount.length - 6);
    const text = `${shorten(oneLine(title), room)}  ${'█'.repeat(filled)}${'░'.repeat(cells - filled)}  ${amount}`;
    if (text === this.#shown) return;
    this.#output.write(`\r${text}\x1b[K`);
    this.#shown = text;
  }

  clear(): void {
    if (this.#shown === '') return;
    this.#output.write('\r\x1b[K');
    this.#shown = '';
  }
}

/** Cut to `width` characters, with an ellipsis where something was lost. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
