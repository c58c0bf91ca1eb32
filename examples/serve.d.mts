/** Types of serve.mjs. */

export type ServeOptions = {
  /** Folder whose files are served. */
  root: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Send the headers of cross-origin isolation. */
  isolated?: boolean;
};

export function serve(options: ServeOptions): Promise<{ url: string; close(): Promise<void> }>;
