import { html } from 'hono/html'
import { hourAndMinute, localDay } from '../../../format/clock-time.ts'
import { count, figure } from '../../../format/numbers.ts'
import { METRIC_TABLE } from '../../../project/schema/metric.ts'
import { gateOnRecord } from '../../../readiness/gate-on-record.ts'
import type { HistoryEntry } from '../../../registry/history-records.ts'
import type { Html } from '../../layout.ts'
import { shortHash } from '../../short-hash.ts'

type Entry = HistoryEntry & { at: string }

/** `Version 2 became champion on 2026-11-20 at 03:10, by ana: better on recent nights. Version 1 was before it.` */
export function sentenceOf(entry: Entry, timezone: string) {
  const what = html`<strong>Version ${entry.version} ${EVENTS[entry.event]}</strong>`
  return html`${what} on ${when(entry.at, timezone)}${entry.by === null ? '' : `, by ${entry.by}`}${reasonOf(entry)}.${moreOf(entry)}`
}

const EVENTS: Record<HistoryEntry['event'], string> = {
  registered: 'was registered',
  evaluated: 'was evaluated',
  'shadow started': 'began to score in shadow',
  'shadow stopped': 'stopped scoring in shadow',
  promoted: 'became champion',
  'rolled back': 'became champion again',
  withdrawn: 'was taken out of service',
}

function when(at: string, timezone: string) {
  return html`<time datetime="${new Date(at).toISOString()}">${localDay(at, timezone)} at ${hourAndMinute(at, timezone)}</time>`
}

function reasonOf({ reason }: Entry): string {
  const text = reason?.trim().replace(/\.$/, '') ?? ''
  return text === '' ? '' : `: ${text}`
}

/** The sentences that follow. */
function moreOf(entry: Entry): Html | string {
  const { event, evidence } = entry
  switch (event) {
    case 'registered':
      return typeof evidence.dataset === 'string' ? ` It was trained on ${evidence.dataset}.` : ''
    case 'evaluated':
      return evaluated(evidence)
    case 'shadow started':
    case 'shadow stopped':
      return ''
    case 'promoted':
      return html` ${before(entry)}${gateOf(evidence)}`
    case 'rolled back':
      return ` ${before(entry)}${republished(evidence)}`
    case 'withdrawn':
      return ' No version was champion then.'
  }
}

function before({ from_version: from }: Entry): string {
  return from == null ? 'No version was before it.' : `Version ${from} was before it.`
}

function evaluated({ dataset, rows }: Entry['evidence']): string {
  if (typeof dataset !== 'string') return ''
  const on = typeof rows === 'number' ? `, ${count(rows)} rows` : ''
  return ` On the holdout of ${dataset}${on}.`
}

/** Of a promotion: what the gate said, and whether it was overridden. */
function gateOf(evidence: Entry['evidence']): Html | string {
  const gate = gateOnRecord(evidence)
  if (gate === undefined) return ''
  if (gate.open.length === 0) return ' The gate was ready.'
  const lead = evidence.overridden === true ? 'It was promoted despite the gate' : 'The gate was not ready'
  return html` <span class="text-late">${lead}, with open: ${gate.open.join(', ')}.</span>`
}

function republished({ republished: nights }: Entry['evidence']): string {
  if (!Array.isArray(nights) || nights.length === 0) return ''
  return ` Its scores of ${nights.map(String).join(', ')} were published again.`
}

/** What the sentence leaves out, such as the hash of the file. */
export function evidenceOf({ evidence }: Entry): Html {
  const facts = Object.entries(evidence).flatMap(([name, value]) =>
    SAID.has(name) ? [] : factsOf(name, value),
  )
  if (facts.length === 0) return ''
  return html`<details class="small quiet"><summary>Evidence</summary><dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>`
}

const SAID: ReadonlySet<string> = new Set([
  'gate',
  'overridden',
  'republished',
  'dataset',
  'rows',
  'evaluation_id',
])
const WORDS: Record<string, string> = {
  sha256: 'sha256 of the file',
  view_hash: 'hash of the view',
  os_user: 'user of the machine',
  host: 'machine',
}
const HASH = /^[0-9a-f]{32,}$/

/** A fact of the evidence in words; figures each by itself. */
function factsOf(name: string, value: unknown): [string, Html | string][] {
  if (name === 'metrics' && typeof value === 'object' && value !== null) {
    const figures = new Map<string, unknown>(Object.entries(value))
    return METRIC_TABLE.flatMap(({ key, words }) => {
      const own = figures.get(key)
      return typeof own === 'number' ? [[words, figure(own)]] : []
    })
  }
  const words = WORDS[name] ?? name.replaceAll('_', ' ')
  if (typeof value === 'number') return [[words, figure(value)]]
  if (typeof value === 'string') return [[words, HASH.test(value) ? shortHash(value) : value]]
  if (typeof value === 'boolean') return [[words, value ? 'yes' : 'no']]
  if (Array.isArray(value)) return [[words, value.map(String).join(', ')]]
  return []
}
