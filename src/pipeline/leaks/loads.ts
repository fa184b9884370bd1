import { duration } from '../../format/elapsed.ts'
import type { View } from '../../project/project.ts'
import { type SourceTraits, traitsOf } from '../../project/source-kinds.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier, literal } from '../engine/quote.ts'
import { isKeyed } from '../sources/admitted.ts'
import { ARRIVAL } from './hindsight.ts'
import type { Leak } from './leak.ts'
import type { OtherTime, Times } from './times.ts'
import { rowsWith, worstAsOf } from './worst-as-of.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Fewer rows have one time by chance. */
const ENOUGH = 20

/**
 * Sources whose declared time is that of the load. For events, the first that holds of:
 *
 * - another column of the rows lies before it: that is when it happened, where the declared time is named like a
 * load,
 *   or where nine rows in ten lie between the load before and this one and the column is finer, or the declared time
 * is
 *   always the same time of day (where only the column is ten times finer, a suspicion)
 * - all rows have one time, or one load has brought a third of them and twenty times what others bring
 * - it is named like a load, and comes in batches
 * - every row has the same time of day, other than midnight in any zone that is concerned (a suspicion only)
 *
 * For histories: all rows began at once, or no key has a second row (a suspicion only).
 */
export async function findLoadDates(
  engine: Engine,
  view: View,
  times: Times[],
  asOfs: AsOf[],
  timezone: string,
): Promise<Leak[]> {
  const leaks: Leak[] = []
  for (const each of times) {
    if (each.source.time === undefined || each.rows < ENOUGH) continue
    const leak = await CHECKS[traitsOf(each.source.found.source).rows](engine, view, each, asOfs, timezone)
    if (leak !== undefined) leaks.push(leak)
  }
  return leaks
}

type Check = (
  engine: Engine,
  view: View,
  times: Times,
  asOfs: AsOf[],
  timezone: string,
) => Promise<Leak | undefined>

const CHECKS: Record<SourceTraits['rows'], Check> = {
  all: async (engine, view, times, asOfs, timezone) =>
    (await findRealTime(engine, view, times, asOfs, timezone)) ??
    (await findBatches(engine, view, times, timezone)),
  'latest-of-key': findRewrittenHistory,
  // The time of a full copy is that of its load.
  'newest-time': async () => undefined,
}

/** The nearest column before the declared time that says better when a row happened. */
async function findRealTime(
  engine: Engine,
  view: View,
  times: Times,
  asOfs: AsOf[],
  timezone: string,
): Promise<Leak | undefined> {
  const { source, rows, distinct } = times
  const { time } = source
  if (time === undefined) return undefined
  const isNamed = ARRIVAL.test(time.name)
  if (!isNamed && distinct * 5 > rows) return undefined
  const before = times.others.filter(
    ({ filled, later, earlier }) => filled >= 0.95 * rows && later <= 0.05 * rows && earlier >= 0.5 * rows,
  )
  const candidates = await Promise.all(
    before.map(async (other) => ({ other, facts: await betweenLoads(engine, times, other) })),
  )
  const isClock =
    isNamed || (before.length > 0 && (await oneTimeOfDay(engine, times, timezone)) !== undefined)
  for (const { other, facts } of candidates.sort((a, b) => a.facts.hours - b.facts.hours)) {
    const isBetween = facts.within >= 0.9 * rows && (isClock || other.distinct >= 2 * distinct)
    if (isNamed || isBetween)
      return realTimeLeak(engine, view, times, other, asOfs, { ...facts, severity: 'error' })
    if (other.distinct >= 10 * distinct) {
      return realTimeLeak(engine, view, times, other, asOfs, { ...facts, severity: 'warning' })
    }
  }
  return undefined
}

/**
 * Rows that happened since the load before theirs (an hour's grace; a date is its whole day), and how much later they
 * were loaded.
 */
async function betweenLoads(
  engine: Engine,
  { source }: Times,
  other: OtherTime,
): Promise<{ within: number; hours: number; days: number }> {
  const row = await engine.row(
    `WITH r AS (SELECT ${source.time?.sql} AS t, ${other.sql} AS c FROM ${source.from}),
          loads AS (SELECT t, lag(t) OVER (ORDER BY t) AS before FROM (SELECT DISTINCT t FROM r))
     SELECT count(*) FILTER (r.c <= r.t AND (before IS NULL OR r.c > before - INTERVAL ${other.type === 'DATE' ? 25 : 1} HOUR)) AS within,
            median(epoch(r.t) - epoch(r.c))::DOUBLE / 3600 AS hours,
            max(epoch(r.t) - epoch(r.c))::DOUBLE / 86400 AS days
       FROM r JOIN loads USING (t)`,
  )
  return { within: Number(row.within), hours: Number(row.hours), days: Number(row.days) }
}

async function realTimeLeak(
  engine: Engine,
  view: View,
  { source, rows }: Times,
  other: OtherTime,
  asOfs: AsOf[],
  { hours, days, severity }: { hours: number; days: number; severity: Leak['severity'] },
): Promise<Leak> {
  const { name } = source.found
  const declared = source.time?.name ?? ''
  const table = rowsWith(source, view, [`${other.sql} AS c`])
  const crossing = await worstAsOf(engine, table, asOfs, (at) => `c < ${at} AND t >= ${at}`)
  const seen =
    crossing === undefined ? '' : `; ${crossing.rows} rows from before ${crossing.as_of} count as after it`
  return {
    kind: 'load-date',
    severity,
    view: view.name,
    source: name,
    column: declared,
    features: [],
    as_of: crossing?.as_of ?? null,
    rows: crossing?.rows ?? rows,
    examples: crossing?.examples ?? [],
    message: `event_time ${declared} of source ${name} ${severity === 'error' ? 'is' : 'may be'} the time of the load: ${other.name} of the same rows is when it happened, half of them ${duration(hours * HOUR_MS)} or more before and at most ${duration(days * DAY_MS)}${seen}`,
    fix: `declare event_time: ${other.name}, available_at: ${declared} and a cutoff as long as a load may take, for ${name} in features/${view.name}/view.yaml`,
  }
}

async function findBatches(
  engine: Engine,
  view: View,
  times: Times,
  timezone: string,
): Promise<Leak | undefined> {
  const { source, rows, distinct, most, median } = times
  const { name } = source.found
  const declared = source.time?.name ?? ''
  const leak = (severity: Leak['severity'], count: number, why: string): Leak => ({
    kind: 'load-date',
    severity,
    view: view.name,
    source: name,
    column: declared,
    features: [],
    as_of: null,
    rows: count,
    examples: [],
    message: `event_time ${declared} of source ${name} ${severity === 'error' ? 'is' : 'may be'} the time of the load: ${why}`,
    fix: `add the time at which each row happened to ${name}, declare it as event_time, and ${declared} as available_at with a cutoff, in features/${view.name}/view.yaml`,
  })
  if (distinct === 1 && !isKeyed(source.found)) {
    return leak('error', rows, `all ${rows} rows have the same time, so an as-of sees none of them or all`)
  }
  if (distinct > 1 && most >= rows / 3 && most >= 20 * Math.max(1, median) && most >= 100) {
    return leak(
      'error',
      most,
      `${most} of ${rows} rows have the same time, while others share theirs with ${Math.round(median) - 1}: a load of all existing rows`,
    )
  }
  if (ARRIVAL.test(declared) && distinct * 5 <= rows) {
    return leak(
      'error',
      rows,
      `it is named like a load time, and ${rows} rows have ${distinct} different times`,
    )
  }
  if (ARRIVAL.test(declared)) return leak('warning', rows, 'it is named like a load time')
  if (distinct > 1 && distinct * ENOUGH <= rows) {
    const clock = await oneTimeOfDay(engine, times, timezone)
    if (clock !== undefined) return leak('warning', rows, `every one of ${rows} rows says ${clock}`)
  }
  return undefined
}

/** The one time of day (in UTC) of all rows; undefined where there are several, or where it is a midnight. */
async function oneTimeOfDay(
  engine: Engine,
  { source }: Times,
  timezone: string,
): Promise<string | undefined> {
  const zones = [...new Set(['UTC', source.time?.zone ?? timezone, timezone])]
  const clocks = zones.map(
    (zone, index) =>
      `strftime(min(x AT TIME ZONE ${literal(zone)}), '%H:%M:%S') AS z${index}, count(DISTINCT ((x AT TIME ZONE ${literal(zone)})::TIME)) AS n${index}`,
  )
  const row = await engine.row(
    `SELECT ${clocks.join(', ')} FROM (SELECT DISTINCT ${source.time?.sql} AS x FROM ${source.from})`,
  )
  const constant = zones.flatMap((zone, index) =>
    Number(row[`n${index}`]) === 1 ? [{ zone, clock: String(row[`z${index}`]) }] : [],
  )
  if (constant.length === 0 || constant.some(({ clock }) => clock === '00:00:00')) return undefined
  return `${constant[0]?.clock} ${constant[0]?.zone}`
}

async function findRewrittenHistory(engine: Engine, view: View, times: Times): Promise<Leak | undefined> {
  const { source, rows, distinct, oldest, newest } = times
  const { name, source: declared } = source.found
  const { key, end } = traitsOf(declared)
  const column = source.time?.name ?? ''
  const base = {
    view: view.name,
    source: name,
    column,
    features: [],
    as_of: null,
    rows,
    examples: [],
    fix: `load ${name} so that every change adds a row with its own ${column}, or keep full copies (kind: snapshots)`,
  }
  if (distinct === 1) {
    return {
      ...base,
      kind: 'load-date',
      severity: 'error',
      message: `valid_from ${column} of source ${name} is the time of the load: all ${rows} rows begin at the same time, so as-ofs after it see each key as loaded, and those before it see none`,
    }
  }
  const keys = key.map((each) => `s.${identifier(each)}`).join(', ')
  const { most } = await engine.row(
    `SELECT max(n) AS most FROM (SELECT count(*) AS n FROM ${source.from} GROUP BY ${keys})`,
  )
  const days = ((newest ?? 0) - (oldest ?? 0)) / 86_400_000
  if (Number(most) > 1 || rows < 100 || days < 90 || end !== undefined) return undefined
  return {
    ...base,
    kind: 'rewritten',
    severity: 'warning',
    message: `no key of source ${name} has a second row in ${duration(days * DAY_MS)}: the file may hold only the newest state with an old ${column}, which every later as-of sees`,
  }
}
