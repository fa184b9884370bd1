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
import { column, labelled, named, number, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
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
        foot: html`Times are in ${project.timezone}.${terminalFor(context.get('viewer'), project)(' In the terminal: ', `runs${grouped ? ' --group' : ''}`)}`,
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
  const shown = table('Runs, newest first', runs, [
    named(
      'Night',
      (run) =>
        html`<a href="${nightHref(run, models)}">${run.name} <span class="nowrap">${run.partition}</span></a>${run.kind === 'features' ? html` <span class="quiet small">view</span>` : ''}`,
    ),
    column('State', ({ state }) => stateMark(faceOfState(state), state)),
    column('Run', ({ id }) => html`<a class="mono" href="${runHref(id)}">${id}</a>`),
    labelled(
      'Requested',
      (run) => html`${moment(run.created_at, timezone)} <span class="quiet small">${run.trigger}</span>`,
    ),
    number('Took', took),
    number('Rows', ({ rows }) => (rows === null ? '' : count(rows))),
    column('Failure', ({ failure }) =>
      failure === null ? '' : html`<strong>${failure.class}</strong>: ${shortened(failure.message)}`,
    ),
  ])
  return html`${shown}${pages(search, more)}`
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
  return table(
    'Failure groups, the most frequent first',
    all,
    [
      number('Runs', ({ runs }) => runs),
      column(
        'Class',
        (group) =>
          html`<a href="${withQuery('/runs', { class: group.class, shape: group.shape })}">${group.class}</a>`,
      ),
      column(
        'Example',
        ({ newest }) =>
          html`<a class="mono" href="${runHref(newest.run)}">${newest.run}</a>: ${shortened(newest.message)}`,
      ),
      labelled('Of', ({ names }) =>
        names.length <= 3 ? names.join(', ') : `${names.length} models and views`,
      ),
      labelled(
        'Nights',
        ({ from, to }) =>
          html`<span class="nowrap">${from}</span>${from === to ? '' : html` to <span class="nowrap">${to}</span>`}`,
      ),
      labelled('Last', (group) => moment(group.last_at, timezone)),
    ],
    { head: 1 },
  )
}
