import { html } from 'hono/html'
import type { PublishedList } from '../../../actions/rows/published-list.ts'
import { count, figure, figureBeside } from '../../../format/numbers.ts'
import type { ListFacts } from '../../../pipeline/list/read-list.ts'
import type { ScoreColumn } from '../../../project/project.ts'

type Threshold = Pick<ScoreColumn, 'threshold'>

/** `4,801 rows, of which 254 are on the list: their score is at least 0.15.` */
export function sizeText({ facts }: Pick<PublishedList, 'facts'>, score: Threshold): string {
  const { rows, decided } = facts
  if (rows === 0) return 'The night has no rows, so nobody is on the list.'
  const all = rows === 1 ? 'One row' : `${count(rows)} rows`
  if (decided === null)
    return score.threshold === undefined
      ? `${all}. There is no threshold: the list is its top.`
      : `${all}. This night was scored without a threshold: the list is its top. ${sinceThen(score)}`
  const size =
    decided === 0
      ? 'none is'
      : decided === 1
        ? rows === 1
          ? 'this one is'
          : 'one is'
        : `${count(decided)} are`
  const on = `${all}, of which ${size} on the list`
  const { threshold } = score
  if (threshold === undefined || !isOf(threshold, facts.edge))
    return `${on}${edgeText(facts.edge)}. ${sinceThen(score)}`
  if (decided === 0) return `${on}: no score is at least ${threshold}.`
  return `${on}: ${decided === 1 ? 'its' : 'their'} score is at least ${threshold}.`
}

/** Decisions are those of the threshold that held when the night was scored: is it this one? FLOAT scores meet FLOAT's own. */
function isOf(threshold: number, { lowest, highest }: ListFacts['edge']): boolean {
  const float = Math.fround(threshold)
  return (
    (lowest === null || lowest >= Math.min(threshold, float)) &&
    (highest === null || highest < Math.max(threshold, float))
  )
}

function edgeText({ lowest, highest }: ListFacts['edge']): string {
  if (lowest === null) return highest === null ? '' : `: the highest score is ${figure(highest)}`
  if (highest === null) return `: the lowest score is ${figure(lowest)}`
  return `: the lowest score on it is ${figureBeside(lowest, highest)}, the highest of the others ${figureBeside(highest, lowest)}`
}

function sinceThen({ threshold }: Threshold): string {
  return threshold === undefined
    ? 'model.yaml has no threshold any more.'
    : `model.yaml now has the threshold ${threshold}, which counts for nights scored from now on.`
}

/** Who came and went since the night before; without a threshold, among the highest scores. */
export function changeText({
  run,
  facts: { compared, decided, top },
  before,
}: Pick<PublishedList, 'run' | 'facts' | 'before'>): string {
  if (compared === null || before === null) return 'No earlier night is published.'
  const { entered, left, stayed } = compared
  const list = decided === null ? `the ${count(top.length)} highest` : 'the list'
  const by =
    before.version === run.version
      ? ''
      : `, which version ${before.version} scored and not version ${run.version}`
  return `Compared with ${before.partition}${by}: ${count(entered)} entered ${list}, ${count(left)} left, ${count(stayed)} stayed.`
}

/** A table that ends among equal scores says so: which of them it shows is decided by their ids alone. */
export function tiesText({ facts: { ties, top }, entity }: Pick<PublishedList, 'facts' | 'entity'>) {
  const last = top.at(-1)
  if (last === undefined || ties.shown >= ties.rows) return ''
  return html`<p class="small text-late">${count(ties.rows)} rows have the score ${figure(last.score)} of the last row here. ${count(ties.shown)} of them are shown, the lowest ${entity.join(', ')} first.</p>`
}
