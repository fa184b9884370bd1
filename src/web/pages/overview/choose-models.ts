import { html } from 'hono/html'
import { ANSWERS, type Answer, type Trust } from '../../../monitoring/trust/trust.ts'
import { withQuery } from '../../addresses.ts'
import { choiceProblem } from '../../filters.ts'
import { stateMark } from '../../state-mark.ts'
import type { Overview } from './load.ts'

/** More models than this are shown as rows instead of cards. */
export const MOST_CARDS = 6

/** A thousand models with their nights are eight megabytes of page: the worst are shown, the filter finds the others. */
export const MOST_MODELS = 50

/** Which models the address asks for, and which nights. */
export interface Choice {
  text: string
  verdict: Answer | undefined
  /** As in the address; undefined where it names the usual ones. */
  days: number | undefined
  until: string | undefined
}

const WORDS: Record<Answer, string> = {
  no: 'No',
  check: 'Check first',
  unknown: 'Unknown',
  'not yet': 'Not yet',
  yes: 'Yes',
}
const FACES = {
  no: 'failed',
  check: 'doubt',
  unknown: 'expected',
  'not yet': 'waiting',
  yes: 'published',
} as const

export function wordsOfAnswer(answer: Answer): string {
  return WORDS[answer]
}

export function faceOfAnswer(answer: Answer): Trust['face'] {
  return FACES[answer]
}

/** The address of the overview with this choice. */
export function overviewHref({ text, verdict, days, until }: Choice): string {
  return withQuery('/', { text, verdict, days, until })
}

export function readModels({ text = '', verdict }: Record<string, string>) {
  return {
    text: text.trim(),
    verdict: ANSWERS.find((each) => each === verdict),
    problems: choiceProblem('verdict', verdict, ANSWERS),
  }
}

/** The overview of the models that are asked for, and of their views. */
export function chosen(overview: Overview, { text, verdict }: Choice): Overview {
  if (text === '' && verdict === undefined) return overview
  const { project } = overview
  const words = text.toLowerCase()
  const models = overview.models.filter(({ name, trust }) => {
    const { view = '', description = '', owner = '' } = project.models[name] ?? {}
    const isNamed = [name, view, description, owner].some((each) => each.toLowerCase().includes(words))
    return isNamed && (verdict === undefined || trust.answer === verdict)
  })
  return of(overview, models)
}

/** The overview of the worst models, as many as a page holds. */
export function worst(overview: Overview): Overview {
  return overview.models.length <= MOST_MODELS
    ? overview
    : of(overview, overview.models.slice(0, MOST_MODELS))
}

/** The overview of some models, and of their views. */
function of(overview: Overview, models: Overview['models']): Overview {
  const used = new Set(models.map(({ name }) => overview.project.models[name]?.view))
  return { ...overview, models, views: overview.views.filter((name) => used.has(name)) }
}

/** How many models have each verdict; above six models also a filter. */
export function tally({ models }: Overview, choice: Choice) {
  if (models.length < 2) return ''
  const counts = ANSWERS.toReversed().flatMap((answer) => {
    const count = models.filter(({ trust }) => trust.answer === answer).length
    return count === 0 ? [] : [{ answer, count }]
  })
  const isChosen = choice.text !== '' || choice.verdict !== undefined
  return html`<section class="card" aria-labelledby="tally"><h2 id="tally" class="sr">Models by verdict</h2>
<ul class="tally">${counts.map(
    ({ answer, count }) =>
      html`<li><a href="${overviewHref({ ...choice, text: '', verdict: answer })}"${answer === choice.verdict ? html` aria-current="true"` : ''}>${stateMark(FACES[answer], `${count} ${WORDS[answer].toLowerCase()}`)}</a></li>`,
  )}</ul>
${models.length > MOST_CARDS || isChosen ? filter(choice) : ''}
${isChosen ? html`<p class="small"><a href="${overviewHref({ ...choice, text: '', verdict: undefined })}">All ${models.length} models</a></p>` : ''}</section>`
}

function filter({ text, verdict, days, until }: Choice) {
  const hidden = (name: string, value: string | number | undefined) =>
    value === undefined ? '' : html`<input type="hidden" name="${name}" value="${value}">`
  return html`<form class="filter" method="get" action="/" role="search">
<label class="wide">Model<input type="search" name="text" value="${text}" placeholder="name, view, owner or description"></label>
<label>Verdict<select name="verdict"><option value="">any</option>${ANSWERS.map((each) => html`<option value="${each}"${each === verdict ? html` selected` : ''}>${WORDS[each].toLowerCase()}</option>`)}</select></label>
${hidden('days', days)}${hidden('until', until)}<button>Filter</button></form>`
}
