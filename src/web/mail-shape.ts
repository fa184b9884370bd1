import { html, raw } from 'hono/html'
import type { Mail } from '../alerts/delivery/list-mails.ts'
import type { Html } from './layout.ts'

/**
 * The height of a mail at any width. Its frame is sandboxed and pages have no scripts, so the height of the frame's content
 * cannot be measured. Instead the page contains an invisible, inert copy of the mail, and the frame covers it. `css` has the
 * mail's inline styles, because the content policy of pages only allows styles in a style sheet.
 */
export interface MailShape {
  html: Html
  css: string
}

/** The default browser style of these elements, and the element that replaces each in the copy. */
const ELEMENTS: Record<string, { as: 'div' | 'span'; style: string }> = {
  div: { as: 'div', style: '' },
  p: { as: 'div', style: '' },
  h1: { as: 'div', style: 'font-weight:bold;' },
  h2: { as: 'div', style: 'font-weight:bold;' },
  pre: { as: 'div', style: '' },
  span: { as: 'span', style: '' },
  b: { as: 'span', style: 'font-weight:bold;' },
  a: { as: 'span', style: '' },
}
const PART = /<(\/?)([a-z][a-z0-9]*)\b([^>]*)>|([^<]+)/g
/** Numbers, words, lists and colour functions: nothing that loads a resource or ends a rule. */
const DECLARATIONS = /^[\w\s:;.,%#()'-]*$/

export function mailShape({ html: part, attachments }: Pick<Mail, 'html' | 'attachments'>): MailShape {
  const classes = new Map<string, string>()
  const named = (style: string) => {
    const known = classes.get(style) ?? `m${classes.size}`
    classes.set(style, known)
    return known
  }
  const styleOf = (attributes: string) => {
    const style = attribute(attributes, 'style')
    return DECLARATIONS.test(style) && !/url|expression/i.test(style) ? style : ''
  }
  const open: string[] = []
  let shape = ''
  const body = /<body\b[^>]*>([\s\S]*)<\/body>/.exec(part)?.[1] ?? ''
  for (const [, closing, tag = '', attributes = '', text] of body.matchAll(PART)) {
    const element = ELEMENTS[tag]
    if (text !== undefined) shape += text
    else if (element !== undefined && closing !== '/') {
      shape += `<${element.as} class="${named(element.style + styleOf(attributes))}">`
      open.push(element.as)
    } else if (element !== undefined && open.at(-1) === element.as) shape += `</${open.pop()}>`
    else if (tag === 'br') shape += '<br>'
    else if (tag === 'hr') shape += `<div class="${named(styleOf(attributes))}"></div>`
    else if (tag === 'img') {
      const { width, height } = sizeOf(attribute(attributes, 'src'), attachments)
      shape += `<svg class="${named(styleOf(attributes))}" viewBox="0 0 ${width} ${height}"></svg>`
    }
  }
  shape += open
    .toReversed()
    .map((tag) => `</${tag}>`)
    .join('')
  const rules = [...classes].map(([style, name]) => `.mail-shape .${name}{${style}}`)
  return {
    html: html`<div class="mail-shape" aria-hidden="true">${raw(shape)}</div>`,
    css: rules.join('\n'),
  }
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
}

/** The size of a mail's picture in pixels, read from its file; height 0 if it cannot be read. */
function sizeOf(source: string, attachments: Mail['attachments']): { width: number; height: number } {
  const picture = attachments.find(({ cid }) => source === `cid:${cid}`)
  const head = Buffer.from(picture?.base64.slice(0, 64) ?? '', 'base64')
  if (head.length < 24 || head.subarray(1, 4).toString('latin1') !== 'PNG') return { width: 1, height: 0 }
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) }
}
