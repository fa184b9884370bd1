import { beforeAfter } from '../../charts/before-after.ts'
import type { Chart } from '../../charts/chart.ts'
import { count, figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { readableTime } from '../../format/time-text.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import { nameOf } from '../../pipeline/drift/measures.ts'
import type { DriftFacts, FailureFacts, MovedColumn } from '../incidents/incident-facts.ts'
import type { Item, Section } from './letter.ts'
import { causeLine } from './phrases.ts'
import { PICTURE_WIDTH } from './pictures.ts'

/** Further columns are counted; `nightshift drift` lists them. */
const MOST_COLUMNS = 8
const MOST_SLICES = 6

/** What moved, by how much, since when, whether the scores moved too, which rows account for it, and the pictures. */
export function driftSections(facts: FailureFacts, drift: DriftFacts): Section[] {
  return [
    { title: 'What moved', items: movedItems(facts, drift) },
    { title: 'The scores', items: scoreItems(facts, drift) },
    ...(drift.segments.length === 0
      ? []
      : [{ title: 'Which rows account for it', items: sliceItems(drift) }]),
    { title: 'Before and after', items: pictureItems(facts, drift) },
  ]
}

/** One sentence about what moved, such as `monthly_price moved: PSI 2.1, threshold 0.1`. */
export function movedSentence(moved: MovedColumn[]): string {
  const [first, ...rest] = moved
  if (first === undefined) return 'something moved'
  const others = rest.slice(0, 3).map(({ column }) => column)
  const more = rest.length > others.length ? ` and ${rest.length - others.length} more` : ''
  return `${first.column} moved: ${howFar(first)}${others.length === 0 ? '' : `; also ${others.join(', ')}${more}`}`
}

function movedItems(facts: FailureFacts, drift: DriftFacts): Item[] {
  const items: Item[] = [
    {
      kind: 'fact',
      label: 'Night',
      text: `${facts.partition ?? 'unknown'}, ${count(drift.rows)} rows, run ${facts.run ?? 'unknown'}`,
    },
  ]
  // The first lines have it, if there was room.
  if (!causeLine(facts).includes(drift.reference))
    items.push({ kind: 'fact', label: 'Compared with', text: drift.reference })
  if (drift.note !== null) items.push({ kind: 'text', text: `${drift.note}.` })
  for (const column of drift.moved.slice(0, MOST_COLUMNS)) {
    items.push({
      kind: 'entry',
      title: column.score ? `${column.column} (the score)` : column.column,
      lines: [howFar(column), ...changes(column), since(column, drift.persist)],
      done: false,
    })
  }
  const more = drift.moved.length - MOST_COLUMNS
  if (more > 0)
    items.push({ kind: 'text', text: `${more} more columns moved: the first command lists them.` })
  return items
}

/** `PSI 2.1, threshold 0.1`, followed by what else fired. */
export function howFar(drift: Omit<Drift, 'column' | 'score' | 'drifted'>): string {
  const value = drift[drift.statistic]
  const parts: string[] = []
  if (drift.fired.includes('distribution')) {
    parts.push(
      drift.threshold === null
        ? 'its values can no longer be compared'
        : `${nameOf(drift.statistic)} ${figure(value)}, threshold ${figure(drift.threshold)}`,
    )
  }
  if (drift.fired.includes('nulls'))
    parts.push(`nulls ${percent(drift.reference.null_rate)} before, ${percent(drift.null_rate)} now`)
  if (drift.fired.includes('unseen')) parts.push(`${percent(drift.unseen_rate ?? 0)} of the values are new`)
  return parts.length === 0 ? 'not on this night' : parts.join('; ')
}

function changes(drift: MovedColumn): string[] {
  const lines: string[] = []
  const mean = (value: number) => readableTime(value, drift.type ?? null) ?? figure(value)
  if (drift.mean !== null && drift.reference.mean !== null)
    lines.push(`mean ${mean(drift.reference.mean)} before, ${mean(drift.mean)} now`)
  if (drift.note !== null) lines.push(drift.note)
  return lines
}

function since({ since: partition, nights }: MovedColumn, persist: string): string {
  const of = persist.split(' of ').at(1) ?? ''
  return of === '1' ? `on ${partition}` : `since ${partition}; on ${nights} of the last ${of} nights`
}

function scoreItems(facts: FailureFacts, { score, rows }: DriftFacts): Item[] {
  if (score === null)
    return [{ kind: 'text', text: 'The score is not monitored (drift.score in model.yaml).' }]
  const value = score[score.statistic]
  const distance = `${nameOf(score.statistic)} ${figure(value)}${score.threshold === null ? '' : `, threshold ${figure(score.threshold)}`}`
  const moved: Item = {
    kind: 'text',
    text: score.drifted ? 'They moved too.' : 'They are within the usual range.',
  }
  const items: Item[] = [{ kind: 'fact', label: score.column, text: `${distance}, ${count(rows)} rows` }]
  if (score.mean !== null && score.reference.mean !== null) {
    const mean = `${figure(score.reference.mean)} before, ${figure(score.mean)} now`
    // The first lines say both or neither.
    if (causeLine(facts).includes(mean)) return items
    items.push({ kind: 'fact', label: 'Mean', text: mean })
  }
  return [moved, ...items]
}

function sliceItems({ slices, segments }: DriftFacts): Item[] {
  if (slices.length === 0) {
    return [
      {
        kind: 'text',
        text: `The shift is the same everywhere: no single ${segments.join(' or ')} accounts for it.`,
      },
    ]
  }
  return slices.slice(0, MOST_SLICES).map(({ column, by, value, rows, carried, psi }) => ({
    kind: 'point',
    text: `${column}: without ${by} ${value} (${count(rows)} rows) ${carried > 0.95 ? 'all' : percent(carried)} of the shift disappears${psi === null ? '' : `; PSI of these rows ${figure(psi)}`}`,
  }))
}

function pictureItems(facts: FailureFacts, { pictures, reference }: DriftFacts): Item[] {
  return pictures.map((picture, index): Item => {
    const chart = chartOf(facts, reference, picture)
    return {
      kind: 'picture',
      name: `${facts.subject}-${index + 1}-${picture.tonight.column}`,
      chart,
      text: `${chart.title}: ${chart.description}`,
    }
  })
}

export function chartOf(
  { partition }: FailureFacts,
  reference: string,
  picture: DriftFacts['pictures'][number],
): Chart {
  const words = { reference, tonight: partition ?? 'now' }
  return beforeAfter(picture.reference, picture.tonight, words, PICTURE_WIDTH)
}
