/** What to do where a page does not find the package's own files. */
export const assetsHint =
  'Run "npx mettle assets public/mettle" and say createMettle({ assets: "/mettle/" }), or use the plugin mettle-edge/plugin.';
