import { realpath } from 'node:fs/promises'
import { asOfLiteral } from '../dataset/as-of-literal.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { compare } from './compare.ts'
import { foreignColumn, foreignValue } from './foreign-file.ts'
import { type Against, factsOf, type ParityFacts, type ParityRequest } from './parity-facts.ts'
import { columnsOf, withEngine } from './parity-sides.ts'

/**
 * Rows that were computed outside Nightshift: CSV or Parquet. An entity that is on one side alone differs in all of
 * its values, but for published ones that a sample leaves out on purpose. Throws `contract` Failures where they
 * cannot be compared. */
export async function againstFile(
  request: ParityRequest,
  { path, allowMissing = false }: Extract<Against, { kind: 'file' }>,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, path], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const left = parquet(await realpath(published))
    const file = literal(await realpath(path))
    const csv = /\.(csv|tsv|txt)(\.gz)?$/i.test(path)
    const read = csv ? `read_csv(${file}, all_varchar = true, header = true)` : parquet(await realpath(path))
    const others = await columnsOf(engine, read).catch((cause: unknown) => {
      throw new Failure(
        'contract',
        `${path}: expected a CSV or Parquet file, got: ${cause instanceof Error ? firstLine(cause.message) : String(cause)}`,
        { cause },
      )
    })
    const columns = await columnsOf(engine, left)
    const find = (name: string) => others.find((other) => other.name.toLowerCase() === name.toLowerCase())
    const own = columns.filter(({ name }) => !entity.includes(name))
    const missingKeys = entity.filter((name) => find(name) === undefined)
    const known = own.filter(({ name }) => find(name) !== undefined)
    if (missingKeys.length > 0 || known.length === 0) {
      throw new Failure(
        'contract',
        `${path}: expected the entity (${entity.join(', ')}) and columns of view ${request.view.name} (${own.map(({ name }) => name).join(', ')}), got: ${others.map(({ name }) => name).join(', ')}`,
      )
    }
    const keys = entity.map((name) => {
      const type = columns.find((column) => column.name === name)?.type ?? 'VARCHAR'
      const given = find(name)
      const value = foreignValue(
        identifier(given?.name ?? name),
        given?.type ?? 'VARCHAR',
        type,
        request.timezone,
      )
      return `${value} AS ${identifier(name)}`
    })
    const rest = known.map(({ name }) => `${identifier(find(name)?.name ?? name)} AS ${identifier(name)}`)
    const asOf = find('as_of')
    const where =
      asOf === undefined || entity.includes(asOf.name) || known.some(({ name }) => name === asOf.name)
        ? ''
        : ` WHERE ${asOfValue(request, asOf)} = ${asOfLiteral(request.asOf)}`
    const right = `(SELECT ${[...keys, ...rest].join(', ')} FROM ${read}${where})`
    await refuseDoubles(engine, path, right, entity)
    const comparison = await compare({
      engine,
      left,
      right,
      entity,
      columns: known.map((column) => {
        const type = find(column.name)?.type ?? 'VARCHAR'
        return foreignColumn(column, type, { csv, timezone: request.timezone })
      }),
    })
    if (comparison.rows === 0) {
      throw new Failure(
        'contract',
        `${path}: expected entities of the night (${entity.join(', ')} such as ${comparison.examples_only.published.join(', ')}), got: ${comparison.examples_only.other.join(', ') || 'no rows'}${where === '' ? '' : ` with as_of ${request.asOf.label}`}`,
      )
    }
    const result = factsOf(request, {
      against: path,
      own: known,
      comparison,
      types: [],
      missing: own.filter(({ name }) => find(name) === undefined).map(({ name }) => name),
      more: [],
      hash: request.published.viewHash,
      changed: [],
      strictTypes: false,
      ignoreOnlyPublished: allowMissing,
      foreign: true,
    })
    if (comparison.only_published > 0)
      result.notes.push(
        `${comparison.only_published} published entities are not in the file${allowMissing ? ', as --allow-missing has it' : ': where it is a sample on purpose, add --allow-missing'}`,
      )
    if (result.missing_columns.length > 0)
      result.notes.push(`not in the file, and not compared: ${result.missing_columns.join(', ')}`)
    return result
  })
}

/** Of hourly nights an instant, in UTC where the file does not say otherwise. */
function asOfValue({ asOf, timezone }: ParityRequest, { name, type }: Column): string {
  return asOf.label.includes('T')
    ? foreignValue(identifier(name), type, 'TIMESTAMP', 'UTC')
    : foreignValue(identifier(name), type, 'DATE', timezone)
}

async function refuseDoubles(engine: Engine, path: string, from: string, entity: string[]): Promise<void> {
  const key = entity.map((name) => `coalesce(${identifier(name)}::VARCHAR, 'null')`).join(` || '/' || `)
  const rows = await engine.rows(
    `SELECT ${key} AS entity, count(*)::INTEGER AS n FROM ${from} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 5`,
  )
  if (rows.length === 0) return
  throw new Failure(
    'contract',
    `${path}: expected one row for each ${entity.join(', ')} of the night, got several: ${rows.map((row) => `${row.entity} (${row.n} times)`).join(', ')}. A column as_of tells nights apart`,
  )
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
