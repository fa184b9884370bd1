import { html } from 'hono/html'
import { type ListedIncident, listIncidents } from '../alerts/incidents/list-incidents.ts'
import { headline } from '../alerts/letters/phrases.ts'
import { kindOf } from '../failures/incident-kinds.ts'
import { releases } from '../ledger/nights/released.ts'
import { findRun } from '../ledger/nights/run-records.ts'
import { findSlot } from '../ledger/nights/slots.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model, Project } from '../project/project.ts'
import type { AsOf } from '../project/time/asof.ts'
import { moment } from './moment.ts'
import type { PageContext } from './page-context.ts'
import { seesFailedRows } from './pages/list/rows-shown.ts'
import { attempts } from './pages/night/attempts.ts'
import { checks } from './pages/night/checks.ts'
import { drift } from './pages/night/drift.ts'
import { inputs } from './pages/night/inputs.ts'
import { loadNight } from './pages/night/load.ts'
import { outcome } from './pages/night/outcome.ts'
import { parity } from './pages/night/parity.ts'
import { provenance } from './pages/night/provenance.ts'
import { featuresLine, otherRuns, summary } from './pages/night/summary.ts'
import { standalone } from './standalone.ts'
import { stateMark } from './state-mark.ts'
import { type Terminal, typed } from './terminal.ts'

/**
 * One night of a model as a self-contained HTML file: it includes style and pictures, loads nothing and runs no script.
 * Links lead to the pages (`alerts.base_url`); without a base URL they are plain text.
 * Throws a ConfigurationError if the night has no run.
 */
export async function nightReport(
  { database, project: files }: Pick<PageContext, 'database' | 'project'>,
  model: Model,
  asOf: AsOf,
  now: Date,
): Promise<string> {
  const { pool } = database
  const project = files()
  const slot = await findSlot(pool, 'scores', model.name, asOf.label)
  const run = slot?.run == null ? undefined : await findRun(pool, slot.run)
  if (slot === undefined || run === undefined) {
    const state = slot === undefined ? '' : `: it is ${slot.state}`
    throw new ConfigurationError(
      `report ${model.name}: expected a night that has run, got: ${asOf.label}, which has no run${state}; \`nightshift run ${model.name} --as-of ${asOf.label}\` creates one, \`nightshift status ${model.name}\` lists the existing ones`,
    )
  }
  const night = await loadNight({ database, project: files }, slot, run, now)
  const subjects = [model.name, night.features?.slot?.name ?? model.view]
  const incidents = await incidentsOf(pool, subjects, slot.partition, now)
  const view = night.features?.run
  const written: Terminal = (words, command) => html`${words}<code>${typed(project, command)}</code>`
  // The file is handed on to anybody.
  const withRows = seesFailedRows(project, null)
  const body = html`${summary(night, project, now)}
${incidentSection(incidents, project)}
${await drift(night, `/runs/${run.id}/drift.csv`)}
${outcome(night, project, now, written)}
${checks([...run.checks, ...(view?.checks ?? [])], { about: view === undefined ? '' : `of the scores and of view ${view.name}`, timezone: project.timezone, withRows, releases: releases([run, view]) })}
${parity(night.certificate, project, withRows)}
${attempts(night.attempts, project)}
${inputs(run.inputs.length > 0 ? run.inputs : (view?.inputs ?? []), project, 'As of the time they were read.')}
${featuresLine(night, project, now)}
${provenance(night, project, written)}
${otherRuns(night, project, now)}`
  const title = `${model.name}, ${slot.partition}`
  const update = typed(project, `report ${model.name} --as-of ${slot.partition}`)
  const foot = html`Written ${moment(now, project.timezone)} for run <code>${run.id}</code>. Times are in ${project.timezone}. To update: <code>${update}</code>`
  return standalone({ title, lead: model.description, body, foot, project })
}

/** Open and closed incidents of the model or its view that include this night, the newest first. */
async function incidentsOf(
  pool: PageContext['database']['pool'],
  subjects: string[],
  partition: string,
  now: Date,
): Promise<ListedIncident[]> {
  const all = await Promise.all(
    [...new Set(subjects)].map((subject) => listIncidents(pool, now, { subject, closedToo: true })),
  )
  return all.flat().filter(({ nights }) => nights.some((night) => night.partition === partition))
}

function incidentSection(incidents: ListedIncident[], { timezone }: Project) {
  const items = incidents.map((incident) => {
    const mark =
      incident.closedAt === undefined ? stateMark('failed', 'open') : stateMark('published', 'closed')
    const closed =
      incident.closedAt === undefined ? '' : html`, closed ${moment(incident.closedAt, timezone)}`
    return html`<li>${mark} <span class="tag">${kindOf(incident.kind).name}</span> ${headline(incident)}
<div class="small quiet"><a href="/incidents/${incident.id}">incident ${incident.id}</a>, opened ${moment(incident.openedAt, timezone)}${closed}</div></li>`
  })
  return html`<section class="card" aria-labelledby="incidents"><h2 id="incidents">Incidents</h2>${
    items.length === 0 ? html`<p class="quiet">None.</p>` : html`<ul class="list">${items}</ul>`
  }</section>`
}
