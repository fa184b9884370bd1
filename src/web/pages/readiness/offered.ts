import { html } from 'hono/html'
import { modelHref } from '../../addresses.ts'
import type { Rights } from '../../buttons/rights.ts'
import type { Html } from '../../layout.ts'
import type { ReadinessView } from './load.ts'

/** One thing that can be done: a form for whoever may, and the command that does the same. */
export interface Offered {
  title: string
  why: Html
  /** Of the form; undefined: nothing can be done now, and `why` says why. */
  fields?: Html
  button?: string
  /** It takes something away: it does not look like what is to be tried first. */
  second?: boolean
  /** The last part of the address. */
  path?: string
  method?: 'get' | 'post'
  /** `promote`: for approvers, where the project names people. */
  may: 'act' | 'promote'
  command: string
  /** What else the command takes. */
  option?: string
  /** It needs a name, which is asked where nobody has signed in. */
  isSigned?: boolean
}

/** `back`: the page that shows what comes of it, one that the button admits; default: the readiness page. */
export function action(
  { model, terminal }: ReadinessView,
  rights: Rights | undefined,
  offered: Offered,
  back: string | null = null,
) {
  const {
    title,
    why,
    fields,
    button,
    second,
    path,
    method = 'post',
    may,
    command,
    option,
    isSigned,
  } = offered
  const form =
    rights === undefined || fields === undefined || !rights[may]
      ? ''
      : html`<form method="${method}" action="${modelHref(model.name)}/${path}">${method === 'post' ? html`${hidden('csrf', rights.viewer.csrf)}${hidden('back', back)}` : ''}${fields}${method === 'post' && rights.viewer.local === true ? byField(isSigned) : ''}<button${second === true ? html` class="second"` : ''}>${button}</button></form>`
  return html`<div class="action"><h3>${title}</h3><p>${why}</p>${form}<p class="small quiet">${terminal('In the terminal: ', command)}${option === undefined || rights === undefined ? '' : html`, to override with <code>${option}</code>`}</p></div>`
}

export function hidden(name: string, value: string | number | null) {
  return value === null ? '' : html`<input type="hidden" name="${name}" value="${value}">`
}

/** Without sign-in nobody knows who presses a button. */
export function byField(isRequired = false) {
  return html`<label>Your name<input type="text" name="by"${isRequired ? html` required` : ''} maxlength="200" autocomplete="off"></label>`
}

export function text(name: string, label: string, { required }: { required: boolean }) {
  return html`<label>${label}<input type="text" name="${name}"${required ? html` required` : ''} maxlength="1000" autocomplete="off"></label>`
}

export function select(name: string, label: string, options: [string, string][], chosen?: string) {
  return html`<label>${label}<select name="${name}">${options.map(([value, words]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${words}</option>`)}</select></label>`
}
