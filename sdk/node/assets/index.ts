/** The folder of files that a page loads by itself: what `mettle assets` writes, and what plugins of bundlers serve and emit. */
export { type AssetFile, type AssetsChoice, listAssets, readAsset } from './files.ts';
export { type AssetsList, assetsListFile, assetsListOf, assetsListText, entryOf } from './list.ts';
export { type AssetsReport, type WriteAssetsOptions, writeAssets } from './write.ts';
