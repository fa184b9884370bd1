import { html } from 'hono/html'
import { Temporal } from 'temporal-polyfill'
import { localDay } from '../../../format/clock-time.ts'
import { DRILLS } from '../../../readiness/drills/drill-record.ts'
import { ITEMS } from '../../../readiness/gate.ts'
import { summaryOf } from '../../../readiness/gate-on-record.ts'
import { LONGEST_WAIVER_DAYS } from '../../../readiness/waivers.ts'
import { modelHref, readinessHref, withQuery } from '../../addresses.ts'
import type { Html } from '../../layout.ts'
import { moment } from '../../moment.ts'
import { BACKFILL_MODES } from './backfill-form.ts'
import type { ReadinessView } from './load.ts'
import type { Rights } from './rights.ts'

/** One thing that can be done: a form for whoever may, and the command that does the same for everyone. */
interface Offered {
  title: string
  why: Html
  /** Of the form; undefined: nothing can be done now, and `why` says why. */
  fields?: Html
  button?: string
  /** The last part of the address. */
  path?: string
  method?: 'get' | 'post'
  /** `promote`: for approvers, where the project names people. */
  may: 'act' | 'promote'
  command: string
  /** What else the command takes. */
  option?: string
}

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
  return html`<section class="card" aria-labelledby="act"><h2 id="act">What you can do</h2><div class="actions beside">${offered
    .filter((each) => each !== undefined)
    .map((each) => action(view, rights, each))}</div>${notice(rights)}</section>`
}

function action({ model }: ReadinessView, rights: Rights | undefined, offered: Offered) {
  const { title, why, fields, button, path, method = 'post', may, command, option } = offered
  const form =
    rights === undefined || fields === undefined || !rights[may]
      ? ''
      : html`<form method="${method}" action="${modelHref(model.name)}/${path}">${method === 'post' ? hidden('csrf', rights.viewer.csrf) : ''}${fields}${method === 'post' && rights.viewer.local === true ? byField() : ''}<button>${button}</button></form>`
  return html`<div class="action"><h3>${title}</h3><p>${why}</p>${form}<p class="small quiet">In the terminal: <code>${command}</code>${option === undefined ? '' : html`, to override with <code>${option}</code>`}</p></div>`
}

function notice(rights: Rights | undefined) {
  if (rights === undefined)
    return html`<p class="small quiet">Buttons are for operators: <code>npx nightshift user add NAME --role operator</code></p>`
  const { viewer, act, promote } = rights
  if (act && promote) return ''
  const lacks = act ? 'is no approver, so there is no button to promote' : 'may change nothing'
  return html`<p class="small quiet">By the people in nightshift.yaml ${viewer.name} ${lacks}.</p>`
}

/** The button beside the gate's answer. */
export function askAgain({ model, version, answer }: ReadinessView, rights: Rights | undefined) {
  const of = version === null ? '' : ` --version ${version}`
  const form =
    rights?.act !== true
      ? ''
      : html`<form class="inline" method="post" action="${modelHref(model.name)}/gate">${hidden('csrf', rights.viewer.csrf)}${hidden('version', version)}${rights.viewer.local === true ? byField() : ''}<button>${answer === undefined ? 'Ask the gate' : 'Ask the gate again'}</button></form>`
  return html`${form}<p class="small quiet">In the terminal: <code>npx nightshift check ${model.name}${of}</code></p>`
}

function promotion(view: ReadinessView): Offered | undefined {
  const { model, version, champion, answer, versions, project } = view
  const others = versions.filter((each) => each.version !== champion)
  if (version === null || others.length === 0) return undefined
  const command = `npx nightshift promote ${model.name} --version ${version === champion ? others[0]?.version : version} --by YOU`
  const title = 'Promote'
  if (version === champion) {
    return {
      title,
      may: 'promote',
      command,
      why: html`Version ${version} is the champion. Another one: ${others
        .slice(0, 5)
        .map(
          (each) =>
            html`<a href="${withQuery(readinessHref(model.name), { version: each.version })}">version ${each.version}</a> `,
        )}`,
    }
  }
  const said =
    answer === undefined
      ? html`The gate was never asked about version ${version}.`
      : html`Version ${version}: ${summaryOf(answer.gate)}, ${answer.gate.ready ? 'ready' : `not ready (open: ${openOf(answer.gate.items)})`}, asked ${moment(answer.gate.at, project.timezone)}.`
  return {
    title,
    may: 'promote',
    path: 'promotion',
    button: `Promote version ${version}`,
    why: html`${said} The gate is asked again and decides. A reason overrides it: that is recorded, mailed, and stays on this page.`,
    fields: html`${hidden('version', version)}${text('override', 'Reason to override the gate, if it is not ready', { required: false })}`,
    command,
    option: '--override REASON',
  }
}

function openOf(items: { id: string; status: string }[]): string {
  return items
    .filter(({ status }) => status === 'fail')
    .map(({ id }) => id)
    .join(', ')
}

function rollback({ model, champion, before, versions }: ReadinessView): Offered | undefined {
  if (champion === undefined) return undefined
  const why = text('reason', 'Why', { required: false })
  if (before === undefined) {
    return {
      title: 'Take out of service',
      may: 'act',
      path: 'rollback',
      button: `Withdraw version ${champion}`,
      why: html`No other version was champion before. Version ${champion} can be withdrawn: its newest night leaves its path, and the model has no champion.`,
      fields: html`${hidden('withdraw', 'yes')}${why}`,
      command: `npx nightshift rollback ${model.name} --withdraw --by YOU`,
    }
  }
  const others = versions.filter(({ version }) => version !== champion || version === before)
  const now =
    before === champion
      ? `Version ${champion} is the champion again, and its newest night does not show its scores yet: this completes the rollback.`
      : `Version ${champion} is the champion; version ${before} was before.`
  return {
    title: 'Roll back',
    may: 'act',
    path: 'rollback',
    button: 'Roll back',
    why: html`${now} The newest night shows the scores of that version at once, where they are there; earlier nights too, from a night on.`,
    fields: html`${select(
      'to',
      'To',
      others.map(({ version }) => [String(version), `version ${version}`]),
      String(before),
    )}<label>From night (optional)<input name="from" autocomplete="off" placeholder="2026-11-22"></label>${why}`,
    command: `npx nightshift rollback ${model.name} --to ${before} --by YOU`,
  }
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
    why: html`Excuses an item until a date, at most ${LONGEST_WAIVER_DAYS} days ahead. It never counts as a pass. ${model.owner} owns the model and cannot waive.`,
    fields: html`${hidden('version', version)}${select(
      'item',
      'Item',
      ITEMS.map(({ id, title }) => [id, title]),
      failing,
    )}<label>Until<input type="date" name="until" required min="${today}" max="${last}"></label>${text('reason', 'Why', { required: true })}`,
    command: `npx nightshift waive ${model.name} ${failing ?? 'ITEM'} --until ${today.add({ days: 30 })} --reason WHY --by YOU`,
  }
}

function acceptance({ model, version }: ReadinessView): Offered {
  return {
    title: 'Take the model over',
    may: 'act',
    path: 'acceptance',
    button: 'Accept',
    why: html`Somebody other than ${model.owner}, who owns it, accepts it with its on-call (${model.on_call.join(', ') || 'nobody'}) and readers (${model.consumers.join(', ') || 'none'}). Read the handoff first: <code>npx nightshift handoff ${model.name}</code>`,
    fields: hidden('version', version),
    command: `npx nightshift accept ${model.name} --by YOU`,
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
    command: `npx nightshift drill ${model.name} rollback --version ${version}`,
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
    command: `npx nightshift backfill ${model.name} --from DATE --to DATE`,
  }
}

export function hidden(name: string, value: string | number | null) {
  return value === null ? '' : html`<input type="hidden" name="${name}" value="${value}">`
}

/** Without sign-in nobody knows who presses a button. */
export function byField() {
  return html`<label>Your name<input type="text" name="by" maxlength="200" autocomplete="off"></label>`
}

function text(name: string, label: string, { required }: { required: boolean }) {
  return html`<label>${label}<input type="text" name="${name}"${required ? html` required` : ''} maxlength="1000" autocomplete="off"></label>`
}

function select(name: string, label: string, options: [string, string][], chosen?: string) {
  return html`<label>${label}<select name="${name}">${options.map(([value, words]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${words}</option>`)}</select></label>`
}
