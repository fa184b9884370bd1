import type { Item, Letter, PageLink } from './letter.ts'
import { contentId } from './pictures.ts'

const COLOURS: Record<Letter['tone'], string> = { alert: '#d23f31', clear: '#1a8a4a', notice: '#4a6fd2' }
/** White text on it has a contrast of 4.6:1; the button stands out from a light (4.6:1) and a dark ground (4:1). */
const BUTTON = '#4a6fd2'
/** Grey with enough contrast on white and on black (4.6:1 and 4.5:1), for clients that ignore the style sheet. */
const QUIET = '#757575'
const TINT = 'rgba(127,127,127,.14)'
const MONO =
  'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:14px;line-height:1.45'
const WRAP = 'white-space:pre-wrap;overflow-wrap:anywhere'

/**
 * A letter as HTML for mail clients: no tables, no external resources, pictures embedded. All styles are inline,
 * since Gmail may drop the style sheet; the text colour is left to the client, so that its dark mode works.
 */
export function letterHtml(letter: Letter, title: string): string {
  const [headline, ...rest] = letter.lead
  const body = [
    `<div style="border-left:5px solid ${COLOURS[letter.tone]};padding:2px 0 2px 14px;margin:0 0 20px">`,
    `<h1 style="font-size:20px;line-height:1.3;margin:0 0 8px;overflow-wrap:anywhere">${escaped(headline ?? '')}</h1>`,
    ...rest.map((line) => `<p style="margin:0 0 6px;overflow-wrap:anywhere">${escaped(line)}</p>`),
    '</div>',
    ...(letter.button === undefined ? [] : [button(letter.button)]),
    ...letter.sections.map(section),
    ...(letter.foot.length === 0
      ? []
      : ['<hr style="border:0;border-top:1px solid rgba(127,127,127,.4);margin:24px 0 12px">']),
    ...letter.foot.map(
      (line) =>
        `<p class="quiet" style="color:${QUIET};font-size:14px;margin:0 0 6px;overflow-wrap:anywhere">${linked(line)}</p>`,
    ),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escaped(title)}</title>
<style>:root{color-scheme:light dark}@media (prefers-color-scheme:dark){.quiet{color:#a0a0a0!important}a{color:#8ab4f8!important}a.button{color:#fff!important}}</style></head>
<body style="margin:0;padding:0"><div style="max-width:640px;margin:0 auto;padding:16px;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
${body.join('\n')}
</div></body></html>
`
}

/** A link and no form: mail clients drop forms. Tall enough for a thumb. */
function button({ text, href }: PageLink): string {
  return `<p style="margin:0 0 20px"><a class="button" href="${escaped(href)}" style="display:inline-block;background:${BUTTON};color:#ffffff;border-radius:8px;padding:11px 20px;font-weight:600;text-decoration:none;overflow-wrap:anywhere">${escaped(text)}</a></p>`
}

function section({ title, items }: Letter['sections'][number]): string {
  const head = `<h2 class="quiet" style="font-size:13px;letter-spacing:.06em;text-transform:uppercase;color:${QUIET};margin:22px 0 6px">${escaped(title)}</h2>`
  return [head, ...items.map(item)].join('\n')
}

function item(it: Item): string {
  switch (it.kind) {
    case 'text':
      return `<p style="margin:0 0 6px;overflow-wrap:anywhere">${escaped(it.text)}</p>`
    case 'point':
      return `<p style="margin:0 0 4px;padding-left:16px;text-indent:-12px;overflow-wrap:anywhere">&#8226; ${escaped(it.text)}</p>`
    case 'fact': {
      const text =
        it.link === undefined ? escaped(it.text) : `<a href="${escaped(it.link)}">${escaped(it.text)}</a>`
      return `<p style="margin:0 0 4px;overflow-wrap:anywhere"><span class="quiet" style="color:${QUIET}">${escaped(it.label)}:</span> ${text}</p>`
    }
    case 'quote':
      return `<pre style="${MONO};${WRAP};border-left:3px solid rgba(127,127,127,.5);margin:6px 0 8px;padding:2px 0 2px 10px">${escaped(it.text)}</pre>`
    case 'command':
      return `<p style="margin:8px 0 3px">${escaped(it.why)}</p><pre style="${MONO};${WRAP};background:${TINT};border-radius:6px;margin:0 0 ${it.page === undefined ? 10 : 0}px;padding:9px 11px">${unbroken(escaped(it.command))}</pre>${it.page === undefined ? '' : instead(it.page)}`
    case 'picture':
      return `<p style="margin:0 0 12px"><img src="cid:${escaped(contentId(it.name))}" alt="${escaped(it.text)}" width="600" style="display:block;width:100%;max-width:600px;height:auto;border:0;background:#ffffff;border-radius:6px"></p>`
    case 'entry':
      return entry(it)
  }
}

/** The same on a page, for a phone: a target as tall as a thumb. */
function instead({ text, href }: PageLink): string {
  return `<p style="margin:0 0 6px"><a href="${escaped(href)}" style="display:inline-block;padding:9px 0">${escaped(text)}</a></p>`
}

function entry(it: Extract<Item, { kind: 'entry' }>): string {
  const title =
    it.link === undefined ? escaped(it.title) : `<a href="${escaped(it.link)}">${escaped(it.title)}</a>`
  const lines = it.lines.map(
    (line) => `<br><span class="quiet" style="color:${QUIET};font-size:14px">${escaped(line)}</span>`,
  )
  const colour = it.done ? COLOURS.clear : COLOURS.alert
  return `<p style="margin:0 0 10px;padding-left:10px;border-left:3px solid ${colour};overflow-wrap:anywhere"><b>${title}</b>${lines.join('')}</p>`
}

/** Narrow screens break commands at hyphens: options are kept in one piece. */
function unbroken(command: string): string {
  return command.replace(/(?<= )--[a-z-]+/g, '<span style="white-space:nowrap">$&</span>')
}

/** Turns http and https addresses in our own lines into links. */
function linked(line: string): string {
  return line
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) =>
      index % 2 === 1 ? `<a href="${escaped(part)}">${escaped(part)}</a>` : escaped(part),
    )
    .join('')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
