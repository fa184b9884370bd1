import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import { excess } from '../../pipeline/drift/excess.ts'
import type { DriftFacts } from '../incidents/incident-facts.ts'
import type { Incident } from '../incidents/incident-record.ts'
import { chartOf, howFar } from './drift-letter.ts'
import type { Item, Section } from './letter.ts'
import { nightLink } from './links.ts'
import { quoted } from './next-commands.ts'

/** A phone shows two at a time, and each is about 40 kB. */
const MOST_PICTURES = 6
const MOST_NAMES = 8
/** Incidents whose pictures are only on their pages, each with its link. */
const MOST_LINKS = 10

/** A column of one of the incidents, and its profile before and after if known. */
interface Shift {
  incident: Incident
  reference: string
  column: Drift
  picture: DriftFacts['pictures'][number] | undefined
}

/** Pictures of the largest shifts across all incidents, and links to the others. */
export function groupPictures(open: Incident[]): Section[] {
  const shifts = open.flatMap(shiftsOf).sort((a, b) => excess(b.column) - excess(a.column))
  const shown = shifts.filter(({ picture }) => picture !== undefined).slice(0, MOST_PICTURES)
  const left = shifts.filter((shift) => !shown.includes(shift))
  if (shown.length === 0) return []
  const items = shown.flatMap((shift, index) => [caption(shift), ...pictureItem(shift, index)])
  return [{ title: 'Before and after', items: [...items, ...leftItems(left, shown.length)] }]
}

/** The columns that moved and the score, as in the letter of this incident alone. */
function shiftsOf(incident: Incident): Shift[] {
  const { drift } = incident.facts
  if (drift === undefined) return []
  const { moved, score, pictures, reference } = drift
  const columns: Drift[] = score === null || moved.some((each) => each.score) ? moved : [...moved, score]
  return columns.map((column) => ({
    incident,
    reference,
    column,
    picture: pictures.find(
      ({ tonight }) => tonight.column === column.column && tonight.score === column.score,
    ),
  }))
}

/** The caption names the incident too; the picture names only its column. */
function caption({ incident: { facts }, column }: Shift): Item {
  const what = column.score ? `${column.column} (the score)` : column.column
  const far = column.fired.length === 0 ? 'it is within the usual range' : howFar(column)
  return { kind: 'text', text: `${facts.subject} for ${facts.partition ?? 'now'}, ${what}: ${far}` }
}

function pictureItem({ incident: { facts }, reference, column, picture }: Shift, index: number): Item[] {
  if (picture === undefined) return []
  const chart = chartOf(facts, reference, picture)
  return [
    {
      kind: 'picture',
      // The number keeps names distinct that clients would treat as one picture: `a.b` and `a_b` have the same
      // content id.
      name: `${index + 1}-${facts.subject}-${column.column}`,
      chart,
      text: `${facts.subject}, ${chart.title}: ${chart.description}`,
    },
  ]
}

function leftItems(left: Shift[], shown: number): Item[] {
  if (left.length === 0) return []
  const by = new Map<Incident, Shift[]>()
  for (const shift of left) by.set(shift.incident, [...(by.get(shift.incident) ?? []), shift])
  const links = [...by].slice(0, MOST_LINKS).map(([{ facts }, own]): Item => {
    const { subject, partition, baseUrl } = facts
    const names = own.slice(0, MOST_NAMES).map(({ column }) => column.column)
    const more = own.length > names.length ? ` and ${own.length - names.length} more` : ''
    const link = nightLink(baseUrl, facts)
    const asOf = partition === undefined ? '' : ` --as-of ${quoted(partition)}`
    const where = link === undefined ? `: npx nightshift report ${quoted(subject)}${asOf}` : ''
    return { kind: 'fact', label: subject, text: `${names.join(', ')}${more}${where}`, link }
  })
  const rest = by.size - links.length
  return [
    {
      kind: 'text',
      text: `This mail shows the ${shown} largest of ${shown + left.length} shifts. The others are on the page of their night:`,
    },
    ...links,
    ...(rest === 0
      ? []
      : [{ kind: 'text' as const, text: `and ${rest} more incidents: npx nightshift incidents` }]),
  ]
}
