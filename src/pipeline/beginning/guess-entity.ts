import { isTime } from '../cut/time-column.ts'
import type { Engine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'
import { bareName, isSameName, plainName, sqlName } from './data-paths.ts'
import type { Guess } from './guess.ts'
import type { ColumnLook, TableLook } from './table-look.ts'

/** A table that was looked at. */
export interface Looked extends TableLook {
  name: string
  /** SQL after FROM of its rows. */
  from: string
}

/** What one row of the features is of, and which columns say so in each table that has them. */
export interface Entity {
  /** Names in the features. */
  columns: string[]
  /** By table, in the same order. A table without an entry has no such columns. */
  in: Record<string, string[]>
  guess: Guess
}

const PERSON =
  /customer|client|user|member|account|subscriber|person|patient|employee|driver|student|company|merchant|vendor|supplier|device|machine|vehicle|sensor|store|shop|product|article|sku|kunde|konto|msisdn/
const WHOLE_PERSON = new RegExp(`^(?:${PERSON.source})s?$`)
const SOMEBODY = /^(?:customer|client|user|member|account|subscriber|patient|employee|student|kunde)s?$/
const ID = /(?:^|_)(?:id|key|no|nr|num|number|code|uuid|guid|hash)$/
const KINDS = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|VARCHAR|UUID)$/

/**
 * Guesses the entity: a column that several tables share, that is named as an id of somebody, and that is unique where
 * a table has no time. Else what has one row at each time, or a pair that is unique. Throws a contract Failure that lists the columns
 * where nothing identifies a row; `given` (--entity) has to be columns of a table.
 */
export async function guessEntity(
  engine: Engine,
  tables: Looked[],
  given: string[] | undefined,
): Promise<Entity> {
  if (given !== undefined) return givenEntity(tables, given)
  const candidates = candidatesIn(tables).sort((a, b) => b.points - a.points)
  const [best, second] = candidates
  if (best !== undefined && best.points >= 3) {
    const isClose = second !== undefined && second.points >= best.points
    return entityOf(tables, [best.name], {
      what: `entity ${best.name}`,
      why: `${best.why.join(', ')}${second === undefined ? '' : `; ${second.name} is another candidate`}`,
      sure: isClose ? 'unsure' : best.points >= 5 ? 'sure' : 'likely',
      other: `init ... --entity ${second?.name ?? 'COLUMN'}, or a list for several columns`,
    })
  }
  // Of what happens again and again no pair of columns says whose it is, even where it is unique.
  if (best !== undefined && best.points > 0 && isTimed(tables, best.name)) {
    return entityOf(tables, [best.name], {
      what: `entity ${best.name}`,
      why: `${best.why.join(', ')}; ${second === undefined ? 'nothing else says what a row is of' : `${second.name} is another candidate`}`,
      sure: 'unsure',
      other: 'init ... --entity COLUMN, or a list for several columns',
    })
  }
  const measured = await oneAtEachTime(engine, tables)
  if (measured !== undefined) {
    return entityOf(tables, [measured.name], {
      what: `entity ${measured.name}`,
      why: `each ${measured.name} has one row at each ${measured.time}`,
      sure: 'unsure',
      other: 'init ... --entity COLUMN, or a list for several columns',
    })
  }
  const pair = await uniquePair(engine, tables)
  if (pair !== undefined) {
    return entityOf(tables, pair, {
      what: `entity ${pair.join(' and ')}`,
      why: 'no single column identifies a row, and these two together do',
      sure: 'likely',
      other: 'init ... --entity COLUMN [COLUMN]',
    })
  }
  const unique = tables.flatMap(({ rows, columns }) =>
    columns.filter(
      (column) => KINDS.test(column.type) && isUnique(column, rows) && column.time === undefined,
    ),
  )[0]
  if (unique !== undefined) {
    return entityOf(tables, [unique.name], {
      what: `entity ${unique.name}`,
      why: 'its values are all different, though its name does not say that it is an id',
      sure: 'unsure',
      other: 'init ... --entity COLUMN',
    })
  }
  throw new Failure(
    'contract',
    `init: expected a column, or a pair of columns, that says what a row is of, such as customer_id, got none that does: ${columnsOf(tables)}. Say it with --entity COLUMN (several columns: --entity A B); nothing was written`,
  )
}

function givenEntity(tables: Looked[], given: string[]): Entity {
  const entity = entityOf(tables, given, {
    what: `entity ${given.join(', ')}`,
    why: 'given',
    sure: 'sure',
    other: '',
  })
  if (Object.keys(entity.in).length > 0) return entity
  throw new Failure(
    'contract',
    `init: expected --entity to be columns of a table, got: ${given.join(', ')}; the tables have: ${columnsOf(tables)}; nothing was written`,
  )
}

function isDated({ type, time }: ColumnLook): boolean {
  return time !== undefined || isTime(type)
}

/** Each table that has the column has a time too. */
function isTimed(tables: Looked[], name: string): boolean {
  return tables.every(
    ({ columns }) => !columns.some((each) => isSameName(each.name, name)) || columns.some(isDated),
  )
}

function columnsOf(tables: Looked[]): string {
  return tables
    .map(({ name, columns }) => `${name} (${columns.map((each) => each.name).join(', ')})`)
    .join('; ')
}

function entityOf(tables: Looked[], names: string[], guess: Guess): Entity {
  const found: Entity = { columns: names, in: {}, guess }
  for (const { name, columns } of tables) {
    const own = names.map((each) => columns.find((column) => isSameName(column.name, each))?.name)
    const whole = own.flatMap((each) => each ?? [])
    if (whole.length === names.length) found.in[name] = whole
  }
  // As written where it was first seen, in a table that writes it as SQL does if there is one.
  const written = Object.values(found.in)
  const first = written.find((own) => own.every((each) => sqlName(each) === each)) ?? written[0]
  return { ...found, columns: first ?? names }
}

interface Candidate {
  name: string
  points: number
  why: string[]
}

function candidatesIn(tables: Looked[]): Candidate[] {
  const names = new Map<string, string>()
  for (const { columns } of tables)
    for (const { name, type, isKey } of columns)
      if (!isKey && KINDS.test(type) && ![...names.values()].some((each) => isSameName(each, name)))
        names.set(bareName(name), name)
  return [...names.values()].flatMap((name) => {
    const plain = plainName(name)
    const having = tables.flatMap(({ rows, columns }) => {
      const column = columns.find((each) => isSameName(each.name, name))
      return column === undefined ? [] : [{ rows, column, others: columns }]
    })
    const points: [number, string][] = []
    const isId = ID.test(plain)
    const isPerson = isId ? PERSON.test(plain) : WHOLE_PERSON.test(plain)
    if (having.some(({ column }) => column.time !== undefined && !isId)) return []
    const unique = having.filter(({ rows, column }) => isUnique(column, rows))
    // A column of two tables that is different in each row of one of them says whose the rows of the other are.
    const isShared = having.length > 1 && unique.length > 0 && unique.length < having.length
    if (!isId && !isPerson && !isShared) return []
    if (isId) points.push([2, 'its name is that of an id'])
    if (isPerson)
      points.push([isId ? 2 : 1, isId ? 'of somebody or something' : 'it is named as somebody or something'])
    if (having.length > 1) points.push([2, `it is in ${having.length} of ${tables.length} tables`])
    if (unique.length > 0 && (having.length > 1 || tables.length === 1))
      points.push([
        1,
        tables.length === 1 ? 'its values are all different' : 'its values are all different in one of them',
      ])
    // The number of an order is different in each row, as the number of the customer is not.
    const isOwn =
      !isPerson && unique.length === having.length && having.some(({ others }) => hasOther(others, name))
    if (isOwn) points.push([-3, 'each row has one of its own'])
    if (having.every(({ column, rows }) => rows > 20 && column.distinct <= 2)) points.push([-3, 'few values'])
    return [
      {
        name,
        points: points.reduce((sum, [n]) => sum + n, 0),
        why: points.filter(([n]) => n > 0).map(([, words]) => words),
      },
    ]
  })
}

/** Another id, or of what happened somebody who is named: `visit_no, client, at`. */
function hasOther(columns: ColumnLook[], own: string): boolean {
  return columns.some(({ name, distinct }) => {
    if (isSameName(name, own)) return false
    const other = plainName(name)
    return ID.test(other) || (SOMEBODY.test(other) && columns.some(isDated) && distinct > 1)
  })
}

/** Of many rows distinct values are estimates, some percent off. */
function isUnique({ distinct, nulls }: ColumnLook, rows: number): boolean {
  return rows > 0 && nulls === 0 && distinct >= 0.93 * rows
}

/** At most so many columns are paired. */
const MOST_PAIRED = 8

async function uniquePair(engine: Engine, tables: Looked[]): Promise<string[] | undefined> {
  for (const { columns, rows, from } of tables) {
    const some = columns.filter(isSoundKey).slice(0, MOST_PAIRED)
    for (const [index, a] of some.entries()) {
      for (const b of some.slice(index + 1)) {
        if (a.distinct * b.distinct < 0.9 * rows) continue
        if (await isKey(engine, from, [a.name, b.name], rows)) return [a.name, b.name]
      }
    }
  }
  return undefined
}

/** A column that has several rows, and one at each time: what is measured, where no name says so. */
async function oneAtEachTime(
  engine: Engine,
  tables: Looked[],
): Promise<{ name: string; time: string } | undefined> {
  for (const { columns, rows, from } of tables) {
    for (const { name: time } of columns.filter((each) => isDated(each) && each.nulls === 0))
      for (const { name, distinct } of columns.filter(isSoundKey).slice(0, MOST_PAIRED))
        if (distinct < rows / 2 && (await isKey(engine, from, [name, time], rows))) return { name, time }
  }
  return undefined
}

/** Neither a time nor a text that is a fraction. */
function isSoundKey(column: ColumnLook): boolean {
  const { type, nulls, distinct, points, commas, thousands } = column
  return (
    KINDS.test(type) && !isDated(column) && nulls === 0 && distinct > 1 && points + commas + thousands === 0
  )
}

/** No two rows have the same values of these columns. */
export async function isKey(engine: Engine, from: string, names: string[], rows: number): Promise<boolean> {
  const { n } = await engine.row(
    `SELECT count(DISTINCT (${names.map(identifier).join(', ')})) AS n FROM ${from}`,
  )
  return Number(n) === rows
}
