import { html } from 'hono/html'
import { summaryOf } from '../../../readiness/gate-on-record.ts'
import { readinessHref, withQuery } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import type { ReadinessView } from './load.ts'
import { hidden, type Offered, select, text } from './offered.ts'

/** Promotes the version that the page is about; with `choose`, one of the others. */
export function promotion(
  view: ReadinessView,
  { choose }: { choose: boolean } = { choose: false },
): Offered | undefined {
  const { model, version, champion, versions } = view
  const others = versions.filter((each) => each.version !== champion).map((each) => each.version)
  const [newest] = others
  if (version === null || newest === undefined) return undefined
  const next = version === champion ? newest : version
  const offered = {
    title: 'Promote',
    may: 'promote',
    command: `promote ${model.name} --version ${next} --by YOU`,
  } as const
  if (version === champion && !choose) {
    const links = others.slice(0, 5).map((each) => html`${readinessLink(view, each)} `)
    return { ...offered, why: html`Version ${version} is the champion. Another one: ${links}` }
  }
  const which = choose
    ? select(
        'version',
        'Version',
        others.map((each) => [String(each), `version ${each}`]),
        String(next),
      )
    : hidden('version', version)
  return {
    ...offered,
    path: 'promotion',
    button: choose ? 'Promote' : `Promote version ${version}`,
    why: html`${saidOf(view, next)} Promoting asks the gate, which decides.`,
    fields: html`${which}${whyField(view)}<label class="tick"><input type="checkbox" name="override" value="yes"> Even if the gate is not ready. The reason is then mailed to owner and on-call, and stays on record.</label>`,
    isSigned: isSigned(view),
    option: '--override REASON',
  }
}

function saidOf(view: ReadinessView, version: number) {
  const { answer, project } = view
  if (version !== view.version) return html`What the gate says of it: ${readinessLink(view, version)}.`
  if (answer === undefined) return html`The gate was never asked about version ${version}.`
  const { gate } = answer
  return html`${readinessLink(view, version)}: ${summaryOf(gate)}, ${gate.ready ? 'ready' : `not ready (open: ${openOf(gate.items)})`}, asked ${moment(gate.at, project.timezone)}.`
}

function readinessLink({ model }: ReadinessView, version: number) {
  return html`<a href="${withQuery(readinessHref(model.name), { version })}">Version ${version}</a>`
}

function openOf(items: { id: string; status: string }[]): string {
  return items
    .filter(({ status }) => status === 'fail')
    .map(({ id }) => id)
    .join(', ')
}

/** Back to an earlier version; where there is none, out of service. */
export function rollback(view: ReadinessView): Offered | undefined {
  const { model, champion, before, versions } = view
  if (champion === undefined) return undefined
  const offered = { may: 'act', path: 'rollback', isSigned: isSigned(view) } as const
  if (before === undefined) {
    return {
      ...offered,
      title: 'Take out of service',
      button: `Withdraw version ${champion}`,
      second: true,
      why: html`No other version was champion before. Version ${champion} can be withdrawn: its newest night leaves its path, and the model has no champion.`,
      fields: html`${hidden('withdraw', 'yes')}${whyField(view)}`,
      command: `rollback ${model.name} --withdraw --by YOU`,
    }
  }
  const others = versions.filter(({ version }) => version !== champion || version === before)
  const now =
    before === champion
      ? `Version ${champion} is the champion again, and its newest night does not show its scores yet: this completes the rollback.`
      : `Version ${champion} is the champion; version ${before} was before.`
  return {
    ...offered,
    title: 'Roll back',
    button: 'Roll back',
    why: html`${now} The newest night shows the scores of that version at once, where they are there; earlier nights too, from a night on.`,
    fields: html`${select(
      'to',
      'To',
      others.map(({ version }) => [String(version), `version ${version}`]),
      String(before),
    )}<label>From night (optional)<input name="from" autocomplete="off" placeholder="2026-11-22"></label>${whyField(view)}`,
    command: `rollback ${model.name} --to ${before} --by YOU`,
  }
}

/** Where the project names people, a change of the live version is recorded with its author and its reason. */
function isSigned({ project }: ReadinessView): boolean {
  return Object.keys(project.people).length > 0
}

function whyField(view: ReadinessView) {
  return text('reason', 'Why', { required: isSigned(view) })
}
