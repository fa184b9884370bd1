import { html } from 'hono/html'
import { headingOf, withoutComments } from '../project/init/runbook-skeleton.ts'
import type { Html } from './layout.ts'

/**
 * The part of Markdown that runbooks are written in: headings, paragraphs, lists, fenced code, quotes, `code`,
 * **strong** and links. Everything is escaped; other markup is shown as plain text.
 */
export function markdown(text: string): Html[] {
  const lines = withoutComments(text).split(/\r?\n/)
  const blocks: Html[] = []
  for (let at = 0; at < lines.length; ) {
    const { block, next } = readBlock(lines, at)
    if (block !== undefined) blocks.push(block)
    at = next
  }
  return blocks
}

interface Block {
  block: Html | undefined
  /** The line after it. */
  next: number
}

const FENCE = /^\s*(```|~~~)/
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/
const QUOTE = /^>\s?(.*)$/

function readBlock(lines: string[], at: number): Block {
  const line = lines[at] ?? ''
  if (line.trim() === '') return { block: undefined, next: at + 1 }
  if (FENCE.test(line)) return fenced(lines, at)
  const heading = headingOf(line)
  if (heading !== undefined) return { block: headed(heading.level, heading.text), next: at + 1 }
  if (ITEM.test(line)) return list(lines, at)
  if (QUOTE.test(line)) {
    const next = until(lines, at, (each) => !QUOTE.test(each))
    const quoted = lines.slice(at, next).map((each) => QUOTE.exec(each)?.[1] ?? '')
    return { block: html`<blockquote>${inline(quoted.join(' '))}</blockquote>`, next }
  }
  const next = until(
    lines,
    at + 1,
    (each) =>
      each.trim() === '' ||
      FENCE.test(each) ||
      headingOf(each) !== undefined ||
      ITEM.test(each) ||
      QUOTE.test(each),
  )
  return { block: html`<p>${inline(lines.slice(at, next).join(' '))}</p>`, next }
}

function fenced(lines: string[], at: number): Block {
  const end = until(lines, at + 1, (each) => FENCE.test(each))
  return {
    block: html`<pre tabindex="0"><code>${lines.slice(at + 1, end).join('\n')}</code></pre>`,
    next: end + 1,
  }
}

function list(lines: string[], at: number): Block {
  const numbered = ITEM.exec(lines[at] ?? '')?.[1] !== undefined
  const items: string[] = []
  let next = at
  for (; next < lines.length; next++) {
    const line = lines[next] ?? ''
    const item = ITEM.exec(line)
    if (item !== null) items.push(item[2] ?? '')
    // An indented line continues the item before it.
    else if (/^\s+\S/.test(line)) items[items.length - 1] += ` ${line.trim()}`
    else break
  }
  const body = items.map((item) => html`<li>${inline(item)}</li>`)
  return { block: numbered ? html`<ol>${body}</ol>` : html`<ul>${body}</ul>`, next }
}

/** The page title is the first level; a second-level heading is a section with an anchor. */
function headed(level: number, text: string): Html {
  const id = anchorOf(text)
  if (level === 1) return html`<p class="strong">${inline(text)}</p>`
  return level === 2 ? html`<h2 id="${id}">${inline(text)}</h2>` : html`<h3 id="${id}">${inline(text)}</h3>`
}

/** `Late data` is `late-data`, as mails link to it. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll('`', '').trim().replace(/\s+/g, '-')
}

function inline(text: string): Html[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^[\]]+\]\([^()\s]+\))/).map((part): Html => {
    if (/^`[^`]+`$/.test(part)) return html`<code>${part.slice(1, -1)}</code>`
    if (/^\*\*[^*]+\*\*$/.test(part)) return html`<strong>${part.slice(2, -2)}</strong>`
    const [, words = '', href = ''] = /^\[([^[\]]+)\]\(([^()\s]+)\)$/.exec(part) ?? []
    if (isHere(href)) return html`<a href="${href}">${words}</a>`
    if (isOutside(href)) return html`<a href="${href}" rel="noreferrer">${words}</a>`
    return html`${part}`
  })
}

/** A path of this server, or a section of the page. Browsers treat a backslash as a slash, so `/\\x` would be another server. */
function isHere(href: string): boolean {
  return /^(?:#|\/(?!\/))[^\\\p{Cc}]*$/u.test(href)
}

/** Only these schemes: `javascript:` would be an address too. */
function isOutside(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\\\p{Cc}]+$/iu.test(href)
}

function until(lines: string[], from: number, ends: (line: string) => boolean): number {
  let at = from
  while (at < lines.length && !ends(lines[at] ?? '')) at++
  return at
}
