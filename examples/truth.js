/**
 * How far an answer is right: results of the SDK beside the truth about a clip, second by second. For pages and Node alike; the published metrics, which
 * these counts are not, are in `mettle eval`.
 */

const senses = { audio: 'heard', visual: 'seen', 'audio-visual': 'both' };
const titles = { audio: 'Heard', visual: 'Seen', 'audio-visual': 'Seen and heard' };

export function compare(result, truth) {
  if (result.task === 'segment') return compareMasks(result, truth);
  const modalities = result.task === 'localize' ? ['audio-visual'] : Object.keys(senses);
  const lanes = modalities.map((modality) => compareLane(result, truth, modality));
  // What is both seen and heard follows from the two senses.
  const counted = lanes.length === 1 ? lanes : lanes.filter((lane) => lane.modality !== 'audio-visual');
  const right = counted.flatMap((lane) => lane.right);
  return { lanes, overlaps: null, right: right.filter(Boolean).length, total: right.length };
}

export function labelsAt(truth, modality, second) {
  const labels = truth.events
    .filter((event) => event.modality === senses[modality] && covers(event, second))
    .map((event) => event.label);
  return [...new Set(labels)];
}

export function maskAt({ masks }, second) {
  if (!masks) return new Uint8Array(0);
  const mask = new Uint8Array(masks.width * masks.height);
  let at = 0;
  for (const [index, length] of (masks.runs[second] ?? []).entries()) {
    if (index % 2) mask.fill(1, at, at + length);
    at += length;
  }
  return mask;
}

export function runsOf(mask) {
  const runs = [0];
  for (let at = 0; at < mask.length; at++) {
    const inside = mask[at] > 0;
    if (inside === (runs.length % 2 === 0)) runs[runs.length - 1]++;
    else runs.push(1);
  }
  return runs;
}

function compareLane(result, truth, modality) {
  const events = result.task === 'localize' ? result.events : result.events.filter((e) => e.modality === modality);
  const right = Array.from({ length: truth.seconds }, (_, second) => {
    const found = events.filter((event) => covers(event, second)).map((event) => event.label);
    const expected = labelsAt(truth, modality, second);
    // Localization names one event at a time.
    if (result.task === 'localize' && found.length > 0) return expected.includes(found[0]);
    return found.length === expected.length && found.every((label) => expected.includes(label));
  });
  const expected = truth.events.filter((event) => event.modality === senses[modality]);
  return { modality, title: titles[modality], found: events, truth: expected, right };
}

function compareMasks({ masks }, truth) {
  const overlaps = Array.from({ length: truth.seconds }, (_, second) => overlap(masks[second], truth, second));
  const right = overlaps.filter((share) => share >= 0.5).length;
  return { lanes: [], overlaps, right, total: truth.seconds };
}

function overlap(mask, truth, second) {
  const { width, height } = truth.masks;
  const expected = maskAt(truth, second);
  let [both, either] = [0, 0];
  for (let y = 0; y < height; y++) {
    const row = mask ? Math.floor(((y + 0.5) / height) * mask.height) * mask.width : 0;
    for (let x = 0; x < width; x++) {
      const found = mask ? mask.data[row + Math.floor(((x + 0.5) / width) * mask.width)] > 127 : false;
      const real = expected[y * width + x] === 1;
      both += Number(found && real);
      either += Number(found || real);
    }
  }
  return either === 0 ? 1 : both / either;
}

const covers = ({ start, end }, second) => start < second + 0.5 && second + 0.5 < end;
