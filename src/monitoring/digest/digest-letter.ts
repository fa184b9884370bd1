import type { Item, Letter, PageLink, Section } from '../../alerts/letters/letter.ts'
import { modelLink, overviewLink } from '../../alerts/letters/links.ts'
import { kindOf } from '../../failures/incident-kinds.ts'
import { localDay } from '../../format/clock-time.ts'
import { count, figure } from '../../format/numbers.ts'
import { wordsOf } from '../../project/schema/metric.ts'
import type { ModelWeek } from './model-week.ts'
import type { QualityTrend } from './quality-trend.ts'

/** Nights that a line names; of more, it says how many. */
const NAMED = 5

/** What a digest is about: the nights that were due after `from` and not after `to`, ISO 8601 in UTC. */
export interface DigestSpan {
  from: string
  to: string
}

/** A digest of some models, those that need somebody first. */
export function digestLetter(
  weeks: ModelWeek[],
  { from, to }: DigestSpan,
  { timezone, baseUrl }: { timezone: string; baseUrl: string | undefined },
): { subject: string; letter: Letter } {
  const sorted = weeks.toSorted((a, b) => urgency(b) - urgency(a))
  const [first, ...rest] = sorted
  const what = first === undefined || rest.length > 0 ? `${weeks.length} models` : first.model
  const said = rest.length > 0 ? together(weeks) : first === undefined ? '' : weekSentence(first)
  const span = `${localDay(from, timezone)} to ${localDay(to, timezone)}`
  return {
    subject: `${what}, ${span}: ${said}`,
    letter: {
      tone: 'notice',
      lead: [`${what}: ${said}.`, `Nights that were due from ${span}.`],
      button: look(
        what,
        rest.length === 0 && first !== undefined ? modelLink(baseUrl, what) : overviewLink(baseUrl),
      ),
      sections: [
        ...sorted.map((week) => sectionOf(week, baseUrl)),
        {
          title: 'Next',
          items: [
            {
              kind: 'command' as const,
              command: `npx nightshift status${rest.length === 0 ? ` ${what}` : ''}`,
              why: 'The calendar of the nights, and what stands between a night and its readers',
            },
          ],
        },
      ],
      foot: ['A digest of what happened; what is urgent is mailed when it happens.'],
    },
  }
}

function look(what: string, href: string | undefined): PageLink | undefined {
  return href === undefined ? undefined : { text: `Look at ${what}`, href }
}

/** `7 nights, 1 late, drift none, quality steady`. */
export function weekSentence(week: ModelWeek): string {
  const { nights, late, missing, quality } = week
  if (nights === 0) return 'no night was due'
  return [
    `${count(nights)} ${nights === 1 ? 'night' : 'nights'}`,
    late.length === 0 ? 'none late' : `${late.length} late`,
    ...(missing.length === 0 ? [] : [`${missing.length} missing`]),
    driftWords(week),
    hasQualityIncident(week) ? 'quality worse than required' : qualityWords(quality),
  ].join(', ')
}

function together(weeks: ModelWeek[]): string {
  const sum = (of: (week: ModelWeek) => number) => weeks.reduce((total, week) => total + of(week), 0)
  const worse = weeks.filter((week) => hasQualityIncident(week) || week.quality?.trend === 'worse').length
  const drifted = sum(({ drifted: those }) => those.length)
  const missing = sum((week) => week.missing.length)
  return [
    `${count(sum(({ nights }) => nights))} nights`,
    `${sum(({ late }) => late.length) || 'none'} late`,
    ...(missing === 0 ? [] : [`${missing} missing`]),
    drifted === 0 ? 'drift none' : `drift on ${drifted}`,
    worse === 0 ? 'quality worse for none' : `quality worse for ${worse}`,
  ].join(', ')
}

function driftWords({ published, compared, drifted }: ModelWeek): string {
  if (drifted.length > 0) return `drift on ${drifted.length}`
  return published > 0 && compared === 0 ? 'drift not compared' : 'drift none'
}

function qualityWords(quality: QualityTrend | undefined): string {
  if (quality === undefined) return 'quality not measured yet'
  return quality.trend === 'first' ? 'quality measured for the first time' : `quality ${quality.trend}`
}

function sectionOf(week: ModelWeek, baseUrl: string | undefined): Section {
  const { model, late, missing, drifted, quality, open } = week
  const items: Item[] = [
    { kind: 'fact', label: 'Week', text: weekSentence(week), link: modelLink(baseUrl, model) },
    ...fact('Late', late),
    ...fact(
      'Missing',
      missing.map(({ partition, state }) => `${partition} (${state})`),
    ),
    ...fact('Drift', drifted),
    ...(quality === undefined ? [] : [qualityFact(quality)]),
    ...open.map(({ id, kind }) => ({
      kind: 'fact' as const,
      label: `Incident #${id}`,
      text: `open: ${kindOf(kind).name}`,
    })),
  ]
  return { title: model, items }
}

function fact(label: string, nights: string[]): Item[] {
  if (nights.length === 0) return []
  const more = nights.length - NAMED
  const text = `${nights.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return [{ kind: 'fact', label, text }]
}

function qualityFact({ metric, value, before, partition }: QualityTrend): Item {
  const earlier = before === undefined ? '' : `, ${figure(before)} on the nights measured before it`
  return {
    kind: 'fact',
    label: 'Quality',
    text: `${wordsOf(metric)} ${figure(value)} on ${partition}${earlier}`,
  }
}

function hasQualityIncident({ open }: ModelWeek): boolean {
  return open.some(({ kind }) => kind === 'quality')
}

/** Missing nights first, then what is open, late or moved. */
function urgency({ missing, open, late, drifted }: ModelWeek): number {
  return missing.length * 1000 + open.length * 100 + late.length * 10 + drifted.length
}
