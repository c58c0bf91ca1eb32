/**
 * How captions name a sound in each language, in the words that are usual for people who do not hear: the source and what it does, without an article. One row per
 * sound; `labels` are the classes that mean it, of our adapters and of AVE, LLP and AudioSet. What has no row is called by its label.
 */

/** Languages of captions. */
export const captionLanguages = ['en', 'de', 'fr'] as const;
/** A language of captions: English, German or French. */
export type CaptionLanguage = (typeof captionLanguages)[number];

type Row = { labels: readonly string[] } & Record<CaptionLanguage, string>;

const row = (labels: string, en: string, de: string, fr: string): Row => ({ labels: labels.split('|'), en, de, fr });

// Labels in lower case, without punctuation.
const rows: readonly Row[] = [
  row('dog|dog bark|dog barking', 'dog barking', 'Hund bellt', 'chien qui aboie'),
  row('cat|cat meowing', 'cat meowing', 'Katze miaut', 'chat qui miaule'),
  row('rooster|rooster crowing|chicken rooster', 'rooster crowing', 'Hahn kräht', 'coq qui chante'),
  row('bird|birds|bird chirping', 'birds chirping', 'Vögel zwitschern', 'chants d’oiseaux'),
  row('pigeon|dove', 'pigeon cooing', 'Taube gurrt', 'pigeon qui roucoule'),
  row('duck', 'duck quacking', 'Ente quakt', 'canard qui cancane'),
  row('goose', 'goose honking', 'Gans schnattert', 'oie qui cacarde'),
  row('flamingo', 'flamingos calling', 'Flamingos rufen', 'cris de flamants'),
  row('owl', 'owl hooting', 'Eule ruft', 'chouette qui hulule'),
  row('crow', 'crow cawing', 'Krähe krächzt', 'corbeau qui croasse'),
  row('big cat|wild cat|leopard|cougar|lion|tiger', 'big cat growling', 'Raubkatze knurrt', 'fauve qui gronde'),
  row('elephant', 'elephant trumpeting', 'Elefant trompetet', 'éléphant qui barrit'),
  row('dolphin', 'dolphin clicking', 'Delfin klickt', 'cliquetis de dauphin'),
  row('horse', 'hooves clattering', 'Hufe klappern', 'bruit de sabots'),
  row('cow', 'cow mooing', 'Kuh muht', 'vache qui meugle'),
  row('pig', 'pig grunting', 'Schwein grunzt', 'cochon qui grogne'),
  row('sheep|goat|goat bleating', 'bleating', 'Blöken', 'bêlements'),
  row('frog', 'frog croaking', 'Frosch quakt', 'grenouille qui coasse'),
  row('insect|cricket|crickets', 'insects chirping', 'Insekten zirpen', 'insectes qui stridulent'),
  row('bee|bees', 'bees buzzing', 'Bienen summen', 'abeilles qui bourdonnent'),
  row(
    'person|person speaking|speech|voice|male speech man speaking|female speech woman speaking',
    'speaking',
    'spricht',
    'parle',
  ),
  row('singing', 'singing', 'Gesang', 'chant'),
  row('laughter|laughing', 'laughter', 'Gelächter', 'rires'),
  row('cheering', 'cheering', 'Jubel', 'acclamations'),
  row('crowd', 'crowd murmuring', 'Stimmengewirr', 'brouhaha'),
  row('clapping|applause|hand clap', 'clapping', 'Klatschen', 'applaudissements'),
  row('whistle|whistling', 'whistling', 'Pfeifen', 'sifflement'),
  row('baby cry|baby crying|baby cry infant cry|crying baby', 'baby crying', 'Baby weint', 'bébé qui pleure'),
  row('sneeze|sneezing|person sneeze', 'sneeze', 'Niesen', 'éternuement'),
  row('cough|coughing', 'coughing', 'Husten', 'toux'),
  row('footsteps', 'footsteps', 'Schritte', 'bruits de pas'),
  row(
    'airplane|plane|aircraft|fixed-wing aircraft airplane',
    'airplane droning',
    'Flugzeug brummt',
    'vrombissement d’avion',
  ),
  row('helicopter', 'helicopter whirring', 'Hubschrauber knattert', 'bruit d’hélicoptère'),
  row('motorbike|motorcycle', 'motorbike revving', 'Motorrad knattert', 'moto qui vrombit'),
  row('car', 'car passing', 'Auto fährt', 'bruit de voiture'),
  row('race car auto racing', 'race cars roaring', 'Rennwagen dröhnen', 'voitures de course'),
  row('truck', 'truck rumbling', 'Lastwagen brummt', 'grondement de camion'),
  row('bus', 'bus rumbling', 'Bus brummt', 'bruit d’autobus'),
  row('vehicle', 'vehicle passing', 'Fahrzeug fährt', 'bruit de véhicule'),
  row('engine|motor', 'engine humming', 'Motor läuft', 'bruit de moteur'),
  row('train|train horn|rail transport', 'train passing', 'Zug fährt', 'bruit de train'),
  row('boat|ship|ferry', 'boat engine chugging', 'Bootsmotor tuckert', 'moteur de bateau'),
  row('bicycle', 'bicycle rattling', 'Fahrrad klappert', 'bruit de vélo'),
  row('horn|car horn', 'horn honking', 'Hupen', 'klaxon'),
  row('siren|emergency vehicle', 'siren wailing', 'Sirene heult', 'sirène'),
  row('alarm|fire alarm|smoke alarm', 'alarm sounding', 'Alarm', 'alarme'),
  row('bell', 'bell ringing', 'Glocke läutet', 'cloche qui sonne'),
  row('church bell|church bells', 'church bells ringing', 'Kirchenglocken läuten', 'cloches d’église'),
  row('clock|clock tick|watch', 'clock ticking', 'Uhr tickt', 'tic-tac d’horloge'),
  row('metronome', 'metronome ticking', 'Metronom tickt', 'métronome'),
  row('telephone|telephone bell ringing|cellphone|phone', 'phone ringing', 'Telefon klingelt', 'sonnerie de téléphone'),
  row('camera', 'camera clicking', 'Kamera klickt', 'déclic d’appareil photo'),
  row('door|door knock', 'door sounds', 'Tür', 'bruit de porte'),
  row('keyboard|typing', 'typing', 'Tippen', 'frappe au clavier'),
  row('vacuum cleaner', 'vacuum cleaner humming', 'Staubsauger brummt', 'aspirateur'),
  row('blender', 'blender whirring', 'Mixer surrt', 'mixeur'),
  row('frying food|frying', 'food sizzling', 'Brutzeln', 'grésillement'),
  row('chainsaw', 'chainsaw buzzing', 'Kettensäge kreischt', 'tronçonneuse'),
  row('lawn mower', 'lawn mower whirring', 'Rasenmäher brummt', 'tondeuse'),
  row('hammer', 'hammering', 'Hämmern', 'coups de marteau'),
  row('gunshot|gunfire', 'gunshot', 'Schuss', 'coup de feu'),
  row('explosion', 'explosion', 'Explosion', 'explosion'),
  row('glass|breaking glass', 'glass breaking', 'Glas zerbricht', 'bris de verre'),
  row('rain', 'rain falling', 'Regen', 'pluie'),
  row('thunder|thunderstorm', 'thunder', 'Donner', 'tonnerre'),
  row('wind', 'wind blowing', 'Wind weht', 'vent'),
  row('sea|sea waves|waves|ocean', 'waves breaking', 'Wellen rauschen', 'bruit des vagues'),
  row('water|stream', 'water flowing', 'Wasser fließt', 'eau qui coule'),
  row('fire|fire crackling', 'fire crackling', 'Feuer knistert', 'feu qui crépite'),
  row('music', 'music playing', 'Musik', 'musique'),
  row('piano|grand piano', 'piano playing', 'Klavier spielt', 'piano'),
  row('guitar|acoustic guitar|electric guitar', 'guitar playing', 'Gitarre spielt', 'guitare'),
  row('plucked string', 'plucked string', 'gezupfte Saite', 'corde pincée'),
  row('banjo', 'banjo playing', 'Banjo spielt', 'banjo'),
  row('ukulele', 'ukulele playing', 'Ukulele spielt', 'ukulélé'),
  row('mandolin', 'mandolin playing', 'Mandoline spielt', 'mandoline'),
  row('violin|violin fiddle', 'violin playing', 'Geige spielt', 'violon'),
  row('cello', 'cello playing', 'Cello spielt', 'violoncelle'),
  row('flute', 'flute playing', 'Flöte spielt', 'flûte'),
  row('saxophone', 'saxophone playing', 'Saxofon spielt', 'saxophone'),
  row('trumpet|brass|euphonium', 'brass playing', 'Blechbläser spielen', 'cuivres'),
  row('accordion', 'accordion playing', 'Akkordeon spielt', 'accordéon'),
  row('organ', 'organ playing', 'Orgel spielt', 'orgue'),
  row('drum|drums', 'drumming', 'Trommeln', 'tambour'),
  row('bouncing ball|ball|basketball bounce', 'ball bouncing', 'Ball springt', 'ballon qui rebondit'),
];

const byLabel = new Map(rows.flatMap((row) => row.labels.map((label) => [label, row] as const)));

const offScreenWords: Record<CaptionLanguage, string> = {
  en: 'off-screen',
  de: 'außerhalb des Bildes',
  fr: 'hors champ',
};

/** Letters, digits and hyphens of a label in lower case; the punctuation of published label lists goes. */
const keyOf = (label: string): string =>
  label
    .toLowerCase()
    .replace(/[^\p{L}\p{N}-]+/gu, ' ')
    .trim();

/** What `label` sounds like, in words; `own` phrases, by label, go before. */
export function phraseFor(label: string, language: CaptionLanguage, own: Record<string, string> = {}): string {
  if (Object.hasOwn(own, label)) return own[label]!;
  return byLabel.get(keyOf(label))?.[language] ?? label;
}

/** The word before a sound whose source is not in the picture. */
export const offScreenWord = (language: CaptionLanguage): string => offScreenWords[language];
