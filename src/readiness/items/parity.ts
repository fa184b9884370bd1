import { localDay } from '../../format/clock-time.ts'
import { newestCertificates } from '../../monitoring/parity/record.ts'
import { timelessSources } from '../../pipeline/leaks/risks.ts'
import { fail, type Item, pass } from '../item.ts'
import { leakCheck } from '../leak-checks.ts'
import { viewOf } from '../view-of.ts'

/** Nights whose features were recomputed by the training path, and the age of the newest in days. */
const NIGHTS = 3
const DAYS = 14

export const parity: Item = {
  id: 'parity',
  title: 'Parity',
  question: 'Does training compute the same features as serving, and does it see nothing of the future?',
  async ask(asked) {
    const { database, project, model, version, now } = asked
    const { name } = model
    const link = `/models/${name}`
    const check = `nightshift parity ${name} --as-of D`
    if (version === undefined)
      return fail('no version is registered', `nightshift register ${name} FILE.onnx --dataset ID`)
    if (version.dataset === null) {
      return fail(
        `version ${version.version} was registered without a training set: nobody knows what it was trained on`,
        `nightshift register ${name} FILE.onnx --dataset ID`,
        link,
      )
    }
    const view = await viewOf(asked)
    if (typeof view === 'string') return fail(view, `nightshift validate`, link)
    const unsafe = timelessSources(view)
    if (unsafe.length > 0) {
      return fail(
        `${unsafe.join(', ')} ${unsafe.length === 1 ? 'is a static source' : 'are static sources'}: its rows have no time, so that a training set may see the future`,
        'declare the kind of time of the source in view.yaml, or waive parity',
        link,
      )
    }
    const nights = await newestCertificates(database.pool, view.name, version.view_hash, NIGHTS)
    const wrong = nights.filter(({ differing }) => differing !== 0)
    if (wrong.length > 0) {
      const [{ partition, differing } = { partition: '', differing: null }] = wrong
      return fail(
        `${view.name} ${partition}: ${differing === null ? 'the check could not be completed' : `${differing} values differ`}`,
        `nightshift parity ${name} --as-of ${partition}`,
        link,
      )
    }
    if (nights.length < NIGHTS)
      return fail(
        `${nights.length} of ${NIGHTS} nights of ${view.name} were recomputed by the training path under this definition`,
        check,
        link,
      )
    const newest = nights[0]?.checked_at ?? ''
    const age = (now.getTime() - Date.parse(newest)) / 86_400_000
    if (age > DAYS || age < 0)
      return fail(`the newest comparison is of ${localDay(newest, project.timezone)}`, check, link)
    const { leaks, labelled_rows, checked_at } = await leakCheck(asked, view)
    const [leak] = leaks
    if (leak !== undefined) return fail(`a leak: ${leak}`, `nightshift validate --leaks ${name}`, link)
    return pass(
      `the last ${NIGHTS} nights of ${view.name} are equal value for value (newest ${nights[0]?.partition}), and no leak was found in ${labelled_rows} labelled rows on ${localDay(checked_at, project.timezone)}`,
      link,
    )
  },
}
