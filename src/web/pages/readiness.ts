import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { planBackfillOf } from '../../actions/nights/request-backfill.ts'
import { duration } from '../../format/elapsed.ts'
import { planText, stretchesOf } from '../../jobs/backfills/plan-stretches.ts'
import type { Model } from '../../project/project.ts'
import { summaryOf } from '../../readiness/gate-on-record.ts'
import { listVersions } from '../../registry/version-records.ts'
import { modelHref, readinessHref, registryHref, runbookHref, withQuery } from '../addresses.ts'
import { asOperator } from '../buttons/act.ts'
import { type Rights, rightsOf } from '../buttons/rights.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { stateMark } from '../state-mark.ts'
import { column, labelled, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
import { actions, askAgain } from './readiness/actions.ts'
import { BACKFILL_MODES, backfillIn } from './readiness/backfill-form.ts'
import { drillsSection } from './readiness/drills.ts'
import { itemsTable } from './readiness/items.ts'
import { loadReadiness, type ReadinessView } from './readiness/load.ts'
import { byField, hidden } from './readiness/offered.ts'
import { people } from './readiness/people.ts'
import { underWay } from './readiness/under-way.ts'

/**
 * `/models/MODEL/readiness`: what the gate last said of a version (`?version=N`, by default the one that `check` would ask
 * about), its history, and what can be done. `/models/MODEL/backfill?from=&to=&mode=`: the plan of a backfill.
 */
export function mountReadiness(app: Hono, pageContext: PageContext): void {
  app.get('/models/:model/readiness', async (context) => {
    const model = modelAt(pageContext, context)
    if (model === undefined) return noModel(context, pageContext)
    const given = context.req.query('version') ?? ''
    const versions = await listVersions(pageContext.database.pool, model.name)
    const asked = versions.find(({ version }) => String(version) === given)
    if (given !== '' && asked === undefined) {
      return missing(
        context,
        'No such version',
        html`<p>${model.name} has no version ${given}. <a href="${readinessHref(model.name)}">Readiness of ${model.name}</a></p>`,
      )
    }
    const viewer = context.get('viewer')
    const view = await loadReadiness(pageContext, model, versions, { asked: asked?.version, viewer })
    const rights = rightsOf(view.project, viewer)
    const { timezone } = view.project
    const body = html`${summary(view, rights)}
${itemsTable(view)}
${underWay(view, withQuery(readinessHref(model.name), { version: view.version ?? undefined }))}
${actions(view, rights)}
<div class="pair wide">${drillsSection(view.drills, timezone, view)}<div>${people(view)}</div></div>`
    return page(context, `Readiness of ${model.name}`, body, {
      ...frameOf(model),
      aside: html`<div class="small"><a href="${modelHref(model.name)}">Nights</a> · <a href="${registryHref(model.name)}">Registry</a> · <a href="${runbookHref(model.name, '')}">Runbook</a></div>`,
      foot: html`Times are in ${timezone}. This page is as of ${moment(view.now, timezone)}.`,
    })
  })

  app.get('/models/:model/backfill', (context) =>
    asOperator(context, async () => {
      const model = modelAt(pageContext, context)
      return model === undefined ? noModel(context, pageContext) : backfillPlan(context, pageContext, model)
    }),
  )
}

function summary(view: ReadinessView, rights: Rights | undefined) {
  const { answer, version, versions, champion, model } = view
  const { timezone } = view.project
  const role =
    version === null
      ? 'no version yet'
      : `version ${version}, ${version === champion ? 'the champion' : 'not live'}`
  const said =
    answer === undefined
      ? html`<p>${stateMark('expected', 'not asked yet', 'big')}</p>`
      : html`<p>${stateMark(answer.gate.ready ? 'published' : 'failed', answer.gate.ready ? 'ready' : 'not ready', 'big')} <strong>${summaryOf(answer.gate)}</strong> <span class="quiet small">asked ${moment(answer.gate.at, timezone)}, ${answer.asked}${answer.by === null ? '' : ` by ${answer.by}`}</span></p>`
  const others = versions.filter((each) => each.version !== version).slice(0, 5)
  return html`<section class="card first" aria-labelledby="summary"><h2 id="summary">${model.name}, ${role}</h2>
${said}${askAgain(view, rights)}${
  others.length === 0
    ? ''
    : html`<p class="small">Other versions: ${others.map(
        (each) =>
          html`<a href="${withQuery(readinessHref(model.name), { version: each.version })}">${each.version}${each.version === champion ? ', the champion' : ''}</a> `,
      )}</p>`
}</section>`
}

/** The plan is shown before anything starts, as on a terminal. */
async function backfillPlan(context: Context, { database, project: files }: PageContext, model: Model) {
  const wish = backfillIn(context.req.query())
  const { from, to, mode } = wish
  const project = files()
  const { plan } = await planBackfillOf({ project, database }, model, wish)
  const runs = plan.slots.filter(({ action }) => action === 'run').length
  const estimate = plan.estimate_seconds === null ? '' : `, about ${duration(plan.estimate_seconds * 1000)}`
  const rights = rightsOf(project, context.get('viewer'))
  const terminal = terminalFor(context.get('viewer'), project)
  const form =
    runs === 0 || rights?.act !== true
      ? ''
      : html`<div class="action"><form method="post" action="${modelHref(model.name)}/backfill">${hidden('csrf', rights.viewer.csrf)}${hidden('from', from)}${hidden('to', to)}${hidden('mode', mode)}${rights.viewer.local === true ? byField() : ''}<button>Start the backfill</button></form></div>`
  const body = html`<section class="card" aria-labelledby="plan"><h2 id="plan">${from} to ${to}, ${BACKFILL_MODES[mode]}</h2>
<p>${planText(plan)}${estimate}</p>
${table('Plan of the backfill', stretchesOf(plan.slots), [
  column('As of', ({ nights }) => nights),
  labelled('Action', ({ action }) => action),
  labelled('Version', ({ version }) => version),
  column('Why', ({ reason }) => reason),
])}
${form}<p class="small quiet">${terminal('In the terminal: ', `backfill ${model.name} --from ${from} --to ${to}${mode === 'missing' ? '' : ` --${mode}`}`)}</p></section>`
  return page(context, `Backfill of ${model.name}`, body, {
    ...frameOf(model),
    crumbs: [...frameOf(model).crumbs, [readinessHref(model.name), 'Readiness']],
  })
}

function frameOf({ name }: Model): { section: 'Overview'; crumbs: [string, string][] } {
  return {
    section: 'Overview',
    crumbs: [
      ['/', 'Overview'],
      [modelHref(name), name],
    ],
  }
}

function modelAt({ project }: PageContext, context: Context): Model | undefined {
  return project().models[context.req.param('model') ?? '']
}

function noModel(context: Context, { project }: PageContext) {
  return missing(
    context,
    'No such model',
    html`<p>This project has ${Object.keys(project().models).join(', ') || 'no model'}, but none named ${context.req.param('model')}. See <a href="/">all models</a>.</p>`,
  )
}
