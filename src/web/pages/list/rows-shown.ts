import type { Project } from '../../../project/project.ts'
import type { Viewer } from '../../page-context.ts'

/**
 * Whether a user sees the rows that failed an expectation or differ from training. Operators decide about them, so they do; a viewer
 * only where everyone sees rows.
 */
export function seesFailedRows(
  { pages: { rows } }: Pick<Project, 'pages'>,
  viewer: Viewer | null | undefined,
): boolean {
  return rows === 'everyone' || viewer?.role === 'operator'
}

/** Why a user does not see single rows of published scores; undefined where they do. */
export function rowsRefused(
  { pages: { rows } }: Pick<Project, 'pages'>,
  viewer: Viewer | null,
): string | undefined {
  switch (rows) {
    case 'nobody':
      return 'Single rows are not shown: pages.rows in nightshift.yaml names nobody.'
    case 'operators':
      return viewer?.role === 'operator'
        ? undefined
        : 'Single rows are for operators (pages.rows in nightshift.yaml).'
    case 'everyone':
      return viewer === null ? 'Single rows are for those who are signed in.' : undefined
  }
}
