import type { Hono } from 'hono'
import { html } from 'hono/html'
import { attemptsOf, findRun } from '../../jobs/runs.ts'
import { slotTitle } from '../../jobs/slots.ts'
import type { FailureRecord } from '../../pipeline/failure.ts'
import { localTime } from '../../project/local-time.ts'
import { layout } from '../layout.ts'
import type { Place } from '../place.ts'

/** `/runs/:id`: everything about one run. */
export function mountRun(app: Hono, { database, project }: Place): void {
  const at = (time: string | null) => localTime(time, project().timezone)

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
}

function failure(record: FailureRecord | null) {
  return record === null ? '' : html`<p class="failed">${record.class}: ${record.message}</p>`
}

function fact(name: string, value: string | number | null) {
  return value === null || value === '' ? '' : html`<tr><th>${name}</th><td>${value}</td></tr>`
}
