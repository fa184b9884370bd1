import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '../../project/files/problem.ts'
import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import { featureCut, LAST } from '../cut/cut.ts'
import { type TimeReading, timeReadings } from '../cut/time-readings.ts'
import { classify } from '../engine/classify.ts'
import type { Column, Identity } from '../engine/facts.ts'
import { hasMovedDates } from '../sources/admitted.ts'
import type { CheckedSql } from '../sql/check-sql.ts'
import { type CutQuery, isRefused } from '../sql/cut-query.ts'
import { parseAlone, sourcesRead } from '../sql/parse-alone.ts'
import { bucketProblems } from './bucket-problems.ts'
import { describeOutput, type OutputFiles } from './describe-output.ts'
import { openFeatureQuery } from './feature-query.ts'
import { identityOf } from './view-hash.ts'

export interface ViewRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  /** The project's zone. */
  timezone: string
}

export interface ViewDescription extends Identity {
  /** Builds before 2026-11-28 have cut its sources elsewhere (`hasMovedDates`). */
  movedDates: boolean
  /** Of the view's partitions, in the SQL's order. Empty where a problem stands in the way. */
  columns: Column[]
  /** Errors, warnings and advice, of features.sql and view.yaml. */
  problems: Problem[]
  /** Sources that features.sql reads; all, where it cannot be parsed. */
  reads: string[]
  times: TimeReading[]
}

/**
 * What a view's partitions look like, and all problems with it, from the SQL and the schemas of its
 * sources' files alone: takes some 100 ms however large they are. Throws nothing that is the fault of a file.
 */
export async function describeView({ root, view, timezone }: ViewRequest): Promise<ViewDescription> {
  const files = viewFiles(root, view)
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-describe-')))
  try {
    const query = await openSchemas({ root, view, timezone }, temp, 'read')
    try {
      const { checked } = query
      const { columns, problems } = isRefused(checked)
        ? { columns: [], problems: [] }
        : await describeOutput(query, view, files)
      const isSound = columns.length > 0 && view.perEntity
      const buckets = isSound ? bucketProblems(query, view, files) : []
      const unread = await unreadProblems({ root, view, timezone }, temp, checked)
      return {
        columns,
        problems: [...checked.problems, ...problems, ...buckets, ...unread],
        ...identityOf(checked, view, timezone),
        movedDates: query.sources.some(({ found }) =>
          hasMovedDates(found, featureCut(LAST, LAST.instant, timezone)),
        ),
        reads: sourcesRead(checked, view),
        times: timeReadings(query.tables),
      }
    } finally {
      query.close()
    }
  } catch (error) {
    const checked = await parseAlone(root, view, timezone, temp)
    return {
      columns: [],
      problems: [...checked.problems, sourceProblem(error, files.yaml)],
      ...identityOf(checked, view, timezone),
      movedDates: false,
      reads: sourcesRead(checked, view),
      times: [],
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

/** Opens what features.sql reads, or all that view.yaml declares, without a row. */
function openSchemas(
  { root, view, timezone }: ViewRequest,
  temp: string,
  sources: 'read' | 'declared',
): Promise<CutQuery> {
  return openFeatureQuery({
    root,
    view,
    asOf: LAST,
    cut: featureCut(LAST, LAST.instant, timezone),
    writable: temp,
    temp,
    threads: 1,
    schemaOnly: true,
    sources,
  })
}

/** What is wrong with the sources that labels.sql and `outcomes` alone may read: it is no matter of the columns. */
async function unreadProblems(
  request: ViewRequest,
  temp: string,
  { tables }: CheckedSql,
): Promise<Problem[]> {
  const { root, view } = request
  if (Object.keys(view.sources).every((name) => tables.includes(name))) return []
  try {
    const query = await openSchemas(request, temp, 'declared')
    query.close()
    return []
  } catch (error) {
    return [sourceProblem(error, viewFiles(root, view).yaml)]
  }
}

/** Paths of a view's files as problems name them. */
export function viewFiles(root: string, view: Pick<View, 'folder' | 'sqlFile'>): OutputFiles {
  return { sql: showPath(root, view.sqlFile), yaml: showPath(root, join(view.folder, 'view.yaml')) }
}

/** A source whose files are not there: a path that is misspelt looks the same as one whose data comes later. */
export function sourceProblem(error: unknown, file: string): Problem {
  const failure = classify(error)
  if (failure.failureClass !== 'contract' && failure.failureClass !== 'late-data') throw error
  const at = { file, line: undefined, column: undefined }
  const absent = failure.failureClass === 'late-data' ? { absent: true } : {}
  return { severity: 'error', ...at, message: failure.message, ...absent }
}
