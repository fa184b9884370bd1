import { findRun } from '../../ledger/nights/run-records.ts'
import { listSlots, type Slot } from '../../ledger/nights/slots.ts'
import type { View } from '../../project/project.ts'
import { type Asked, fail, type Item, pass } from '../item.ts'
import { runExamples } from '../run-examples.ts'
import { viewOf } from '../view-of.ts'

/** Nights in a row that have to be published on schedule, before their deadline. */
const NIGHTS = 7
/** Slots looked at to find them: those beside the schedule are passed over. */
const MOST_SLOTS = 60

export const featurePipeline: Item = {
  id: 'feature-pipeline',
  title: 'Feature pipeline',
  question: 'Are the features computed on schedule, fresh, within expectations and tested by examples?',
  async ask(asked) {
    const { database, project, model, now } = asked
    const { name } = model
    const view = await viewOf(asked)
    if (typeof view === 'string') return fail(view, 'nightshift validate')
    const link = `/models/${name}`
    const due = (
      await listSlots(database.pool, {
        kind: 'features',
        name: view.name,
        to: now.toISOString(),
        limit: MOST_SLOTS,
      })
    ).filter(({ schedule, due }) => schedule !== null && due !== null && Date.parse(due) <= now.getTime())
    const nights = due.slice(0, NIGHTS)
    const open = nights.find((slot) => troubleOf(slot) !== undefined)
    if (open !== undefined)
      return fail(`${view.name} ${open.partition} ${troubleOf(open)}`, `nightshift status ${name}`, link)
    const runs = await Promise.all(nights.map((slot) => findRun(database.pool, slot.published_run ?? '')))
    const other = nights.find((_, index) => runs[index]?.backfill != null)
    if (other !== undefined)
      return fail(
        `${view.name} ${other.partition} was published by a backfill, not on schedule`,
        `nightshift status ${name}`,
        link,
      )
    if (nights.length < NIGHTS) {
      const scheduled = Object.values(project.schedules).some(({ score }) => score.includes(name))
      const why = scheduled ? '' : `; no schedule in schedules/ scores ${name}`
      return fail(
        `${nights.length} of ${NIGHTS} nights of ${view.name} were published on schedule${why}`,
        'nightshift up',
        link,
      )
    }
    const tested = await untested(asked, view)
    if (tested !== undefined) return fail(tested, `nightshift test ${view.name}`, link)
    return pass(
      `the last ${NIGHTS} nights of ${view.name} were published on schedule, ${nights.at(-1)?.partition} to ${nights[0]?.partition}, and its examples pass`,
      link,
    )
  },
}

/** Why the examples of a view prove nothing. */
async function untested({ project, children }: Asked, view: View): Promise<string | undefined> {
  const { results, problems } = await runExamples(project, view, children)
  const [problem] = problems
  if (problem !== undefined) return `${problem.file}: ${problem.message}`
  if (results.length === 0) return `features/${view.name}/examples/ has no example: rows in, rows out`
  const wrong = results.find(({ passed }) => !passed)
  if (wrong !== undefined)
    return `${wrong.file}: ${wrong.failure?.message ?? `${wrong.facts?.differences.length} values differ`}`
  const compared = results.reduce((sum, { facts }) => sum + (facts?.values ?? 0), 0)
  return compared === 0 ? `the examples of ${view.name} compare no value` : undefined
}

/** Why a night that was due is no evidence of a pipeline that runs. */
function troubleOf({ state, published_run, late, reason }: Slot): string | undefined {
  if (published_run === null) return `is not published: ${state}${reason === null ? '' : `, ${reason}`}`
  if (late) return 'was published after its deadline'
  if (state === 'held' || state === 'failed')
    return `is ${state}: ${reason ?? 'its newest run was not published'}`
  return undefined
}
