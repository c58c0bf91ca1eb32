/**
 * What the everyday adapters know: things with what they sound and look like, as names of recordings, of instruments of a sound font and of folders of photographs. A thing with both
 * can be localized; one with either alone is for `parse`. What is listed nowhere stands for the rest of the world, but for what looks or sounds too much like one of them.
 */

/** Bank and program of a General MIDI sound font. */
export type Instrument = readonly [bank: number, program: number];

export type Thing = {
  label: string;
  /** Names of recordings, `source/name` without extension; `*` stands for anything. */
  recordings?: readonly string[];
  /** Instruments that melodies are made on, or drums. */
  instruments?: readonly Instrument[] | 'drums';
  /** A short sound that comes again and again, not one that goes on. */
  call?: boolean;
  /** Folders of Caltech-101. */
  photos?: readonly string[];
};

export const things: readonly Thing[] = [
  {
    label: 'Person speaking',
    recordings: ['asterisk/*', 'espeak/*', 'librosa/198-*', 'librosa/3436-*', 'librosa/5703-*'],
    photos: ['faces'],
  },
  {
    label: 'Dog',
    recordings: ['esc10/001 - Dog bark/*', 'mod-sounds/dog_bark', 'mod-sounds/puppy_bark'],
    call: true,
    photos: ['dalmatian'],
  },
  { label: 'Rooster', recordings: ['esc10/009 - Rooster/*', 'mod-sounds/rooster'], call: true, photos: ['rooster'] },
  {
    label: 'Bird',
    recordings: [
      ...['bird_*', 'canary_*', 'pigeon', 'crow_caw', 'seagull_*', 'owl_hoot', 'parrot_*', 'peacock_*', 'toucan_*'].map(
        (name) => `mod-sounds/${name}`,
      ),
      ...[
        'mod-sounds/loon_*',
        'mod-sounds/goose',
        'mod-sounds/duck_*',
        'max/birds1',
        'blanket/birds',
        'librosa/456440*',
      ],
      'sonic-pi/misc_crow',
    ],
    call: true,
    photos: ['pigeon', 'flamingo', 'flamingo_head', 'ibis', 'emu'],
  },
  {
    label: 'Big cat',
    recordings: ['mod-sounds/leopard_*', 'mod-sounds/tiger_*', 'mod-sounds/lion_*'],
    call: true,
    photos: ['leopards', 'cougar_face', 'cougar_body', 'wild_cat'],
  },
  { label: 'Airplane', recordings: ['mod-sounds/airplane_prop', 'mod-sounds/jet_*'], photos: ['airplanes'] },
  {
    label: 'Helicopter',
    recordings: ['esc10/007 - Helicopter/*', 'mod-sounds/helicopter'],
    photos: ['helicopter'],
  },
  {
    label: 'Gun',
    recordings: [
      'pistol_fire_0*',
      'rifle_fire_0*',
      'rifle_small_fire_*',
      'shotgun_fire_pump',
      'ar_burst_*',
      'ar_fire_*',
    ].map((name) => `mod-sounds/${name}`),
    call: true,
    photos: ['revolver'],
  },
  {
    label: 'Clock',
    recordings: ['esc10/005 - Clock tick/*', 'mod-sounds/clock_tick', 'mod-sounds/watch_tick'],
    photos: ['watch'],
  },
  {
    label: 'Piano',
    recordings: ['mod-sounds/piano', 'max/piano', 'sonic-pi/ambi_piano'],
    instruments: [
      [0, 0],
      [0, 1],
      [0, 3],
    ],
    photos: ['grand_piano'],
  },
  {
    label: 'Electric guitar',
    recordings: ['max/jazz_guitar', 'sonic-pi/guit_*'],
    instruments: [
      [0, 26],
      [0, 27],
      [0, 29],
      [0, 30],
    ],
    photos: ['electric_guitar'],
  },
  {
    label: 'Saxophone',
    instruments: [
      [0, 64],
      [0, 65],
      [0, 66],
      [0, 67],
    ],
    photos: ['saxophone'],
  },
  {
    label: 'Accordion',
    instruments: [
      [0, 21],
      [8, 21],
      [0, 23],
    ],
    photos: ['accordion'],
  },
  { label: 'Mandolin', instruments: [[16, 25]], photos: ['mandolin'] },
  {
    label: 'Brass instrument',
    recordings: ['librosa/sorohanro*'],
    instruments: [
      [0, 56],
      [0, 57],
      [0, 58],
      [0, 60],
    ],
    photos: ['euphonium'],
  },
  { label: 'Rain', recordings: ['esc10/002 - Rain/*', 'mod-sounds/rain_*', 'max/rain', 'blanket/rain'] },
  { label: 'Sea waves', recordings: ['esc10/003 - Sea waves/*', 'blanket/waves'] },
  { label: 'Baby cry', recordings: ['esc10/004 - Baby cry/*'], call: true },
  { label: 'Sneeze', recordings: ['esc10/006 - Person sneeze/*'], call: true },
  { label: 'Chainsaw', recordings: ['esc10/008 - Chainsaw/*'] },
  {
    label: 'Fire',
    recordings: ['esc10/010 - Fire crackling/*', 'mod-sounds/fire_crackle', 'blanket/fireplace'],
  },
  { label: 'Thunder', recordings: ['mod-sounds/thunder_*', 'max/thunder'] },
  {
    label: 'Insects',
    recordings: ['mod-sounds/cicada_*', 'mod-sounds/cricket', 'mod-sounds/bee*', 'mod-sounds/bumble_bee_*'],
  },
  {
    label: 'Violin',
    recordings: ['librosa/Hungarian*'],
    instruments: [
      [0, 40],
      [0, 41],
      [8, 40],
      [0, 48],
    ],
  },
  { label: 'Drums', recordings: ['sonic-pi/loop_amen*', 'sonic-pi/loop_breakbeat'], instruments: 'drums' },
  { label: 'Car', photos: ['car_side'] },
  { label: 'Motorbike', photos: ['motorbikes'] },
  { label: 'Boat', photos: ['ferry', 'ketch', 'schooner'] },
  { label: 'Umbrella', photos: ['umbrella'] },
  { label: 'Laptop', photos: ['laptop'] },
  { label: 'Cup', photos: ['cup'] },
  { label: 'Chair', photos: ['chair', 'windsor_chair'] },
];

const isHeard = ({ recordings, instruments }: Thing): boolean => recordings !== undefined || instruments !== undefined;

/** Labels of what can be heard, of what can be seen, and of both, in the order of `things`. */
export const heard: readonly string[] = things.filter(isHeard).map(({ label }) => label);
export const seen: readonly string[] = things.filter(({ photos }) => photos).map(({ label }) => label);
export const both: readonly string[] = heard.filter((label) => seen.includes(label));

/** Recordings that are too much like a thing to stand for something else. */
export const ambiguousRecordings: readonly string[] = [
  ...[
    'car_motor',
    'vehicle_*',
    'chicken_*',
    'penguin_*',
    'vulture',
    'woodpecker_peck',
    'mermaid_song_*',
    'explosion_*',
  ],
  ...['fireball_*', 'fireworks_*', 'pistol_*', 'rifle_*', 'shotgun_*', 'ricochet', 'fuse_*', 'wolf_snarl', 'zombie_*'],
  ...[
    'undead_*',
    'monkey_*',
    'laugh_*',
    'ghost_*',
    'node_step_water.*',
    'sea_lion_*',
    'bear_*',
    'gorilla_*',
    'laser_*',
  ],
].map((name) => `mod-sounds/${name}`);
export const otherRecordings: readonly string[] = [
  'mod-sounds/*',
  'sonic-pi/ambi_*',
  'sonic-pi/elec_*',
  'sonic-pi/perc_*',
].concat([
  'sonic-pi/vinyl_*',
  'sonic-pi/mehackit_*',
  'sonic-pi/bass_*',
  'sonic-pi/loop_*',
  'max/*',
  'librosa/*',
  'blanket/*',
]);
/** Of these nobody can say what is in them. */
export const unclearRecordings: readonly string[] = [
  ...['blanket/storm', 'blanket/summer-night', 'blanket/city', 'blanket/boat', 'librosa/Kevin*', 'librosa/Karissa*'],
  ...['sonic-pi/loop_*', 'max/cinematic', 'max/arcade_music', 'blanket/coffee-shop'],
];
/** Organs, flutes, voices, bells, harps and synthesizers. */
export const otherInstruments: readonly Instrument[] = [
  9, 11, 12, 13, 14, 16, 19, 46, 52, 53, 73, 75, 80, 81, 88, 91, 108,
].map((program) => [0, program] as const);

/** Folders that are no thing of their own, or show things that one could take for one of them. */
export const ambiguousPhotos: readonly string[] = [
  ...['background_google', 'faces_easy', 'metronome', 'bass', 'gramophone', 'headphone', 'wheelchair', 'ceiling_fan'],
];
