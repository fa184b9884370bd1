import { html, raw } from 'hono/html'
import type { Mail } from '../alerts/delivery/list-mails.ts'
import type { Html } from './layout.ts'

/**
 * A mail as part of a page: only its text, boxes, pictures and styles, from lists of what is allowed. Links do not
 * work. `css` has the mail's inline styles, because the content policy of pages only allows styles in a style sheet.
 */
export interface MailView {
  html: Html
  css: string
}

/** The element that replaces each of the mail's, and the default browser style of those. */
const ELEMENTS: Record<string, { as: 'div' | 'span'; style: string }> = {
  div: { as: 'div', style: '' },
  p: { as: 'div', style: '' },
  h1: { as: 'div', style: 'font-weight:bold;' },
  h2: { as: 'div', style: 'font-weight:bold;' },
  pre: { as: 'div', style: '' },
  span: { as: 'span', style: '' },
  b: { as: 'span', style: 'font-weight:bold;' },
  a: { as: 'span', style: 'color:LinkText;text-decoration:underline;' },
}
const PART = /<(\/?)([a-z][a-z0-9]*)\b([^>]*)>|([^<]+)/g
/** Numbers, words, lists and colour functions: nothing that loads a resource, leaves its box or ends a rule. */
const DECLARATIONS = /^[\w\s:;.,%#()'-]*$/

export function mailView({ html: part, attachments }: Pick<Mail, 'html' | 'attachments'>): MailView {
  const classes = new Map<string, string>()
  const named = (style: string) => {
    const known = classes.get(style) ?? `m${classes.size}`
    classes.set(style, known)
    return known
  }
  const styleOf = (attributes: string) => {
    const style = attribute(attributes, 'style')
    return DECLARATIONS.test(style) && !/url|expression|position/i.test(style) ? style : ''
  }
  const open: string[] = []
  let view = ''
  const body = /<body\b[^>]*>([\s\S]*)<\/body>/.exec(part)?.[1] ?? ''
  for (const [, closing, tag = '', attributes = '', text] of body.matchAll(PART)) {
    const element = ELEMENTS[tag]
    if (text !== undefined) view += text
    else if (element !== undefined && closing !== '/') {
      const quiet = attribute(attributes, 'class') === 'quiet' ? ' quiet' : ''
      view += `<${element.as} class="${named(element.style + styleOf(attributes))}${quiet}">`
      open.push(element.as)
    } else if (element !== undefined && open.at(-1) === element.as) view += `</${open.pop()}>`
    else if (tag === 'br') view += '<br>'
    else if (tag === 'hr') view += `<div class="${named(styleOf(attributes))}"></div>`
    else if (tag === 'img') {
      const source = pictureOf(attribute(attributes, 'src'), attachments)
      if (source === undefined) continue
      view += `<img class="${named(styleOf(attributes))}" src="${source}" alt="${attribute(attributes, 'alt')}">`
    }
  }
  view += open
    .toReversed()
    .map((tag) => `</${tag}>`)
    .join('')
  const rules = [...classes].map(([style, name]) => `.mail .${name}{${style}}`)
  return {
    html: html`<div class="mail">${raw(view)}</div>`,
    css: rules.join('\n'),
  }
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
}

/** The attached PNG as a data URL. */
function pictureOf(source: string, attachments: Mail['attachments']): string | undefined {
  const picture = attachments.find(({ cid }) => source === `cid:${cid}`)
  if (picture === undefined || !/^[\w+/]+=*$/.test(picture.base64)) return undefined
  return `data:image/png;base64,${picture.base64}`
}
