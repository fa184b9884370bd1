import { relative } from 'node:path'
import { Failure } from '../pipeline/engine/failure.ts'
import type { ViewDescription } from '../pipeline/features/compute-features.ts'
import type { Problem } from '../project/files/problem.ts'
import type { Project, View } from '../project/project.ts'
import type { Children } from '../workers/child/children.ts'

/** Columns and hash of each view whose SQL could be bound to its sources. */
export type DescribedViews = Record<string, ViewDescription>

/**
 * Parses the SQL of every view (or of the given views) and binds it to the current schemas of its sources; computes
 * nothing.
 */
export async function checkViews(
  project: Project,
  children: Children,
  only: View[] = Object.values(project.views),
): Promise<{ views: DescribedViews; problems: Problem[] }> {
  const views: DescribedViews = {}
  const problems: Problem[] = []
  for (const view of only) {
    try {
      const description = await children.run('describe', {
        root: project.root,
        view,
        timezone: project.timezone,
      })
      problems.push(...description.problems)
      views[view.name] = description
    } catch (error) {
      problems.push(asProblem(project, view, error))
    }
  }
  return { views, problems }
}

function asProblem(project: Project, view: View, error: unknown): Problem {
  const at = { line: undefined, column: undefined }
  if (error instanceof Failure && error.failureClass === 'late-data') {
    const message = `${error.message}; the SQL could not be checked against the source`
    return { severity: 'error', file: relative(project.root, `${view.folder}/view.yaml`), ...at, message }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { severity: 'error', file: relative(project.root, view.sqlFile), ...at, message }
}
