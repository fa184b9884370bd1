import { join, relative } from 'node:path'
import { html } from 'hono/html'
import { percent } from '../format/shares.ts'
import { shadowStandings } from '../monitoring/shadow/shadow-standing.ts'
import { readProjectFile } from '../project/files/project-file.ts'
import type { Model, Project, Schedule } from '../project/project.ts'
import { type Acceptance, chargeOf, latestAcceptance } from '../readiness/acceptances.ts'
import { drillsOf } from '../readiness/drills/drill-record.ts'
import type { Gate, Judged } from '../readiness/gate.ts'
import { summaryOf } from '../readiness/gate-on-record.ts'
import { type EvaluationRecord, latestEvaluation } from '../registry/evaluations.ts'
import { findVersion, type Version } from '../registry/version-records.ts'
import { markdown } from './markdown.ts'
import { moment } from './moment.ts'
import type { PageContext } from './page-context.ts'
import { shadowSection } from './pages/model/shadow.ts'
import { drillsSection } from './pages/readiness/drills.ts'
import { FACES } from './pages/readiness/items.ts'
import { championOf, evaluationFigures } from './pages/registry/evaluation-body.ts'
import { readEvaluation } from './pages/registry/evaluation-record.ts'
import { standalone } from './standalone.ts'
import { stateMark } from './state-mark.ts'
import { column, labelled, table } from './table.ts'
import { typed } from './terminal.ts'

/**
 * What somebody has to know who takes a model over, on one page that prints: what it does and for whom, when, who is called,
 * its limits, its evidence, its runbook, and what is waived. `accept` signs it.
 */
export async function handoffPage(
  { database: { pool }, project: files }: Pick<PageContext, 'database' | 'project'>,
  model: Model,
  gate: Gate,
  now: Date,
): Promise<string> {
  const project = files()
  const { timezone } = project
  const version = gate.version === null ? undefined : await findVersion(pool, model.name, gate.version)
  const [accepted, standings, drills, evaluated] = await Promise.all([
    latestAcceptance(pool, model.name),
    shadowStandings(pool, model),
    drillsOf(pool, model.name),
    version === undefined ? undefined : latestEvaluation(pool, model.name, version.version),
  ])
  const body = html`${purpose(model, version, gate)}
${when(Object.values(project.schedules).filter(({ score }) => score.includes(model.name)))}
${limits(model)}
${readiness(gate, timezone)}
${drillsSection(drills, timezone)}
<section class="card" aria-labelledby="evaluation"><h2 id="evaluation">Evaluation</h2>${
    evaluated === undefined
      ? html`<p class="quiet">Never evaluated on held-out data.</p>`
      : evaluationSection(evaluated, timezone)
  }</section>
${shadowSection({ standings, timezone })}
${runbookSection(project, model)}
${signature(model, accepted, project)}`
  return standalone({
    title: `Handoff of ${model.name}`,
    lead: model.description,
    body,
    foot: html`Written ${moment(now, timezone)}. Times are in ${timezone}. To update: <code>${typed(project, `handoff ${model.name}`)}</code>`,
    project,
  })
}

function evaluationSection(record: EvaluationRecord, timezone: string) {
  const own = readEvaluation(record)
  return html`<h3>Version ${own.version}</h3>${evaluationFigures(own, championOf(own), timezone)}`
}

function purpose(model: Model, version: Version | undefined, { champion }: Gate) {
  const live =
    version === undefined
      ? 'no version yet'
      : `version ${version.version}${version.version === champion ? ', the champion' : champion === null ? ', not promoted' : `, not promoted; version ${champion} is the champion`}`
  return html`<section class="card" aria-labelledby="purpose"><h2 id="purpose">What it is for</h2>
<dl class="facts">
<dt>Scores</dt><dd>${model.description}</dd>
<dt>Read by</dt><dd>${model.consumers.join(', ') || 'nobody is named'}</dd>
<dt>Version</dt><dd>${live}</dd>
<dt>Features</dt><dd>view <code>${version?.view ?? model.view}</code></dd>
<dt>Owner</dt><dd>${model.owner}</dd>
<dt>On call</dt><dd>${model.on_call.join(', ') || 'nobody is named'}</dd>
</dl></section>`
}

function when(schedules: Schedule[]) {
  const rows = table('Schedules', schedules, [
    column('Schedule', ({ name, paused }) => `${name}${paused ? ', paused' : ''}`),
    labelled('Cron', ({ cron, timezone }) => html`<code>${cron}</code> ${timezone}`),
    labelled('Deadline', ({ deadline }) => deadline ?? 'none'),
    labelled('Attempts', ({ retry }) => `${retry.attempts}, ${retry.backoff.text} apart`),
    labelled('Waits for data', ({ retry }) => retry.wait_for_data.text),
    labelled('Longest attempt', ({ timeout }) => timeout.text),
  ])
  return html`<section class="card" aria-labelledby="when"><h2 id="when">When</h2>${
    schedules.length === 0 ? html`<p class="error">No schedule scores it.</p>` : rows
  }</section>`
}

function limits({ score, drift, labels, inputs, unknown, rollback }: Model) {
  const watched = drift.columns === undefined ? 'all inputs' : drift.columns.join(', ')
  const policies = Object.entries(unknown)
  return html`<section class="card" aria-labelledby="limits"><h2 id="limits">Limits</h2>
<dl class="facts">
<dt>Score</dt><dd><code>${score.column}</code>${score.min === undefined ? '' : ` from ${score.min}`}${score.max === undefined ? '' : ` to ${score.max}`}${score.threshold === undefined ? '; no decision is derived' : `; decision at ${score.threshold}`}</dd>
<dt>Inputs</dt><dd>${inputs === undefined ? 'every column of the view' : inputs.join(', ')}</dd>
<dt>Labels</dt><dd>${labels === undefined ? 'none: outcomes are never known' : `known after ${labels.horizon.text}`}</dd>
<dt>Drift</dt><dd>${watched}${drift.score ? ' and the score' : ''}, an effect of ${drift.min_effect} on ${drift.persist} nights</dd>
<dt>Unknown values</dt><dd>${policies.length === 0 ? 'are counted each night, with a warning' : policies.map(([name, policy]) => `${name}: ${policy.unknown} above ${percent(policy.max_rate)}`).join(', ')}</dd>
<dt>Rollback</dt><dd>the former champion scores on for ${rollback.keep_warm_nights} nights</dd>
</dl></section>`
}

function readiness(gate: Gate, timezone: string) {
  const waived = gate.items.filter(({ status }) => status === 'waived')
  return html`<section class="card" aria-labelledby="readiness"><h2 id="readiness">Readiness</h2>
<p>${stateMark(gate.ready ? 'published' : 'failed', gate.ready ? 'ready' : 'not ready')} ${summaryOf(gate)}, asked ${moment(gate.at, timezone)}</p>
${table('Items of the gate', gate.items, [
  column('Item', ({ title }: Judged) => title),
  labelled('Status', ({ status }) => stateMark(FACES[status], status)),
  labelled('Evidence', ({ evidence, fix }) =>
    fix === null ? evidence : html`${evidence}<div class="small quiet"><code>${fix}</code></div>`,
  ),
])}
<h3>Waived</h3>${
    waived.length === 0
      ? html`<p class="quiet">Nothing.</p>`
      : html`<ul class="list">${waived.map(({ title, waiver }) => html`<li>${title} until ${waiver?.until} by ${waiver?.by}: ${waiver?.reason}</li>`)}</ul>`
  }</section>`
}

function runbookSection({ root }: Project, { folder }: Model) {
  const text = readProjectFile(root, relative(root, join(folder, 'RUNBOOK.md')))
  return html`<section class="card prose" aria-labelledby="runbook"><h2 id="runbook">Runbook</h2>${
    typeof text === 'string'
      ? markdown(text.replace(/^(#{1,5}) /gm, '#$1 '))
      : html`<p class="error">There is none.</p>`
  }</section>`
}

function signature(model: Model, accepted: Acceptance | undefined, project: Project) {
  const { timezone } = project
  const { name, owner } = model
  const lapsed = accepted === undefined || accepted.charge === chargeOf(model) ? '' : ' It has lapsed.'
  return html`<section class="card" aria-labelledby="signed"><h2 id="signed">Taken over</h2>
<p>${
    accepted === undefined
      ? 'Nobody has taken it over yet.'
      : html`By ${accepted.by} on ${moment(accepted.at, timezone)}${accepted.version === null ? '' : `, at version ${accepted.version}`} (user ${accepted.os_user} on ${accepted.host}); the owner was ${accepted.owner}.${lapsed}`
  }</p>
<p class="small quiet">Somebody other than ${owner} signs with <code>${typed(project, `accept ${name} --by WHO`)}</code></p></section>`
}
