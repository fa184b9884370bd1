import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { listIncidents } from '../alerts/list-incidents.ts'
import type { Database } from '../database/database.ts'
import { attemptsOf, findRun } from '../jobs/runs.ts'
import { listSlots, slotTitle } from '../jobs/slots.ts'
import type { FailureRecord } from '../pipeline/failure.ts'
import { localTime } from '../project/local-time.ts'
import type { Project } from '../project/project.ts'
import { layout } from './layout.ts'

const NIGHTS = 200

/** The pages that mails link to: what is expected and stands, one run, the incidents. */
export function mountPages(app: Hono, database: Database, project: () => Project): void {
  const at = (time: string | null) => localTime(time, project().timezone)

  app.get('/', async (context) => {
    const slots = await listSlots(database.pool, { limit: NIGHTS })
    const rows = slots.map(
      (slot) => html`<tr><td>${slot.partition}</td><td>${slot.kind}</td><td>${slot.name}</td>
<td class="${slot.state}">${slot.state}${slot.late ? ', late' : ''}</td>
<td>${slot.run === null ? '' : html`<a href="/runs/${slot.run}">${slot.run}</a>`}</td>
<td>${at(slot.due)}</td><td>${slot.waits_for ?? slot.reason ?? ''}</td></tr>`,
    )
    const head = html`<tr><th>as of</th><th>kind</th><th>name</th><th>state</th><th>run</th><th>due</th><th></th></tr>`
    return context.html(
      layout(
        `${project().name}: nights`,
        slots.length === 0
          ? html`<p>No slots yet: a scheduler expects them, <code>nightshift run</code> makes one.</p>`
          : html`<div class="scroll"><table>${head}${rows}</table></div>`,
      ),
    )
  })

  app.get('/runs/:id', async (context) => {
    const run = await findRun(database.pool, context.req.param('id'))
    if (run === undefined)
      return context.html(layout('No such run', html`<p>It is not in the ledger.</p>`), 404)
    const attempts = await attemptsOf(database.pool, run.id)
    const failed = run.checks.filter((check) => !check.passed)
    return context.html(
      layout(
        `${slotTitle(run)}, run ${run.id}`,
        html`<p class="${run.state}">${run.state}${run.reason === null ? '' : `: ${run.reason}`}</p>
${failure(run.failure)}
<table>
${fact('version', run.version)}${fact('rows', run.rows)}${fact('asked for', `${at(run.created_at)} by ${run.requested_by ?? run.trigger}`)}
${fact('started', at(run.started_at))}${fact('ended', at(run.ended_at))}${fact('next try', at(run.next_attempt_at))}${fact('file', run.path)}
</table>
${failed.map((check) => html`<p class="failed">${check.message}</p>`)}
${run.warnings.map((warning) => html`<p>Warning: ${warning}</p>`)}
<h2>Attempts</h2>
${attempts.map(
  (attempt) => html`<h3>${attempt.number}: ${attempt.outcome ?? 'running'}, ${at(attempt.started_at)}</h3>
${failure(attempt.failure)}<table>${attempt.steps.map(({ step, ms }) => fact(step, `${ms} ms`))}</table>`,
)}
<h2>Inputs</h2>
<div class="scroll"><table>${run.inputs.map(
          (input) =>
            html`<tr><td>${input.source}</td><td>${input.path}</td><td>${input.rows} rows</td><td>${at(input.newest)}</td></tr>`,
        )}</table></div>
<p>In the terminal: <code>npx nightshift show ${run.id}</code></p>`,
      ),
    )
  })

  app.get('/incidents', async (context) => {
    const incidents = await listIncidents(database.pool, new Date(), { closedToo: true, limit: NIGHTS })
    const rows = incidents.map(
      (
        incident,
      ) => html`<tr id="${incident.id}"><td>${incident.id}</td><td>${incident.subject}</td><td>${incident.kind}</td>
<td class="${incident.closedAt === undefined ? 'failed' : 'published'}">${incident.closedAt === undefined ? 'open' : 'closed'}</td>
<td>${incident.bad.join(', ')}</td><td>${at(incident.openedAt.toISOString())}</td><td>${incident.facts.failure.message}</td></tr>`,
    )
    const head = html`<tr><th>incident</th><th>about</th><th>kind</th><th></th><th>nights</th><th>opened</th><th></th></tr>`
    return context.html(
      layout(
        'Incidents',
        rows.length === 0
          ? html`<p>None yet.</p>`
          : html`<div class="scroll"><table>${head}${rows}</table></div>`,
      ),
    )
  })
  app.get('/models/:model/runbook', (context) => {
    const model = project().models[context.req.param('model')]
    const path = model && join(model.folder, 'RUNBOOK.md')
    if (path === undefined || !existsSync(path)) {
      return context.html(
        layout('No such runbook', html`<p><code>nightshift runbook MODEL</code> writes one.</p>`),
        404,
      )
    }
    // A link in a mail ends in #<class of failure>, which is the heading of its section.
    const sections = readFileSync(path, 'utf8').split(/^(?=## )/m)
    const body = sections.map((text) => {
      const anchor = /^## ([\w-]+)/.exec(text)?.[1]
      return html`<section${anchor === undefined ? '' : html` id="${anchor}"`}><pre>${text.trim()}</pre></section>`
    })
    return context.html(layout(`Runbook of ${model?.name}`, html`${body}`))
  })

  app.get('/incidents/:id', (context) =>
    context.redirect(`/incidents#${encodeURIComponent(context.req.param('id'))}`),
  )
}

function failure(record: FailureRecord | null) {
  return record === null ? '' : html`<p class="failed">${record.class}: ${record.message}</p>`
}

function fact(name: string, value: string | number | null) {
  return value === null || value === '' ? '' : html`<tr><th>${name}</th><td>${value}</td></tr>`
}
