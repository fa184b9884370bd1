import { percent } from '../../format/shares.ts'
import { isTime } from '../cut/time-column.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import { ARRIVAL } from '../leaks/hindsight.ts'
import { columnOf } from '../sources/admitted.ts'
import type { FoundSource } from '../sources/sources.ts'
import { isOfMonths, plainName } from './data-paths.ts'
import { dayOfFolders, type FolderDay } from './folder-day.ts'
import type { Guess } from './guess.ts'
import { isKey, type Looked } from './guess-entity.ts'
import { repeatedRows } from './guess-repeated.ts'
import type { ColumnLook } from './table-look.ts'
import { TIME_READINGS, type TimeReading, timeReading } from './text-times.ts'

/** A table as view.yaml is to declare it, but for its path. */
export interface GuessedSource {
  /** Keys of the source, as written. */
  declared: Record<string, unknown>
  /** Columns whose text or number is read as a time by `select`, with the reading. */
  read: [column: string, reading: TimeReading][]
  /** Columns that `select` adds, with their SQL. */
  added?: Record<string, string>
  /** One row for each entity is seen at an as-of. */
  isState: boolean
  /** The time that orders its rows. */
  time: string | undefined
  /** First and last value of the time, ISO 8601 without a zone. */
  span: { first: string; last: string } | undefined
  guesses: Guess[]
}

interface TimeCandidate {
  column: ColumnLook
  reading: TimeReading | undefined
}

const FROM =
  /^(?:valid_?from|effective_?(?:from|date)|start_?(?:date|time|at)|from_?date|begin\w*|since|gue?ltig_(?:ab|von)|von)$/
const TO =
  /^(?:valid_?(?:to|until|till)|effective_?(?:to|until)|end_?(?:date|time|at)|to_?date|until|expir\w*|gue?ltig_bis|bis)$/
const BIRTH = /birth|born|(?:^|_)dob(?:$|_)|geburt|geboren|(?:^|_)geb(?:$|_)|naissance|nacimiento|nascita/
const PLANNED = /due|expir|until|bis$|deadline|valid_to|scheduled|end_date|contract_end/
const UPDATED = /updat|modif|chang|as_of|snapshot/
const EVENT =
  /event|occur|happen|purchas|order|transact|start|creat|paid|call|visit|click|time|date|_at$|^at$|ts/

/** How the rows of a table lie in time, from types, names, folders and values. */
export async function guessSource(
  engine: Engine,
  found: FoundSource,
  table: Looked,
  entity: string[] | undefined,
  timezone: string,
): Promise<GuessedSource> {
  const guessed = withLocalTimes(table, await guessKind(engine, found, table, entity), timezone)
  if (!guessed.isState)
    return {
      ...guessed,
      guesses: [...guessed.guesses, ...(await repeatedRows(engine, table, hasSelect(guessed)))],
    }
  // Days of a state, such as a birthday, are features: the days since then.
  const read = new Set(guessed.read.map(([name]) => name))
  const others = table.columns.flatMap((column): [string, TimeReading][] => {
    const reading = timeReading(column)
    return reading === undefined || isTwofold(column) || read.has(column.name) ? [] : [[column.name, reading]]
  })
  return { ...guessed, read: [...guessed.read, ...others] }
}

/** Whether `select` reads the files of a source. */
export function hasSelect({ read, added }: Pick<GuessedSource, 'read' | 'added'>): boolean {
  return read.length > 0 || added !== undefined
}

/** Times of day as people write them are of the project's zone, where Parquet's are of UTC. */
function withLocalTimes({ name }: Looked, guessed: GuessedSource, timezone: string): GuessedSource {
  const local = guessed.read.filter(([, { isLocal }]) => isLocal === true)
  if (local.length === 0 || timezone === 'UTC') return guessed
  const columns = local.map(([column]) => column)
  return {
    ...guessed,
    declared: {
      ...guessed.declared,
      timezones: Object.fromEntries(columns.map((column) => [column, timezone])),
    },
    guesses: [
      ...guessed.guesses,
      {
        what: `${columns.join(' and ')} of ${name} ${columns.length === 1 ? 'is' : 'are'} local time of ${timezone}`,
        why: `${local[0]?.[1].words}, which says no zone`,
        sure: 'likely',
        other: `timezones: { ${columns[0]}: UTC }`,
      },
    ],
  }
}

async function guessKind(
  engine: Engine,
  found: FoundSource,
  table: Looked,
  entity: string[] | undefined,
): Promise<GuessedSource> {
  const times = timesIn(table)
  const isOfOne = entity !== undefined && (await isKey(engine, table.from, entity, table.rows))
  const folder = await dayOfFolders(engine, table)
  const [from, to] = [named(times, FROM), named(times, TO)]
  if (entity !== undefined && from !== undefined && to !== undefined) {
    return of(engine, table, [from, to], from, {
      declared: { kind: 'history', key: entity, valid_from: from.column.name, valid_to: to.column.name },
      isState: true,
      guess: {
        what: `${table.name} is a history`,
        why: `${from.column.name} and ${to.column.name} are named as the ends of what is valid`,
        sure: 'likely',
        other: 'kind: events with an event_time, where its rows are events',
      },
    })
  }
  const event = eventTime(found, times)
  if (
    folder !== undefined &&
    (event === undefined || (await isSnapshot(engine, folder.table, entity, folder.name)))
  ) {
    return folders(engine, folder, entity)
  }
  if (event === undefined) return timeless(table, isOfOne)
  const { name } = event.column
  if (isOfOne) {
    const updated = UPDATED.test(plainName(name))
    return of(engine, table, [event], event, {
      declared: { kind: 'history', key: entity, valid_from: name },
      isState: true,
      guess: {
        what: `${table.name} is a history, valid from ${name}`,
        why: `it has one row for each ${entity?.join(', ')}${updated ? ', with the time of its last change' : ''}: rows are seen from that time on, other columns as they are now, whatever they were then`,
        sure: 'unsure',
        other: 'kind: snapshots where copies of several days are kept, which is what training needs',
      },
    })
  }
  if (await isSnapshot(engine, table, entity, name)) {
    return of(engine, table, [event], event, {
      declared: { kind: 'snapshots', snapshot_at: name },
      isState: true,
      guess: {
        what: `${table.name} holds snapshots of ${name}`,
        why: `each of its few times has one row for each ${entity?.join(', ')}`,
        sure: 'likely',
        other: `kind: events, event_time: ${name}`,
      },
    })
  }
  const arrival = await arrivalOf(engine, table, times, event)
  const used = arrival === undefined ? [event] : [event, arrival.time]
  return of(engine, table, used, event, {
    declared: {
      kind: 'events',
      event_time: name,
      ...(arrival === undefined ? {} : { available_at: arrival.time.column.name, cutoff: arrival.cutoff }),
    },
    isState: false,
    guess: {
      what: `${table.name} are events of ${name}`,
      why: `${wordsOf(event)}, ${times.length === 1 ? 'its only time' : `the likeliest of ${times.length} times`}${arrival === undefined ? '' : `; ${arrival.words}`}`,
      sure: isTwofold(event.column)
        ? 'unsure'
        : (event.column.time?.readings.length ?? 1) === 1 && (times.length === 1 || arrival !== undefined)
          ? 'sure'
          : 'likely',
      other: `event_time: ${
        times
          .map(({ column }) => column.name)
          .filter((each) => each !== name)
          .join(' or ') || 'COLUMN'
      }`,
    },
  })
}

function wordsOf({ column, reading }: TimeCandidate): string {
  if (reading === undefined) return `a ${column.type}`
  const twin = column.time?.twin === undefined ? undefined : TIME_READINGS[column.time.twin]
  return twin === undefined
    ? reading.words
    : `${reading.words}, or else ${twin.words.replace('text like ', '')}: every value can be both`
}

/** Its text is a time in two ways, such as 03/04/2026. */
function isTwofold({ time }: ColumnLook): boolean {
  return time?.twin !== undefined
}

function timesIn({ columns, rows }: Looked): TimeCandidate[] {
  return columns.flatMap((column) => {
    const plain = plainName(column.name)
    if (column.isKey || BIRTH.test(plain) || (column.nulls > 0.5 * rows && !TO.test(plain))) return []
    const reading = timeReading(column)
    return isTime(column.type) || reading !== undefined ? [{ column, reading }] : []
  })
}

function named(times: TimeCandidate[], pattern: RegExp): TimeCandidate | undefined {
  return times.find(({ column }) => pattern.test(plainName(column.name)))
}

/** Whole columns come first, then those whose files follow each other, then names. */
function eventTime(found: FoundSource, times: TimeCandidate[]): TimeCandidate | undefined {
  const points = ({ column, reading }: TimeCandidate) => {
    const name = plainName(column.name)
    return (
      (column.nulls === 0 ? 4 : 0) +
      (grows(found, column.name) ? 2 : 0) +
      (reading === undefined ? 1 : 0) +
      (EVENT.test(name) ? 2 : 0) -
      (ARRIVAL.test(name) ? 5 : 0) -
      (PLANNED.test(name) ? 5 : 0)
    )
  }
  return times.toSorted((a, b) => points(b) - points(a))[0]
}

/** Each file begins no earlier than the one before it: they were written as time went on. */
function grows({ files }: FoundSource, name: string): boolean {
  const ranges = files.flatMap((file) => columnOf(file, name)?.range ?? [])
  if (ranges.length < 2 || ranges.length < files.length) return false
  return ranges.every(({ min }, index) => index === 0 || min >= (ranges[index - 1]?.min ?? min))
}

async function isSnapshot(
  engine: Engine,
  table: Looked,
  entity: string[] | undefined,
  time: string,
): Promise<boolean> {
  if (entity === undefined || table.rows === 0) return false
  const { times, each, rows } = await engine.row(
    `SELECT count(DISTINCT ${identifier(time)}) AS times, count(DISTINCT (${entity.map(identifier).join(', ')})) AS each, count(DISTINCT (${[...entity, time].map(identifier).join(', ')})) AS rows FROM ${table.from}`,
  )
  // Copies hold most of the entities, each once; days on which a few things happened do not.
  const [copies, all] = [Number(times), Number(each)]
  return (
    Number(rows) === table.rows && copies > 1 && table.rows >= 3 * copies && copies * all <= 1.5 * table.rows
  )
}

async function folders(
  engine: Engine,
  { name, table, span, folders: named, sql }: FolderDay,
  entity: string[] | undefined,
): Promise<GuessedSource> {
  const copies = await isSnapshot(engine, table, entity, name)
  return {
    declared: copies ? { kind: 'snapshots', snapshot_at: name } : { kind: 'events', event_time: name },
    read: [],
    ...(sql === undefined ? {} : { added: { [name]: sql } }),
    isState: copies,
    time: name,
    span,
    guesses: [
      {
        what: copies ? `${table.name} are snapshots of ${name}` : `${table.name} are events of ${name}`,
        why: copies
          ? `each folder ${named} has one row for each ${entity?.join(', ')}`
          : `the folders ${named} are the only time that they have: rows are seen when the day is over`,
        sure: 'likely',
        other: copies ? `kind: events, event_time: ${name}` : 'event_time: COLUMN',
      },
    ],
  }
}

function timeless(table: Looked, isState: boolean): GuessedSource {
  return {
    declared: { kind: 'static' },
    read: [],
    isState,
    time: undefined,
    span: undefined,
    guesses: [
      {
        what: `${table.name} is static`,
        why: `${isOfMonths(table.columns) ? 'its folders say a month and no day, which is no time of a source' : 'none of its columns is a time'}: every as-of sees it as it is now, which may leak what came later into training, and the gate says so`,
        sure: 'likely',
        other: 'kind: snapshots, once a copy of each day is kept in folders day=2026-11-22',
      },
    ],
  }
}

async function of(
  engine: Engine,
  table: Looked,
  used: TimeCandidate[],
  time: TimeCandidate,
  { declared, isState, guess }: { declared: Record<string, unknown>; isState: boolean; guess: Guess },
): Promise<GuessedSource> {
  const sql = time.reading?.sql(time.column.name) ?? identifier(time.column.name)
  const { first, last, none } = await engine.row(
    `SELECT min(${sql})::TIMESTAMP::VARCHAR AS first, max(${sql}) FILTER (${sql}::TIMESTAMP < TIMESTAMP '2200-01-01')::TIMESTAMP::VARCHAR AS last, count(*) - count(${sql}) AS none FROM ${table.from}`,
  )
  const missing: Guess[] =
    Number(none) === 0
      ? []
      : [
          {
            what: `${none} rows of ${table.name} have no ${time.column.name}`,
            why: 'no as-of sees them',
            sure: 'sure',
            other: '',
          },
        ]
  return {
    declared,
    read: used.flatMap(({ column, reading }): [string, TimeReading][] =>
      reading === undefined ? [] : [[column.name, reading]],
    ),
    isState,
    time: time.column.name,
    span: first === null || last === null ? undefined : { first: String(first), last: String(last) },
    guesses: [guess, ...missing],
  }
}

/**
 * How long after the as-of rows count: no less than the proposed night waits for data, the tick at 04:00 and an hour more, and hardly
 * longer. With a longer one training would see rows that no night had.
 */
const CUTOFF_HOURS = 6

/** When rows arrived: a time by its name that is never before the event. */
async function arrivalOf(
  engine: Engine,
  table: Looked,
  times: TimeCandidate[],
  event: TimeCandidate,
): Promise<{ time: TimeCandidate; cutoff: string; words: string } | undefined> {
  for (const time of times) {
    if (time === event || !ARRIVAL.test(time.column.name)) continue
    const [at, then] = [time, event].map(
      ({ column, reading }) => reading?.sql(column.name) ?? identifier(column.name),
    )
    const { late, rows, seen } = await engine.row(
      `SELECT count_if(${at}::TIMESTAMP >= ${then}::TIMESTAMP) AS late, count(${at}) AS rows, count_if(epoch(${at}::TIMESTAMP) - epoch(${then}::TIMESTAMP) <= ${CUTOFF_HOURS * 3600}) AS seen FROM ${table.from}`,
    )
    if (Number(rows) === 0 || Number(late) < 0.99 * Number(rows)) continue
    return {
      time,
      cutoff: `${CUTOFF_HOURS}h`,
      words: `${time.column.name} is when they arrived, ${percent(Number(seen) / Number(rows))} of them within ${CUTOFF_HOURS} h; a night sees what had arrived ${CUTOFF_HOURS} h after its as-of`,
    }
  }
  return undefined
}
