import { html } from 'hono/html'
import type { Operation } from '../../../actions/operations/operation-record.ts'
import type { Backfill } from '../../../jobs/backfills/backfill-records.ts'
import type { Face } from '../../../ledger/nights/faces.ts'
import { backfillHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { backfillMark } from '../backfills/state.ts'
import type { ReadinessView } from './load.ts'

/** Those that are over and still shown. */
const OVER = 8
const BACKFILLS = 3

/** What was asked for here or by a schedule, and how far it is; `again`: the address of this page. */
export function underWay(view: ReadinessView, again: string) {
  const { operations, backfills, isWorked, project, terminal } = view
  const isOpen = ({ state }: { state: string }) =>
    state !== 'done' && state !== 'failed' && state !== 'cancelled'
  const open = operations.filter(isOpen)
  const shown = [...open, ...operations.filter((each) => !isOpen(each)).slice(0, OVER)]
  const nights = backfills.filter((each, index) => isOpen(each) || index < BACKFILLS)
  if (shown.length + nights.length === 0) return ''
  const waits = open.length > 0 || nights.some(isOpen)
  return html`<section class="card" aria-labelledby="asked"><h2 id="asked">Asked for</h2>
${waits ? html`<p class="small"><a href="${again}">Look again</a>${isWorked ? '' : html` <span class="text-late">No worker is running, so it waits${terminal(': ', 'up')}</span>`}</p>` : ''}
<ul class="list">${shown.map((each) => operation(each, project.timezone))}${nights.map((each) => backfill(each, project.timezone))}</ul></section>`
}

function operation(each: Operation, timezone: string) {
  const { by, schedule, requested_at, ended_at, progress, outcome } = each
  const who = schedule !== null ? ` by schedule ${schedule}` : by === null ? '' : ` by ${by}`
  const [face, words] = stateOf(each)
  return html`<li>${stateMark(face, words)} ${titleOf(each)} <span class="small quiet">asked ${moment(requested_at, timezone)}${who}${ended_at === null ? '' : html`, over ${moment(ended_at, timezone)}`}</span>${outcome === null && progress === null ? '' : html`<div class="small">${outcome ?? progress}</div>`}</li>`
}

function stateOf({ state, passed, kind }: Operation): [Face, string] {
  switch (state) {
    case 'requested':
      return ['waiting', 'waits']
    case 'running':
      return ['running', 'under way']
    case 'failed':
      return ['failed', 'could not be done']
    case 'done':
      if (kind === 'gate') return passed === true ? ['published', 'ready'] : ['failed', 'not ready']
      if (kind === 'promotion') return passed === true ? ['published', 'live'] : ['failed', 'refused']
      return passed === true ? ['published', kind === 'drill' ? 'passed' : 'done'] : ['failed', 'failed']
  }
}

function titleOf({ kind, drill, version, options }: Operation): string {
  const of = version === null ? '' : ` version ${version}`
  switch (kind) {
    case 'gate':
      return `Gate${version === null ? '' : ` of${of}`}`
    case 'drill':
      return `Drill ${drill} of${of}`
    case 'promotion':
      return `Promotion of${of}${options.override === undefined ? '' : ' despite the gate'}`
    case 'rollback':
      return options.withdraw === true ? `Withdrawal of${of}` : `Rollback to${of}`
  }
}

function backfill(
  { id, from, to, state, published, nights, failed, held, by, started_at }: Backfill,
  timezone: string,
) {
  const broken = failed + held === 0 ? '' : `, ${failed} failed, ${held} held`
  return html`<li>${backfillMark({ state, failed, held })} <a href="${backfillHref(id)}">Backfill ${id}, ${from} to ${to}</a> <span class="small quiet">begun ${moment(started_at, timezone)}${by === null ? '' : ` by ${by}`}</span><div class="small">${published} of ${nights} nights published${broken}</div></li>`
}
