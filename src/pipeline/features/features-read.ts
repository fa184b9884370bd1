import { stat } from 'node:fs/promises'
import { blame } from '../engine/blame.ts'
import { classify } from '../engine/classify.ts'
import type { SourceTypes } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import type { Share } from '../shards/buckets.ts'
import { declaredColumns } from '../sources/declared-columns.ts'
import type { SourceFile } from '../sources/sources.ts'
import { type CutQuery, suspectsOf } from '../sql/cut-query.ts'

/** What was read of each source: its columns, as their types are in all files together. */
export function sourceTypes({ tables }: Pick<CutQuery, 'tables'>): SourceTypes {
  return Object.fromEntries(
    tables.map(({ found, schema, columns }) => {
      const keys = schema.columns.filter(({ isKey }) => isKey)
      return [found.name, [...new Set([...columns, ...declaredColumns(found, schema), ...keys])]]
    }),
  )
}

/** The recorded inputs must be those that were read. Throws a transient Failure. */
export async function refuseChanged(files: SourceFile[]): Promise<void> {
  for (const file of files) {
    const now = await stat(file.path).catch(() => undefined)
    if (now?.size === file.size && now.mtimeMs === file.modified) continue
    const what = now === undefined ? 'was removed' : 'changed'
    throw new Failure('transient', `${file.shown} ${what} while it was read: the run must be repeated`, {
      evidence: { file: file.shown, changed: true },
    })
  }
}

/** Names the input file that caused the error, if one did, and adds what is known of the inputs. */
export async function explain(
  error: unknown,
  query: CutQuery,
  request: {
    temp: string
    threads: number
    memoryLimit?: string | undefined
    share?: Share | undefined
  },
  { files, warnings }: { files: SourceFile[]; warnings: string[] },
): Promise<Failure> {
  // A file that was replaced while DuckDB read it looks broken but is not.
  const changed: unknown = await refuseChanged(files).catch((failure: unknown) => failure)
  if (changed !== undefined) return classify(changed)
  const failure = classify(await blame(error, suspectsOf(query.sources, request.share), request))
  if (warnings.length === 0 || failure.failureClass !== 'contract') return failure
  return new Failure('contract', `${failure.message}. Besides: ${warnings.join('; ')}`, {
    cause: failure,
    evidence: { ...failure.evidence, warnings },
  })
}
