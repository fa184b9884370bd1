import type { Hono } from 'hono'
import { html } from 'hono/html'
import {
  findMail,
  type ListedMail,
  listMails,
  type Mail,
  type MailState,
} from '../../alerts/delivery/list-mails.ts'
import { ROW } from '../../alerts/letters/cause.ts'
import type { Face } from '../../ledger/nights/faces.ts'
import type { Project } from '../../project/project.ts'
import { withQuery } from '../addresses.ts'
import { choiceProblem, unreadable } from '../filters.ts'
import { mailView } from '../mail-view.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { pageNumber, pageProblem, pager } from '../pager.ts'
import { stateMark } from '../state-mark.ts'
import { column, labelled, table } from '../table.ts'
import { seesFailedRows } from './list/rows-shown.ts'
import { fact } from './night/summary.ts'

const A_PAGE = 50
const STATES: Record<MailState, Face> = { sent: 'published', waiting: 'waiting', 'given up': 'failed' }
/**
 * `/mails`: the mails; `/mails/ID`: one mail as its reader sees it; `/mails/ID/style.css`: the
 * styles of that mail.
 */
export function mountMails(app: Hono, { database, project: files }: PageContext): void {
  const find = async (id: string) => (/^\d{1,15}$/.test(id) ? findMail(database.pool, Number(id)) : undefined)

  app.get('/mails', async (context) => {
    const project = files()
    const { text = '', state = '', page: number } = context.req.query()
    const chosen = isState(state) ? state : undefined
    const form = html`<form class="card filter" method="get" action="/mails" role="search"><label class="wide">Text<input type="search" name="text" value="${text}" placeholder="subject or recipient"></label>
<label>State<select name="state"><option value="">any</option>${Object.keys(STATES).map((each) => html`<option${each === chosen ? html` selected` : ''}>${each}</option>`)}</select></label><button>Search</button></form>`
    const problems = [...choiceProblem('state', state, Object.keys(STATES)), ...pageProblem(number)]
    if (problems.length > 0) {
      const body = html`${form}${unreadable(problems, { href: '/mails', text: 'All mails' })}`
      return page(context, 'Mails', body, { section: 'Mails', status: 400 })
    }
    const current = pageNumber(number)
    const found = await listMails(database.pool, {
      limit: A_PAGE + 1,
      offset: (current - 1) * A_PAGE,
      ...(text === '' ? {} : { text }),
      ...(chosen === undefined ? {} : { state: chosen }),
    })
    const at = (to: number | undefined) => withQuery('/mails', { text, state: chosen, page: to })
    return page(
      context,
      'Mails',
      html`${form}
<section class="card" aria-label="Mails">${found.length === 0 ? html`<p>No mail matches.</p>` : mailsTable(found.slice(0, A_PAGE), project)}
${pager(current, found.length > A_PAGE, at, ['Newer', 'Older'])}</section>`,
      { section: 'Mails', foot: html`Times are in ${project.timezone}.` },
    )
  })

  app.get('/mails/:id/style.css', async (context) => {
    const mail = await find(context.req.param('id'))
    if (mail === undefined) return context.text('no such mail', 404)
    return context.body(mailView(mail).css, 200, { 'content-type': 'text/css; charset=utf-8' })
  })

  app.get('/mails/:id', async (context) => {
    const mail = await find(context.req.param('id'))
    if (mail === undefined) {
      return missing(
        context,
        'No such mail',
        html`<p>The outbox has no mail ${context.req.param('id')}. <a href="/mails">All mails</a></p>`,
      )
    }
    const withRows = seesFailedRows(files(), context.get('viewer'))
    return page(context, mail.subject, body(mail, files(), withRows), {
      section: 'Mails',
      crumbs: [['/mails', 'Mails']],
    })
  })
}

function mailsTable(mails: ListedMail[], { timezone }: Project) {
  return table('Mails, newest first', mails, [
    column('Subject', ({ id, subject }) => html`<a href="/mails/${id}">${subject}</a>`),
    column(
      'To',
      ({ recipient, kind }) =>
        html`${recipient}${kind === 'post' ? html`<div class="small quiet">webhook</div>` : ''}`,
    ),
    column(
      'State',
      ({ state, last_error }) =>
        html`${stateMark(STATES[state], state)}${last_error === null ? '' : html`<div class="small">${last_error}</div>`}`,
    ),
    labelled('Written', ({ created_at }) => moment(created_at, timezone)),
  ])
}

function body(mail: Mail, { timezone }: Project, withRows: boolean) {
  return html`<section class="card" aria-labelledby="facts"><h2 id="facts" class="sr">Delivery</h2><dl class="facts">
${fact(mail.kind === 'post' ? 'Posted to' : 'To', mail.recipient)}
${fact('State', html`${stateMark(STATES[mail.state], mail.state)}${mail.tries > 1 ? `, after ${mail.tries} tries` : ''}`)}
${fact('Written', moment(mail.created_at, timezone))}
${fact('Sent', mail.sent_at === null ? '' : html`${moment(mail.sent_at, timezone)} <span class="quiet">by ${mail.transport ?? 'a server'}</span>`)}
${fact('Last error', mail.last_error ?? '')}
${fact('About', html`${mail.incidents.map(({ id, subject, kind }) => html`<a href="/incidents/${id}">${subject}: ${kind}</a> `)}`)}
${fact(mail.kind === 'post' ? 'Id' : 'Message-ID', html`<code>${mail.kind === 'post' ? mail.message_id.replaceAll(/[<>]/g, '') : mail.message_id}</code>`)}
${fact('Attachments', mail.attachments.map(({ filename, type }) => `${filename} (${type})`).join(', '))}</dl></section>
${content(mail, withRows)}`
}

function content(mail: Mail, withRows: boolean) {
  if (!withRows && quotesRows(mail.text))
    return html`<p>It quotes single rows, which are for operators (pages.rows in nightshift.yaml).</p>`
  return mail.kind === 'post' ? postContent(mail) : mailContent(mail)
}

function mailContent(mail: Mail) {
  return html`<section class="card" aria-labelledby="looks"><h2 id="looks">Preview</h2>
<link rel="stylesheet" href="/mails/${mail.id}/style.css">${mailView(mail).html}</section>
<section class="card" aria-labelledby="text"><h2 id="text">As text</h2><pre>${mail.text}</pre></section>`
}

function postContent({ text }: Mail) {
  return html`<section class="card" aria-labelledby="text"><h2 id="text">Body</h2><pre>${JSON.stringify(JSON.parse(text), null, 2)}</pre></section>`
}

/** A row that failed an expectation, or one that training computes otherwise (src/monitoring/parity/parity-words.ts). */
export function quotesRows(text: string): boolean {
  return text.includes(ROW) || /: \S* published, \S* now\b/.test(text)
}

function isState(text: string): text is MailState {
  return Object.hasOwn(STATES, text)
}
