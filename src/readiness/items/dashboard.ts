import { localDay } from '../../format/clock-time.ts'
import { driftNights } from '../../monitoring/drift/drift-nights.ts'
import { outcomeNights } from '../../monitoring/outcomes/outcome-nights.ts'
import { scoreNights, unprofiledNight } from '../../monitoring/score-nights.ts'
import { shadowStanding } from '../../monitoring/shadow/shadow-standing.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'
import { type Answer, type Asked, fail, type Item, pass } from '../item.ts'

const DAYS = 30

export const dashboard: Item = {
  id: 'dashboard',
  title: 'Dashboard',
  question: 'Where does the business see whether last night can be trusted?',
  async ask(asked) {
    const { database, project, model, now } = asked
    const { name } = model
    const link = `/models/${name}`
    const edit = `edit models/${name}/model.yaml, then nightshift validate`
    if (model.consumers.length === 0)
      return fail('no business reader is named: add `consumers:` to model.yaml', edit, link)
    if (model.labels === undefined)
      return fail('no labels are declared, so that no outcome can ever be measured', edit, link)
    if (asked.champion === undefined) return askFirst(asked, link)
    const to = now.toISOString()
    const from = new Date(now.getTime() - DAYS * 86_400_000).toISOString()
    const scores = await scoreNights(database.pool, name, { from, to })
    const newest = scores.at(-1)
    const unseen = await unprofiledNight(database.pool, name, from)
    const lookAt = (night: string) => `nightshift drift ${name} --as-of ${night}`
    if (newest === undefined)
      return unseen === undefined
        ? fail(
            `no night of the last ${DAYS} days has scores to show`,
            `nightshift run ${name} --as-of D`,
            link,
          )
        : fail(
            `the scores of ${unseen} are published, and their distribution was not looked at yet`,
            lookAt(unseen),
            link,
          )
    const drift = await driftNights(database.pool, name, { from, to })
    const compared = new Set(
      drift.filter(({ threshold }) => threshold !== null).map(({ partition }) => partition),
    )
    if (compared.size === 0) {
      const none = `no night of the last ${DAYS} days was compared with a reference`
      // A night that has nothing to be compared with is not compared by another look: it takes another night.
      const why = scores.every(({ reference }) => reference === null) ? newest.note : null
      if (why === null || unseen !== undefined) return fail(none, lookAt(unseen ?? newest.partition), link)
      return fail(`${none}: ${why}`, `nightshift run ${name} --as-of D`, link)
    }
    const outcomes = await outcomeNights(database.pool, name, { from: '1970-01-01T00:00:00Z', to })
    const measured = outcomes.filter(({ state }) => state === 'measured')
    const due = outcomes
      .filter(({ state, matures_at }) => state === 'immature' && matures_at > to)
      .map(({ matures_at }) => matures_at)
      .sort()[0]
    const realized =
      measured.length > 0
        ? `${measured.length} nights have realized outcomes`
        : due !== undefined && `the first outcomes mature on ${localDay(due, project.timezone)}`
    if (realized === false)
      return fail('no outcome is measured, and none is expected', `nightshift outcomes ${name}`, link)
    return pass(
      `${scores.length} nights with scores, ${compared.size} compared with a reference; ${realized}; read by ${model.consumers.join(', ')}`,
      link,
    )
  },
}

/** A first version has nothing published: its nights in shadow are what the page shows. */
async function askFirst({ database, project, model, version, now }: Asked, link: string): Promise<Answer> {
  const { name, labels } = model
  if (version === undefined || labels === undefined)
    return fail(
      'no version is registered: there is nothing to show',
      `nightshift register ${name} FILE`,
      link,
    )
  const since = now.getTime() - DAYS * 86_400_000
  const { nights } = await shadowStanding(database.pool, model, version.version)
  const scored = nights.filter(({ scored_at, as_of }) => scored_at !== null && Date.parse(as_of) >= since)
  const [first] = scored
  if (first === undefined)
    return fail(
      `no night of the last ${DAYS} days has scores to show: there is no champion, and version ${version.version} did not score in shadow`,
      `nightshift shadow ${name} --version ${version.version}`,
      link,
    )
  if (version.dataset === null)
    return fail(
      `version ${version.version} was registered without a training set: its first nights would have no reference to be compared with`,
      `nightshift register ${name} FILE --dataset ID`,
      link,
    )
  const { complete } = labelWindow(parseAsOf(first.partition, project.timezone), labels, project.timezone)
  return pass(
    `${scored.length} nights in shadow with scores, no champion yet; they will be compared with the holdout of ${version.dataset}; the labels of the first are complete on ${localDay(complete, project.timezone)}; read by ${model.consumers.join(', ')}`,
    link,
  )
}
