import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '../project/problem.ts'
import type { View } from '../project/project.ts'
import { classify } from './classify.ts'
import { featureCut, LAST } from './cut.ts'
import { openEngine } from './duckdb.ts'
import type { Column } from './facts.ts'
import { openFeatureQuery } from './feature-query.ts'
import { describeOutput, type OutputFiles } from './output.ts'
import { showPath } from './sources.ts'
import { type CheckedSql, checkFeatureSql } from './sql.ts'
import { viewHash } from './view-hash.ts'

export interface ViewRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  /** The project's zone. */
  timezone: string
}

export interface ViewDescription {
  /** Of the view's partitions, in the SQL's order. Empty where a problem stands in the way. */
  columns: Column[]
  /** Errors, warnings (a source without files yet) and advice, of features.sql and view.yaml. */
  problems: Problem[]
  /** Empty where the SQL cannot be parsed. */
  viewHash: string
}

/**
 * What a view's partitions look like, and all that can be said against it, from the SQL and the schemas of its
 * sources' files alone: takes some 100 ms however large they are. Throws nothing that is the fault of a file.
 */
export async function describeView({ root, view, timezone }: ViewRequest): Promise<ViewDescription> {
  const files = viewFiles(root, view)
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-describe-')))
  try {
    const query = await openFeatureQuery({
      root,
      view,
      asOf: LAST,
      cut: featureCut(LAST, LAST.instant, timezone),
      writable: temp,
      temp,
      threads: 1,
      schemaOnly: true,
    })
    try {
      const { checked } = query
      const { columns, problems } = isRefused(checked)
        ? { columns: [], problems: [] }
        : await describeOutput(query, view, files)
      return { columns, problems: [...checked.problems, ...problems], viewHash: hashOf(checked, view) }
    } finally {
      query.close()
    }
  } catch (error) {
    const checked = await checkAlone(view, files, temp, timezone)
    return {
      columns: [],
      problems: [...checked.problems, sourceProblem(error, files)],
      viewHash: hashOf(checked, view),
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

/** The view's hash, which needs none of its files. Empty where the SQL cannot be parsed. */
export async function hashView(root: string, view: View, timezone: string, temp: string): Promise<string> {
  return hashOf(await checkAlone(view, viewFiles(root, view), temp, timezone), view)
}

/** Paths of a view's files as problems name them. */
export function viewFiles(root: string, view: Pick<View, 'folder' | 'sqlFile'>): OutputFiles {
  return { sql: showPath(root, view.sqlFile), yaml: showPath(root, join(view.folder, 'view.yaml')) }
}

async function checkAlone(
  view: View,
  files: OutputFiles,
  temp: string,
  timezone: string,
): Promise<CheckedSql> {
  const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone })
  try {
    return await checkFeatureSql(engine, view.sql, {
      file: files.sql,
      declaredSources: Object.keys(view.sources),
    })
  } finally {
    engine.close()
  }
}

function hashOf(checked: CheckedSql, view: View): string {
  return checked.hash === '' ? '' : viewHash(checked.hash, view)
}

function isRefused({ problems }: CheckedSql): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

/** A source whose files are not there yet is a matter of time, not of the project's files. */
function sourceProblem(error: unknown, files: OutputFiles): Problem {
  const failure = classify(error)
  if (failure.failureClass !== 'contract' && failure.failureClass !== 'late-data') throw error
  const severity = failure.failureClass === 'late-data' ? 'warning' : 'error'
  return { severity, file: files.yaml, line: undefined, column: undefined, message: failure.message }
}
