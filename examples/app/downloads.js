/** Results in the forms that other programs read, each as a file to keep. Nothing is made before it is asked for. */
import { captions, toChapters, toCSV, toMarkers } from '../../dist/page/export.js';
import { toJSON, toWebVTT } from '../../dist/page/index.js';
import { element } from '../plain-page/elements.js';
import { captionLanguage } from './captions.js';

const forms = [
  ['JSON', 'everything', 'json', (analysis, info) => JSON.stringify(toJSON(analysis, info), null, 2)],
  ['WebVTT', 'all events', 'events.vtt', ({ results }) => toWebVTT(results)],
  ['WebVTT', 'captions', 'captions.vtt', ({ results }) => captions(results, { language: captionLanguage() })],
  ['SubRip', 'captions', 'srt', ({ results }) => captions(results, { language: captionLanguage(), format: 'srt' })],
  ['WebVTT', 'chapters', 'chapters.vtt', ({ results }) => toChapters(results)],
  ['CSV', 'table', 'csv', ({ results }) => toCSV(results)],
  ['EDL', 'markers', 'edl', ({ results }, { source }) => toMarkers(results, { title: source })],
  ['OTIO', 'markers', 'otio', ({ results }, { source }) => toMarkers(results, { format: 'otio', title: source })],
];

/** `info` is what `toJSON` is told besides. */
export function showDownloads(analysis, info) {
  const stem = info.source.replace(/\.\w+$/, '');
  const items = forms.map(([name, what, ending, make]) => {
    const button = element('button', { type: 'button' }, element('strong', {}, name), ` ${what}`);
    button.addEventListener('click', () => save(make(analysis, info), `${stem}.${ending}`));
    return element('li', {}, button);
  });
  document.getElementById('downloads').replaceChildren(...items);
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
