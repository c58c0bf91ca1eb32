/** What to do where a page does not find the package's own files. */
export const assetsHint =
  'Run "npx mettle assets public/mettle" and say createMettle({ assets: "/mettle/" }), or use the plugin mettle-edge/plugin.';

/** The same for the runtime, whose files may lie elsewhere. */
export const runtimeHint = `${assetsHint} Or name the folder of its files in runtimePath; after a failed start only a new worker helps.`;
