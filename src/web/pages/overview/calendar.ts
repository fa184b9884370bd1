import { html, raw } from 'hono/html'
import { Temporal } from 'temporal-polyfill'
import { escaped } from '../../../charts/escape.ts'
import type { CalendarSlot } from '../../../ledger/nights/calendar-slots.ts'
import { type Face, faceOf, wordsOf, worst } from '../../../ledger/nights/faces.ts'
import type { Kind } from '../../../ledger/nights/slots.ts'
import { modelHref, nightHref, withQuery } from '../../addresses.ts'
import { legend } from '../../state-mark.ts'
import { MOST_CARDS } from './choose-models.ts'
import type { Nights, Overview } from './load.ts'

/** One square: a night, or the hours of a day with their worst state. */
interface Square {
  face: Face
  words: string
  href: string
  moved: boolean
}

/** The calendar: models, then views, by nights. */
export function calendar(overview: Overview, nights: Nights) {
  const { dates, models, views } = overview
  // On a phone each of a few has its name above two weeks a line; many scroll beside their names.
  const box = models.length > MOST_CARDS ? '' : ' roomy'
  const squares = squaresOf(nights, overview)
  const weekends = new Set(dates.filter((date) => Temporal.PlainDate.from(date).dayOfWeek > 5))
  // Built as text: a template for each of a thousand squares would take most of the page's rendering time.
  const days = dates.map((date, index) => dayOf(date, index === 0))
  const cells = (kind: Kind, name: string) =>
    dates
      .map((date, index) => {
        const square = squares.get(keyOf(kind, name, date))
        const cell = `<td ${days[index]}>`
        if (square === undefined) return `${cell}<span class="cell none"></span></td>`
        const title = escaped(`${name}, ${date}: ${square.words}`)
        const moved = square.moved ? ' moved' : ''
        return `${cell}<a class="cell face face-${square.face}${moved}" href="${escaped(square.href)}" title="${title}"></a></td>`
      })
      .join('')
  const row = (kind: Kind, name: string) =>
    html`<tr><th scope="row"><span class="name"><a href="${kind === 'scores' ? modelHref(name) : withQuery('/runs', { name, kind })}">${name}</a>${kind === 'scores' ? '' : html` <span class="quiet small nowrap">view</span>`}</span></th>${raw(cells(kind, name))}</tr>`
  const moved = html`<li><span class="corner" aria-hidden="true"></span>drift alert</li>`
  return html`<div class="calendar-box${box}"><table class="calendar-table">
<caption class="sr">Models and views by nights, the newest at the right; each square links to its night</caption>
<thead><tr><th scope="col"><span class="sr">Model or view</span></th>${dates.map((date, index) => heading(date, index === 0, weekends.has(date)))}</tr></thead>
<tbody>${models.map(({ name }) => row('scores', name))}
${views.map((name) => row('features', name))}</tbody>
</table></div>${legend(moved)}`
}

/** A phone has no room for headings: the style shows each square's day from these attributes. */
function dayOf(date: string, first: boolean): string {
  const { day, month } = dayAndMonth(date, first)
  return `data-day="${day}"${month === '' ? '' : ` data-month="${month}"`}`
}

/** The day of the month; the month's name for its first day and for the first day shown. */
function dayAndMonth(date: string, first: boolean): { day: number; month: string } {
  const { day, month } = Temporal.PlainDate.from(date)
  return { day, month: first || day === 1 ? (MONTHS[month - 1] ?? '') : '' }
}

function heading(date: string, first: boolean, weekend: boolean) {
  const { day, month } = dayAndMonth(date, first)
  return html`<th scope="col"${weekend ? html` class="weekend"` : ''}><span class="sr">${date}</span><span aria-hidden="true"><span class="month">${month}</span>${day}</span></th>`
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

function squaresOf({ slots, moved }: Nights, { now, project }: Overview): Map<string, Square> {
  const days = new Map<string, CalendarSlot[]>()
  for (const slot of slots) {
    const key = keyOf(slot.kind, slot.name, dateOf(slot, project.timezone))
    const own = days.get(key)
    if (own === undefined) days.set(key, [slot])
    else own.push(slot)
  }
  return new Map(
    [...days].flatMap(([key, own]): [string, Square][] => {
      const [slot] = own
      const face = worst(own.map((each) => faceOf(each, now)))
      if (slot === undefined || face === undefined) return []
      const drifted = own.some((each) => each.published_run !== null && moved.has(each.published_run))
      const counted = own.length === 1 ? wordsOf(face) : wordsOfMany(own, now)
      return [
        [
          key,
          {
            face,
            words: `${counted}${drifted ? ', drift alert' : ''}`,
            href: nightHref({ ...slot, partition: dateOf(slot, project.timezone) }, project.models),
            moved: drifted,
          },
        ],
      ]
    }),
  )
}

/** `23 published, 1 failed`. */
function wordsOfMany(slots: CalendarSlot[], now: Date): string {
  const counts = new Map<Face, number>()
  for (const slot of slots) counts.set(faceOf(slot, now), (counts.get(faceOf(slot, now)) ?? 0) + 1)
  return [...counts].map(([face, number]) => `${number} ${wordsOf(face)}`).join(', ')
}

/** A daily partition has its local date as name; an hour belongs to the local date in which it starts. */
function dateOf({ partition, as_of }: CalendarSlot, timezone: string): string {
  if (!partition.includes('T')) return partition
  return Temporal.Instant.from(as_of).toZonedDateTimeISO(timezone).toPlainDate().toString()
}

function keyOf(kind: Kind, name: string, date: string): string {
  return `${kind} ${name} ${date}`
}
