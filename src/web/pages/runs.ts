import type { Hono } from 'hono'
import { html } from 'hono/html'
import { FAILURE_CLASSES } from '../../failures/classes.ts'
import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { faceOfState } from '../../ledger/nights/faces.ts'
import { type FailureGroup, groupFailures } from '../../ledger/nights/failure-groups.ts'
import { RUN_STATES } from '../../ledger/nights/run-records.ts'
import { type FoundRun, searchRuns } from '../../ledger/nights/search-runs.ts'
import type { Project } from '../../project/project.ts'
import { nightHref, runHref, withQuery } from '../addresses.ts'
import { unreadable } from '../filters.ts'
import { moment } from '../moment.ts'
import { page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { pager } from '../pager.ts'
import { stateMark } from '../state-mark.ts'
import { KINDS, readSearch, type Search } from './runs/search.ts'

/** `/runs?text=&state=&kind=&class=&from=&to=&group=1&page=`: all runs with a search, or failures grouped by similar message. */
export function mountRuns(app: Hono, { database, project: files }: PageContext): void {
  app.get('/runs', async (context) => {
    const project = files()
    const search = readSearch(context.req.query(), project)
    const { grouped, problems } = search
    const title = grouped ? 'Failure groups' : 'Runs'
    if (problems.length > 0) {
      const all = { href: '/runs', text: 'All runs' }
      return page(context, title, html`${form(search)}${unreadable(problems, all)}`, {
        section: 'Runs',
        status: 400,
      })
    }
    const found = grouped
      ? groups(await groupFailures(database.pool, search.filter), project)
      : results(await searchRuns(database.pool, search.filter), search, project)
    return page(
      context,
      title,
      html`${form(search)}
${search.shape === '' ? '' : html`<p class="notice">Failures similar to: <code>${search.shape}</code> <a href="${withQuery('/runs', { group: 1 })}">all groups</a></p>`}
<section class="card" aria-label="Results">${found}</section>`,
      {
        section: 'Runs',
        aside: html`<div class="small"><a href="${grouped ? '/runs' : '/runs?group=1'}">${grouped ? 'List runs' : 'Group failures'}</a></div>`,
        foot: html`Times are in ${project.timezone}. In the terminal: <code>npx nightshift runs${grouped ? ' --group' : ''}</code>`,
      },
    )
  })
}

function form(search: Search) {
  const choose = (label: string, name: string, legal: readonly string[], chosen: string) =>
    html`<label>${label}<select name="${name}"><option value="">any</option>${legal.map((each) => html`<option${each === chosen ? html` selected` : ''}>${each}</option>`)}</select></label>`
  return html`<form class="card filter" method="get" action="/runs" role="search">
<label class="wide">Text<input type="search" name="text" value="${search.text}" placeholder="name, run, night or error"></label>
${choose('State', 'state', RUN_STATES, search.state)}
${choose('Kind', 'kind', KINDS, search.kind)}
${choose('Failure', 'class', FAILURE_CLASSES, search.class)}
<label>From night<input type="date" name="from" value="${search.from}"></label>
<label>To night<input type="date" name="to" value="${search.to}"></label>
${search.grouped ? html`<input type="hidden" name="group" value="1">` : ''}
${search.name === '' ? '' : html`<input type="hidden" name="name" value="${search.name}">`}
<button>Search</button></form>`
}

function results(
  { runs, more }: { runs: FoundRun[]; more: boolean },
  search: Search,
  { timezone, models }: Project,
) {
  if (runs.length === 0) {
    return html`<p>No run matches. <a href="/runs">All runs</a></p>`
  }
  return html`<table class="stack"><caption class="sr">Runs, newest first</caption><thead><tr><th scope="col">Night</th><th scope="col">State</th><th scope="col">Run</th><th scope="col">Requested</th><th scope="col" class="number">Took</th><th scope="col" class="number">Rows</th><th scope="col">Failure</th></tr></thead>
<tbody>${runs.map(
    (
      run,
    ) => html`<tr><th scope="row"><a href="${nightHref(run, models)}">${run.name} <span class="nowrap">${run.partition}</span></a>${run.kind === 'features' ? html` <span class="quiet small">view</span>` : ''}</th>
<td>${stateMark(faceOfState(run.state), run.state)}</td>
<td><a class="mono" href="${runHref(run.id)}">${run.id}</a></td>
<td data-label="Requested">${moment(run.created_at, timezone)} <span class="quiet small">${run.trigger}</span></td>
<td class="number" data-label="Took">${took(run)}</td>
<td class="number" data-label="Rows">${run.rows === null ? '' : count(run.rows)}</td>
<td>${run.failure === null ? '' : html`<strong>${run.failure.class}</strong>: ${shortened(run.failure.message)}`}</td></tr>`,
  )}</tbody></table>${pages(search, more)}`
}

function took({ started_at, ended_at }: FoundRun): string {
  return started_at === null || ended_at === null
    ? ''
    : duration(Date.parse(ended_at) - Date.parse(started_at))
}

/** A shortened message; the run's own page shows all of it. */
function shortened(message: string): string {
  return message.length <= 240 ? message : `${message.slice(0, 240)}…`
}

function pages(search: Search, more: boolean) {
  const { text, name, state, kind, class: failureClass, shape, from, to } = search
  const filter = { text, name, state, kind, class: failureClass, shape, from, to }
  return pager(search.page, more, (page) => withQuery('/runs', { ...filter, page }), ['Newer', 'Older'])
}

/** Failed and held runs, grouped by similar message. */
function groups(all: FailureGroup[], { timezone }: Project) {
  if (all.length === 0) return html`<p>${stateMark('published', 'No run has failed or is held.')}</p>`
  return html`<table class="stack"><caption class="sr">Failure groups, the most frequent first</caption><thead><tr><th scope="col" class="number">Runs</th><th scope="col">Class</th><th scope="col">Example</th><th scope="col">Of</th><th scope="col">Nights</th><th scope="col">Last</th></tr></thead>
<tbody>${all.map(
    (group) => html`<tr><td class="number" data-label="Runs">${group.runs}</td>
<th scope="row"><a href="${withQuery('/runs', { class: group.class, shape: group.shape })}">${group.class}</a></th>
<td><a class="mono" href="${runHref(group.newest.run)}">${group.newest.run}</a>: ${shortened(group.newest.message)}</td>
<td data-label="Of">${group.names.length <= 3 ? group.names.join(', ') : `${group.names.length} models and views`}</td>
<td data-label="Nights"><span class="nowrap">${group.from}</span>${group.from === group.to ? '' : html` to <span class="nowrap">${group.to}</span>`}</td>
<td data-label="Last">${moment(group.last_at, timezone)}</td></tr>`,
  )}</tbody></table>`
}
