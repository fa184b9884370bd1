import { html } from 'hono/html'
import { Temporal } from 'temporal-polyfill'
import { localDay } from '../../../format/clock-time.ts'
import { DRILLS } from '../../../readiness/drills/drill-record.ts'
import { ITEMS } from '../../../readiness/gate.ts'
import { LONGEST_WAIVER_DAYS } from '../../../readiness/waivers.ts'
import { modelHref } from '../../addresses.ts'
import { type Rights, withoutButtons } from '../../buttons/rights.ts'
import { BACKFILL_MODES } from './backfill-form.ts'
import { promotion, rollback } from './champion-offers.ts'
import type { ReadinessView } from './load.ts'
import { action, byField, hidden, type Offered, select, text } from './offered.ts'

/** Everything that can be done about a model's readiness. */
export function actions(view: ReadinessView, rights: Rights | undefined) {
  const offered = [
    promotion(view),
    rollback(view),
    waiver(view),
    acceptance(view),
    drill(view),
    backfill(view),
  ]
  const refusal = withoutButtons(view.project, view.viewer)
  return html`<section class="card" aria-labelledby="act"><h2 id="act">What ${rights === undefined ? 'an operator' : 'you'} can do</h2><div class="actions beside">${offered
    .filter((each) => each !== undefined)
    .map((each) =>
      action(view, rights, each),
    )}</div>${refusal === undefined ? '' : html`<p class="small quiet">${refusal}</p>`}</section>`
}

/** The button beside the gate's answer. */
export function askAgain({ model, version, answer, terminal }: ReadinessView, rights: Rights | undefined) {
  const of = version === null ? '' : ` --version ${version}`
  const form =
    rights?.act !== true
      ? ''
      : html`<form class="inline" method="post" action="${modelHref(model.name)}/gate">${hidden('csrf', rights.viewer.csrf)}${hidden('version', version)}${rights.viewer.local === true ? byField() : ''}<button>${answer === undefined ? 'Ask the gate' : 'Ask the gate again'}</button></form>`
  return html`${form}<p class="small quiet">${terminal('In the terminal: ', `check ${model.name}${of}`)}</p>`
}

function waiver({ model, answer, version, now, project: { timezone } }: ReadinessView): Offered {
  const failing = answer?.gate.items.find(({ status }) => status === 'fail')?.id
  const today = Temporal.PlainDate.from(localDay(now, timezone))
  const last = today.add({ days: LONGEST_WAIVER_DAYS })
  return {
    title: 'Waive an item',
    may: 'act',
    path: 'waiver',
    button: 'Waive',
    second: true,
    why: html`Excuses an item until a date, at most ${LONGEST_WAIVER_DAYS} days ahead. It never counts as a pass. ${model.owner} owns the model and cannot waive.`,
    fields: html`${hidden('version', version)}${select(
      'item',
      'Item',
      ITEMS.map(({ id, title }) => [id, title]),
      failing,
    )}<label>Until<input type="date" name="until" required min="${today}" max="${last}"></label>${text('reason', 'Why', { required: true })}`,
    command: `waive ${model.name} ${failing ?? 'ITEM'} --until ${today.add({ days: 30 })} --reason WHY --by YOU`,
  }
}

function acceptance({ model, version, terminal }: ReadinessView): Offered {
  return {
    title: 'Take the model over',
    may: 'act',
    path: 'acceptance',
    button: 'Accept',
    why: html`Somebody other than ${model.owner}, who owns it, accepts it with its on-call (${model.on_call.join(', ') || 'nobody'}) and readers (${model.consumers.join(', ') || 'none'}). Read the handoff first.${terminal(' In the terminal: ', `handoff ${model.name}`)}`,
    fields: hidden('version', version),
    command: `accept ${model.name} --by YOU`,
  }
}

function drill({ model, version }: ReadinessView): Offered | undefined {
  if (version === null) return undefined
  return {
    title: 'Drill',
    may: 'act',
    path: 'drill',
    button: 'Start the drill',
    why: html`Tries it for real in a copy, with version ${version}, and times it. It waits while a night runs. An alert drill mails everybody on call, who have 15 minutes to answer.`,
    fields: html`${hidden('version', version)}${select(
      'drill',
      'Which',
      DRILLS.map((each) => [each, DRILL_WORDS[each]]),
    )}`,
    command: `drill ${model.name} rollback --version ${version}`,
  }
}

const DRILL_WORDS: Record<(typeof DRILLS)[number], string> = {
  rollback: 'rollback: back and forth',
  failure: 'failure: a process is killed',
  alert: 'alert: on-call has to answer',
  drift: 'drift: shifted nights',
}

function backfill({ model, champion, now, project: { timezone } }: ReadinessView): Offered | undefined {
  if (champion === undefined) return undefined
  const today = localDay(now, timezone)
  return {
    title: 'Backfill',
    may: 'act',
    path: 'backfill',
    method: 'get',
    button: 'Show the plan',
    why: html`Computes earlier nights with version ${champion}. The plan is shown first.`,
    fields: html`<label>From<input name="from" required autocomplete="off" placeholder="${today}"></label><label>To<input name="to" required autocomplete="off" placeholder="${today}"></label>${select('mode', 'Of', Object.entries(BACKFILL_MODES))}`,
    command: `backfill ${model.name} --from DATE --to DATE`,
  }
}
