/**
 * The house rules: which room of `sdk/` may import which, checked by `npm run check:house`. Types count as much as code.
 *
 * A room may only name rooms that stand above it in this list, so there is no circle between folders. `sees` is the whole truth: what is not named is
 * forbidden. `packages` are the dependencies that a room may import. The two doors to the platform are imported as `#bytes` and `#runtimes` and by nothing
 * else; only `sdk/node`, `sdk/page`, `sdk/plugin` and `sdk/cli` know a platform (its globals are denied to all others in `.biome.json`).
 */
const rooms = {
  // Ground floor: what all others share.
  ground: {
    at: '^sdk/((errors|wire-error|did-you-mean|door|abort|arrays|random)\\.ts$|contract/)',
    sees: [],
    packages: ['mediabunny', 'onnxruntime-common'],
  },
  // The vocabulary of models, the way from a second of clip to a network's input, and the made-up world.
  ops: { sees: ['ground'] },
  'front-end': { sees: ['ground'] },
  toybox: { sees: ['ground'] },
  onnx: { sees: ['ground', 'ops'] },
  tflite: { sees: ['ground', 'ops', 'front-end', 'onnx'], packages: ['flatbuffers'] },
  // The platforms: behind the doors.
  page: { sees: ['ground'], packages: ['mediabunny'] },
  doors: {
    at: '^sdk/node/[^/]+\\.ts$',
    sees: ['ground', 'page'],
    packages: ['mediabunny', '@mediabunny/server', 'node-av', 'onnxruntime-node', 'onnxruntime-web'],
  },
  // What runs in the workers, and what knows bytes only.
  media: { sees: ['ground', 'front-end', 'page'], packages: ['mediabunny'] },
  engine: { sees: ['ground', 'front-end', 'ops', 'onnx'], packages: ['onnxruntime-common'] },
  hub: { sees: ['ground', 'page'], packages: ['fflate'] },
  models: { sees: ['ground', 'front-end', 'ops', 'onnx'] },
  tasks: { sees: ['ground'] },
  export: { sees: ['ground', 'tasks'] },
  explain: { sees: ['ground', 'tasks'] },
  compile: { sees: ['ground', 'ops', 'onnx', 'tflite', 'models', 'engine'], packages: ['onnxruntime-common'] },
  work: { sees: ['ground', 'page', 'media', 'engine'], packages: ['comlink'] },
  // The typed API.
  residents: { at: '^sdk/residents\\.ts$', sees: ['ground', 'engine', 'hub'] },
  load: { at: '^sdk/load\\.ts$', sees: ['ground', 'page', 'engine', 'hub', 'work', 'residents'] },
  analyze: { at: '^sdk/analyze\\.ts$', sees: ['ground', 'tasks', 'load', 'residents'] },
  embed: { at: '^sdk/embed\\.ts$', sees: ['ground', 'tasks', 'load', 'residents', 'analyze'] },
  live: { sees: ['ground', 'page', 'media', 'tasks', 'load', 'residents'] },
  mettle: {
    at: '^sdk/mettle\\.ts$',
    sees: ['ground', 'tasks', 'work', 'engine', 'load', 'residents', 'analyze', 'embed', 'live'],
  },
  index: {
    at: '^sdk/index\\.ts$',
    sees: ['ground', 'hub', 'tasks', 'work', 'load', 'residents', 'analyze', 'embed', 'live', 'mettle'],
  },
  // Training; a page can do it too.
  'train/metrics': { sees: ['ground', 'tasks'] },
  'train/loop': { sees: ['ground', 'ops', 'onnx', 'models', 'engine'], packages: ['onnxruntime-common'] },
  'train/data': { sees: ['ground', 'train/metrics'] },
  'train/features': {
    sees: ['ground', 'front-end', 'ops', 'onnx', 'models', 'engine', 'compile', 'train/loop', 'train/data'],
  },
  'train/silence': {
    sees: ['ground', 'ops', 'onnx', 'engine', 'compile', 'tasks', 'train/metrics', 'train/data', 'train/features'],
    packages: ['onnxruntime-common'],
  },
  'train/borders': {
    sees: [
      'ground',
      'ops',
      'onnx',
      'models',
      'compile',
      'tasks',
      'train/metrics',
      'train/loop',
      'train/data',
      'train/features',
      'train/silence',
    ],
  },
  'train/adapter': {
    sees: [
      'ground',
      'page',
      'ops',
      'models',
      'engine',
      'compile',
      'load',
      'train/metrics',
      'train/loop',
      'train/data',
      'train/features',
      'train/silence',
      'train/borders',
    ],
  },
  'train/pretrain': {
    sees: ['ground', 'front-end', 'onnx', 'ops', 'toybox', 'media', 'engine', 'models', 'train/adapter', 'train/loop'],
  },
  'train/teach': {
    sees: [
      'ground',
      'page',
      'front-end',
      'onnx',
      'ops',
      'toybox',
      'hub',
      'engine',
      'models',
      'compile',
      'work',
      'load',
      'train/features',
      'train/silence',
      'train/pretrain',
    ],
  },
  train: {
    at: '^sdk/train/index\\.ts$',
    sees: [
      'ground',
      'onnx',
      'models',
      'compile',
      'engine',
      'train/metrics',
      'train/loop',
      'train/data',
      'train/features',
      'train/adapter',
      'train/teach',
    ],
  },
  // Node's side of training and of the command line.
  'node/files': { sees: ['ground', 'onnx'] },
  'node/host': { sees: [] },
  'node/assets': { sees: ['ground', 'doors', 'hub', 'compile', 'node/files'] },
  'node/publish': { sees: ['ground', 'doors', 'onnx', 'hub', 'compile', 'node/files'] },
  'node/output': { sees: ['ground', 'tasks', 'explain', 'analyze', 'node/files'] },
  'node/batch': {
    sees: ['ground', 'doors', 'tasks', 'export', 'load', 'mettle', 'node/files', 'node/host', 'node/output'],
  },
  'node/box': {
    sees: ['ground', 'tasks', 'analyze', 'live', 'node/batch', 'node/files', 'node/output'],
    packages: ['mqtt'],
  },
  'node/toybox': { sees: ['ground', 'toybox', 'doors', 'media', 'node/output'], packages: ['mediabunny'] },
  'node/data': { sees: ['ground', 'doors', 'front-end', 'media', 'train/data'], packages: ['mediabunny', 'node-av'] },
  plugin: { sees: ['ground', 'node/assets'], packages: ['unplugin', 'vite', 'rollup', 'esbuild', 'webpack'] },
  'node/pretrain': {
    sees: [
      'ground',
      'doors',
      'toybox',
      'page',
      'front-end',
      'onnx',
      'media',
      'hub',
      'models',
      'train/loop',
      'train/pretrain',
      'node/files',
      'node/data',
    ],
  },
  'node/train': {
    sees: [
      'ground',
      'page',
      'hub',
      'engine',
      'compile',
      'models',
      'load',
      'tasks',
      'live',
      'train/metrics',
      'train/loop',
      'train/data',
      'train/features',
      'train/silence',
      'train/borders',
      'train/adapter',
      'train/teach',
      'node/files',
      'node/host',
      'node/output',
      'node/toybox',
      'node/data',
    ],
  },
  cli: {
    sees: [
      'ground',
      'doors',
      'residents',
      'load',
      'ops',
      'onnx',
      'tflite',
      'toybox',
      'hub',
      'models',
      'tasks',
      'export',
      'compile',
      'analyze',
      'live',
      'mettle',
      'train/metrics',
      'train/data',
      'train/teach',
      'node/assets',
      'node/batch',
      'node/box',
      'node/files',
      'node/host',
      'node/output',
      'node/toybox',
      'node/data',
      'node/pretrain',
      'node/publish',
      'node/train',
    ],
  },
};

const above = new Set();
for (const [name, room] of Object.entries(rooms)) {
  room.at ??= `^sdk/${name}/`;
  const astray = room.sees.filter((other) => !above.has(other));
  if (astray.length > 0)
    throw new Error(`.dependency-cruiser.mjs: ${name} sees ${astray}, which must stand above it in the list.`);
  above.add(name);
}
const places = Object.values(rooms).map(({ at }) => at);

/** Of another room only what `sees` names. */
const seesOnly = Object.entries(rooms).map(([name, { at, sees }]) => ({
  name: `${name.replaceAll(/[^a-z]/g, '-')}-sees`,
  comment: `${name} may import ${sees.join(', ') || 'no other room'}, and nothing else of sdk/. Move what it needs to a room below, or hand it in.`,
  severity: 'error',
  from: { path: at },
  to: { path: '^(sdk|adapters|examples|test)/', pathNot: [at, ...sees.map((other) => rooms[other].at)] },
}));

const packagesOnly = Object.entries(rooms).map(([name, { at, packages = [] }]) => ({
  name: `${name.replaceAll(/[^a-z]/g, '-')}-packages`,
  comment: `${name} may import ${packages.join(', ') || 'no package'}.`,
  severity: 'error',
  from: { path: at },
  to: { path: 'node_modules/', pathNot: packages.map((of) => `node_modules/${of}/`) },
}));

export default {
  forbidden: [
    ...seesOnly,
    ...packagesOnly,
    {
      name: 'no-room',
      comment:
        'A file of sdk/ that lies in no room of this list: put it into one, or add its room here and to the picture in README.md.',
      severity: 'error',
      from: {},
      to: { path: '^sdk/.*\\.[cm]?[jt]s$', pathNot: places },
    },
    {
      name: 'through-the-door',
      comment: 'The platform is reached as "#bytes" or "#runtimes" alone; package.json says which file stands behind.',
      severity: 'error',
      from: { path: '^sdk/', pathNot: '^sdk/(node|page|plugin|cli)/' },
      to: { path: '^sdk/(node|page)/', dependencyTypesNot: ['aliased-subpath-import'] },
    },
    {
      name: 'no-platform',
      comment:
        'Only sdk/node, sdk/plugin and sdk/cli may use what Node brings: sdk/train and the rest run in a page too.',
      severity: 'error',
      from: { path: '^sdk/', pathNot: '^sdk/(node|plugin|cli)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circle',
      comment:
        'Files import each other in a circle. Allowed in ops alone: a gradient is written in the vocabulary that it belongs to.',
      severity: 'error',
      from: { path: '^sdk/', pathNot: '^sdk/ops/' },
      to: { circular: true },
    },
    {
      name: 'resolves',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
