import type { Pool } from 'pg'
import type { Project } from '../project/project.ts'

/** The views that models and their versions read. */
export async function viewsOfModels(
  pool: Pool,
  project: Pick<Project, 'models'>,
  models: string[],
): Promise<string[]> {
  const { rows } = await pool.query<{ view: string }>(
    'select distinct view from nightshift.versions where model = any($1)',
    [models],
  )
  const declared = models.flatMap((name) => project.models[name]?.view ?? [])
  return [...new Set([...declared, ...rows.map(({ view }) => view)])].sort()
}
