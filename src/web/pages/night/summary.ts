import { html } from 'hono/html'
import { localTimes } from '../../../format/clock-time.ts'
import { age, duration } from '../../../format/elapsed.ts'
import { count, figure } from '../../../format/numbers.ts'
import { bytes } from '../../../format/sizes.ts'
import { faceOf, faceOfState } from '../../../ledger/nights/faces.ts'
import { released } from '../../../ledger/nights/released.ts'
import type { Run } from '../../../ledger/nights/run-records.ts'
import type { Project } from '../../../project/project.ts'
import { nightHref, runbookHref, runHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import type { Night } from './load.ts'
import { verdict } from './verdict.ts'

/** The verdict, the result of the night, the reason, and what is published. */
export function summary(night: Night, project: Project, now: Date) {
  const { slot, run } = night
  const isCurrent = run === undefined || run.id === slot.run
  const at = (iso: string | null) => moment(iso, project.timezone)
  const face = isCurrent ? faceOf(slot, now) : faceOfState(run.state)
  const reason = released(run) ?? run?.reason ?? slot.reason
  return html`<section class="card first" aria-labelledby="what"><h2 id="what" class="sr">Result</h2>
${verdict(night, project.timezone)}
<p>${stateMark(face, undefined, 'big')}${reason === null || reason === undefined ? '' : html` <span>${reason}</span>`}</p>
${slot.waits_for === null || run?.state === 'published' ? '' : waiting(night, project)}
${run === undefined ? '' : failure(run, project)}
${run !== undefined && !isCurrent ? html`<p class="text-late">Another run has replaced this one: <a href="${runHref(slot.run ?? '')}">${slot.run}</a>.</p>` : ''}
${readers(night)}
<dl class="facts">
${fact('Deadline', slot.deadline === null ? '' : html`by ${at(slot.deadline)}`)}
${fact('Due', at(slot.due))}
${run === undefined ? '' : runFacts(run, at)}
${run?.path == null ? '' : fact('File', html`<code>${run.path}</code>${run.bytes === null ? '' : ` (${bytes(run.bytes)})`}`)}
</dl>
${run === undefined ? '' : run.warnings.map((warning) => html`<p class="text-late">Warning: ${warning}</p>`)}
</section>`
}

/** What is waited for; the failure of the run that waits says it already. */
function waiting({ slot, run }: Night, { timezone }: Project) {
  const isSaid = run?.failure?.message === slot.waits_for
  const what = isSaid ? 'Waiting for data' : `Waiting for: ${localTimes(slot.waits_for ?? '', timezone)}`
  const until = slot.wait_until === null ? '' : html`, until ${moment(slot.wait_until, timezone)}`
  return html`<p>${what}${until}</p>`
}

function runFacts(run: Run, at: (iso: string | null) => ReturnType<typeof moment>) {
  const took =
    run.started_at === null || run.ended_at === null
      ? undefined
      : duration(Date.parse(run.ended_at) - Date.parse(run.started_at))
  return html`${fact('Requested', html`${at(run.created_at)} by ${run.requested_by ?? run.trigger}`)}
${fact('Started', at(run.started_at))}
${fact('Ended', run.ended_at === null ? '' : html`${at(run.ended_at)}${took === undefined ? '' : `, after ${took}`}`)}
${fact('Next try', at(run.next_attempt_at))}
${fact('Version', run.version === null ? '' : String(run.version))}
${fact('Rows', run.rows === null ? '' : count(run.rows))}
${fact('Progress', run.state !== 'running' || run.progress === null ? '' : run.progress.text)}
${summaryFacts(run)}`
}

function summaryFacts({ summary: found }: Run) {
  if (found === null) return ''
  const shown = Object.entries(found).flatMap(([name, value]) =>
    value === undefined || value === null
      ? []
      : [name === 'positive' ? `${count(value)} rows at or over the threshold` : `${name} ${figure(value)}`],
  )
  return fact('Scores', shown.join(', '))
}

function failure(run: Run, project: Project) {
  const record = run.failure
  if (record === null) return ''
  const model =
    run.kind === 'scores'
      ? run.name
      : Object.values(project.models).find(({ view }) => view === run.name)?.name
  return html`<p class="error"><strong>${record.class}</strong>: ${localTimes(record.message, project.timezone)}</p>
${model === undefined ? '' : html`<p><a href="${runbookHref(model, record.anchor)}">Runbook: ${record.class}</a></p>`}`
}

/** What is published of this night, if it is not this run. */
function readers({ slot, run }: Night) {
  if (slot.published_run === null) {
    return slot.state === 'published'
      ? ''
      : html`<p>Nothing is published for this night; readers still have the last good one.</p>`
  }
  if (slot.published_run === run?.id) return ''
  return html`<p>Run <a href="${runHref(slot.published_run)}">${slot.published_run}</a> of this night is published.</p>`
}

/** The features from which a model's night is scored. */
export function featuresLine({ features }: Night, project: Project, now: Date) {
  if (features?.slot === undefined) return ''
  const { slot, run } = features
  const by = released(run)
  return html`<section class="card" aria-labelledby="features"><h2 id="features">Features</h2>
<p>${stateMark(faceOf(slot, now))} <a href="${nightHref(slot, project.models)}">${slot.name} ${slot.partition}</a>${run === undefined ? '' : html`, run <a href="${runHref(run.id)}">${run.id}</a>`}</p>
${by === undefined ? '' : html`<p>They were ${by}</p>`}
${slot.state === 'published' ? '' : html`<p class="error">${run?.failure?.message ?? slot.reason ?? slot.waits_for ?? ''}</p>`}</section>`
}

/** All runs of the night. */
export function otherRuns({ runs, run }: Night, { timezone }: Project, now: Date) {
  if (runs.length < 2) return ''
  return html`<section class="card" aria-labelledby="runs"><h2 id="runs">Runs of this night</h2><ul class="list">${runs.map(
    (
      each,
    ) => html`<li>${stateMark(faceOfState(each.state))} <a href="${runHref(each.id)}"${each.id === run?.id ? html` aria-current="page"` : ''}>${each.id}</a>
<div class="small quiet">${each.trigger}${each.requested_by === null ? '' : ` by ${each.requested_by}`}, ${moment(each.created_at, timezone)}, ${age(now.getTime() - Date.parse(each.created_at))} ago</div></li>`,
  )}</ul></section>`
}

export function fact(name: string, value: ReturnType<typeof html> | string) {
  return value === '' ? '' : html`<dt>${name}</dt><dd>${value}</dd>`
}
