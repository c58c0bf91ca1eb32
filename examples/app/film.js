/** A film from the moment it is chosen until its results are on the page. */
import { element } from '../plain-page/elements.js';
import { fetchClip } from '../plain-page/gallery.js';
import { chooseFor, chosenAdapters, tellFamiliarity } from './adapters.js';
import { clearCaptions, showCaptions } from './captions.js';
import { showDevice, showWarnings } from './device.js';
import { showDownloads } from './downloads.js';
import { run, showProgress } from './job.js';
import { modelsFor } from './models.js';
import { clearStage, showAnalysis, showFilm } from './stage.js';

const $ = (id) => document.getElementById(id);

/** `adapters` are those that know the world of a sample; null where nobody can tell. */
export const openFile = (file) => analyze({ name: file.name, adapters: null, open: async () => file });
export const openSample = ({ id, question, adapters }) =>
  analyze({ name: question, adapters, open: async (signal) => (await fetchClip({ id }, signal)).file });

function analyze({ name, adapters, open }) {
  return run(async ({ signal, onProgress, isCurrent }) => {
    announce(name);
    chooseFor(adapters);
    try {
      const file = await open(signal);
      if (!isCurrent()) return;
      showFilm(file);
      const mettle = await modelsFor(chosenAdapters(), { signal, onProgress });
      showDevice(mettle.info(), null);
      const analysis = await mettle.analyze(file, { signal, onProgress });
      const results = [...analysis.results].sort(byTask);
      if (isCurrent()) show({ ...analysis, results }, file, mettle.info());
    } catch (error) {
      if (isCurrent()) clearStage();
      throw error;
    }
  });
}

/** What tells most comes first. */
const tasks = ['parse', 'localize', 'segment'];
const byTask = (a, b) => tasks.indexOf(a.task) - tasks.indexOf(b.task);

/** Says what is coming, and shows nothing of the film before. */
function announce(name) {
  document.body.dataset.state = 'working';
  $('drop-text').replaceChildren(element('strong', {}, name), element('span', { className: 'link' }, 'Another film'));
  $('told').textContent = '';
  $('outcome').hidden = true;
  clearStage();
  clearCaptions();
  showWarnings([]);
  tellFamiliarity([]);
  showProgress({ phase: 'open' });
}

function show(analysis, file, engine) {
  const { results, warnings } = analysis;
  document.body.dataset.state = 'result';
  showAnalysis(analysis, () => explain(file, results));
  showCaptions(results);
  showDownloads(analysis, { source: file.name, engine });
  showDevice(engine, analysis);
  showWarnings([...engine.warnings, ...warnings]);
  tellFamiliarity(results);
  $('outcome').hidden = false;
  const count = results.reduce((sum, { events = [] }) => sum + events.length, 0);
  $('told').textContent = `Done: ${count} events found.`;
}

/** Where the adapter of the first result looked and listened; null where that failed, or something else was begun. */
async function explain(file, results) {
  let explanation = null;
  await run(async ({ signal, onProgress }) => {
    const mettle = await modelsFor(chosenAdapters(), { signal, onProgress });
    const [{ task, adapter }] = results;
    ({ explanation } = await mettle[task](file, { adapter, explain: true, signal, onProgress }));
    document.body.dataset.state = 'result';
  });
  return explanation;
}

$('file').addEventListener('change', ({ target }) => {
  const [file] = target.files;
  // Emptied, so that choosing the same file again is a change too.
  target.value = '';
  if (file) openFile(file);
});
