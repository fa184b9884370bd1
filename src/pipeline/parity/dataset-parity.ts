import { realpath } from 'node:fs/promises'
import { asOfLiteral } from '../dataset/as-of-literal.ts'
import { Failure } from '../engine/failure.ts'
import { parquet } from '../engine/quote.ts'
import { compare } from './compare.ts'
import { type Against, factsOf, type ParityFacts, type ParityRequest } from './parity-facts.ts'
import { castTo, columnsOf, withEngine } from './parity-sides.ts'

/** The stored rows of a training set of the same as-of. Throws `contract` Failures where it has none. */
export async function againstDataset(
  request: ParityRequest,
  against: Extract<Against, { kind: 'dataset' }>,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, ...against.files], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const left = parquet(await realpath(published))
    const paths = await Promise.all(against.files.map(async (path) => await realpath(path)))
    const stored = await columnsOf(engine, `(SELECT as_of FROM ${parquet(paths)})`)
    const type = stored[0]?.type === 'TIMESTAMP' ? 'TIMESTAMP' : 'DATE'
    const right = `(SELECT * FROM ${parquet(paths)} WHERE as_of = ${asOfLiteral(request.asOf, type)})`
    const [columns, others] = [await columnsOf(engine, left), await columnsOf(engine, right)]
    const own = columns.filter(({ name }) => !entity.includes(name))
    const pairs = own.map((column) => ({ column, other: others.find(({ name }) => name === column.name) }))
    const comparison = await compare({
      engine,
      left,
      right,
      entity,
      columns: pairs.flatMap(({ column, other }) => (other === undefined ? [] : [castTo(column, other)])),
    })
    const result = factsOf(request, {
      against: `dataset ${against.id}`,
      own,
      comparison,
      types: pairs.flatMap(({ column, other }) =>
        other === undefined || other.type === column.type
          ? []
          : [{ column: column.name, published: column.type, other: other.type }],
      ),
      missing: pairs.filter((pair) => pair.other === undefined).map(({ column }) => column.name),
      more: [],
      hash: against.viewHash,
      changed: [],
      strictTypes: true,
      // Entities without a label are in no training set.
      ignoreOnlyPublished: true,
    })
    if (comparison.rows === 0 && comparison.only_other === 0) {
      throw new Failure(
        'contract',
        `training set ${against.id} has no rows as of ${request.asOf.label}: parity --dataset compares a night that is one of its as-ofs`,
      )
    }
    if (comparison.only_published > 0) {
      result.notes.push(
        `${comparison.only_published} published entities have no label, and are in no training set`,
      )
    }
    return result
  })
}
