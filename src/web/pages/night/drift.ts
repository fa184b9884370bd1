import { html, raw } from 'hono/html'
import { beforeAfter } from '../../../charts/before-after.ts'
import { renderSvg } from '../../../charts/render.ts'
import { smallMultiple } from '../../../charts/small-multiple.ts'
import { figure } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import type { NightDrift, NightProfile } from '../../../monitoring/drift/record.ts'
import { excess } from '../../../pipeline/drift/excess.ts'
import { DECIDING, MEASURES, nameOf } from '../../../pipeline/drift/measures.ts'
import type { ColumnProfile, Profile } from '../../../pipeline/profile/profile.ts'
import { DRIFT_FACES, DRIFT_WORDS, driftState } from '../../drift-state.ts'
import { stateMark } from '../../state-mark.ts'
import { column, number, table } from '../../table.ts'
import type { Night } from './load.ts'

const WIDTH = 420
/** The most large pictures: of drifted columns, and of the score. */
const PICTURES = 6

const FROM = { resampling: 'by chance', 'as-ofs': 'between nights', min_effect: 'least effect' }

/** The drift of each column from its reference: a table, and a picture of each before and after. */
export async function drift(night: Night, href: string) {
  const { profile, before } = night
  const columns = movedFirst(night.drift)
  if (profile === undefined) return ''
  const sides = sidesOf(night)
  return html`<section class="card" aria-labelledby="drift"><h2 id="drift">Drift</h2>
<p>${comparedWith(profile)}.${profile.backfilled ? ' A backfilled night: not used for alerts.' : ''}
${columns.length === 0 ? '' : html`<a href="${href}">Download as CSV</a>`}</p>
${before?.isStandIn === true && columns.length > 0 ? html`<p class="small quiet">The pictures show the baseline, ${before.text}: the reference of this night was not stored when it was recorded.</p>` : ''}
${profile.profile.left_out.map(({ column, why }) => html`<p class="small quiet">${column} is left out: ${why}</p>`)}
${columns.length === 0 ? '' : html`${columnsTable(columns, sides)}${await pictures(night, columns, sides)}`}</section>`
}

/** Columns that moved, farthest past what is allowed first; then those whose alert is still open; then the others. */
function movedFirst(columns: NightDrift[]): NightDrift[] {
  const rank = ({ drifted, alerting }: NightDrift) => (drifted ? (alerting ? 0 : 1) : alerting ? 2 : 3)
  return columns.toSorted((a, b) => rank(a) - rank(b) || (a.drifted && b.drifted ? excess(b) - excess(a) : 0))
}

function columnsTable(columns: NightDrift[], sides: Sides) {
  const caption = `The figure in bold decides: ${nameOf(DECIDING.number.statistic)} for numbers, ${nameOf(DECIDING.category.statistic)} for categories; it may be at most the allowed value`
  return table(
    caption,
    columns,
    [
      column(
        'Column',
        ({ column: name, score }) => html`${name}${score ? html` <span class="tag">score</span>` : ''}`,
      ),
      column('Before and after', (each) => picture(sides(each))),
      {
        heading: 'State',
        cell: (each) =>
          html`${state(each)}${each.note === null ? '' : html`<div class="small quiet">${each.note}</div>`}`,
        cellClass: () => 'state-note',
      },
      ...MEASURES.map(({ key, short, title }) => ({
        heading: html`<abbr title="${title}">${short}</abbr>`,
        cell: (each: NightDrift) => figure(each[key]),
        label: title,
        class: 'number',
        cellClass: (each: NightDrift) => (key === each.statistic && each.threshold !== null ? 'strong' : ''),
      })),
      number(
        'Allowed',
        ({ threshold, threshold_from: from }) =>
          html`${figure(threshold)}${from === null ? '' : below(FROM[from])}`,
      ),
      number('Null rate', nullRate),
      number('Unseen rate', ({ unseen_rate, rows }) => rate(unseen_rate, rows)),
    ],
    { class: 'stack drift', showsCaption: true, scroll: 'Drift by column' },
  )
}

/** The reference, or why there is none, as the beginning of a sentence. */
function comparedWith({ reference, note }: NightProfile): string {
  if (reference !== null) return `Compared with ${reference}${note === null ? '' : `; ${note}`}`
  return note === null ? 'Not compared with a reference' : `Not compared: ${note}`
}

/** A column's distribution in the reference and in the night. */
type Sides = (
  column: Pick<NightDrift, 'column' | 'score'>,
) => { reference: ColumnProfile; tonight: ColumnProfile } | undefined

function sidesOf({ profile, before }: Night): Sides {
  return ({ column, score }) => {
    const find = (side: Profile | undefined) =>
      side?.columns.find((each) => each.column === column && each.score === score)
    const [reference, tonight] = [find(before?.profile), find(profile?.profile)]
    return reference === undefined || tonight === undefined ? undefined : { reference, tonight }
  }
}

function picture(sides: ReturnType<Sides>) {
  return sides === undefined ? '' : raw(smallMultiple(sides.reference, sides.tonight))
}

/** Before and after of drifted columns and of the score, large enough to read values. */
async function pictures({ before, slot }: Night, columns: NightDrift[], sides: Sides) {
  const shown = columns.filter(({ drifted, score }) => drifted || score).slice(0, PICTURES)
  const words = { reference: before?.text ?? 'before', tonight: slot.partition }
  const figures = await Promise.all(
    shown.map(async (column) => {
      const both = sides(column)
      if (both === undefined) return ''
      const svg = await renderSvg(beforeAfter(both.reference, both.tonight, words, WIDTH), {
        width: WIDTH,
        theme: 'page',
      })
      return html`<li><figure>${raw(svg)}<figcaption>${state(column)}</figcaption></figure></li>`
    }),
  )
  return figures.every((each) => each === '')
    ? ''
    : html`<h3>Before and after</h3><ul class="multiples">${figures}</ul>`
}

function state(column: NightDrift) {
  const found = driftState(column)
  return stateMark(
    DRIFT_FACES[found],
    found === 'alerting' || found === 'drifted' ? driftText(column) : DRIFT_WORDS[found],
  )
}

/** What drifted, such as `moved, more nulls: alert`. */
function driftText({ alerting, fired, null_rate, reference }: NightDrift): string {
  const what = {
    distribution: 'moved',
    nulls: null_rate < reference.null_rate ? 'fewer nulls' : 'more nulls',
    unseen: 'unseen values',
  }
  const words = fired.map((test) => what[test]).join(', ') || 'moved'
  return alerting ? `${words}: alert` : words
}

function nullRate({ null_rate, rows, reference }: NightDrift) {
  if (rows === 0) return ''
  return html`${percent(null_rate)}${reference.rows === 0 ? '' : below(`was ${percent(reference.null_rate)}`)}`
}

/** On its own line below a figure. */
function below(words: string) {
  return html` <span class="quiet small below">${words}</span>`
}

/** Without rows there is no rate. */
function rate(value: number | null, rows: number): string {
  return rows === 0 ? '' : percent(value)
}
