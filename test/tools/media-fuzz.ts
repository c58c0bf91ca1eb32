/** `npm run fuzz [-- COUNT [SEED]]`: damaged films by the thousand. Ends with code 1 if one of them ends in anything but a result or a MettleError within 10 s. */
import { fuzzFilms, fuzzMedia, fuzzReport, isSettled } from '../helpers/media-fuzz.ts';

const [count = '2000', seed = '1'] = process.argv.slice(2);
const findings = await fuzzMedia(fuzzFilms({ shared: true }), {
  count: Number(count),
  seed: Number(seed),
  onFinding: (finding) => {
    if (!isSettled(finding)) console.error(JSON.stringify(finding));
  },
});
console.log(fuzzReport(findings));
process.exitCode = findings.every(isSettled) ? 0 : 1;
