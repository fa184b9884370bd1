import type { Database } from '../database/database.ts'
import { publishedRun } from '../jobs/published.ts'
import type { Run } from '../jobs/runs.ts'
import type { InputFile } from '../pipeline/facts.ts'
import type { AsOf } from '../project/asof.ts'
import type { Project, View } from '../project/project.ts'
import type { Children } from './children.ts'

/** Whether a published partition still is what a run would compute now, and if not, why. */
export type Currency = { current: true; run: Run } | { current: false; reason: string }

/** Compares what a view's partition was computed from with what lies there now. Throws as the pipeline does. */
export async function featuresCurrency(
  { database, children }: { database: Database; children: Children },
  project: Project,
  view: View,
  asOf: AsOf,
): Promise<Currency> {
  const run = await publishedRun(database.pool, 'features', view.name, asOf.instant)
  if (run === undefined) return { current: false, reason: 'not published yet' }
  const now = await children.run('inputs', {
    root: project.root,
    view,
    asOf,
    timezone: project.timezone,
  })
  if (now.viewHash !== run.view_hash) return { current: false, reason: 'the view has changed' }
  const change = changedInput(run.inputs, now.inputs)
  return change === undefined ? { current: true, run } : { current: false, reason: change }
}

/** The first difference between two sets of input files, undefined where there is none. */
export function changedInput(before: InputFile[], now: InputFile[]): string | undefined {
  const key = (file: InputFile) => `${file.source}\n${file.path}`
  const known = new Map(before.map((file) => [key(file), file]))
  for (const file of now) {
    const old = known.get(key(file))
    if (old === undefined) return `${file.path} is new`
    if (old.size !== file.size || old.modified !== file.modified || old.rows !== file.rows)
      return `${file.path} has changed`
    known.delete(key(file))
  }
  const [missing] = known.values()
  return missing === undefined ? undefined : `${missing.path} is gone`
}

/** Whether a model's scores are those of this version on these features. */
export async function scoresCurrency(
  database: Database,
  model: string,
  asOf: AsOf,
  wanted: { version: number; featuresRun: string },
): Promise<Currency> {
  const run = await publishedRun(database.pool, 'scores', model, asOf.instant)
  if (run === undefined) return { current: false, reason: 'not published yet' }
  if (run.version !== wanted.version) {
    return {
      current: false,
      reason: `published by version ${run.version}, champion is version ${wanted.version}`,
    }
  }
  if (run.metadata?.features_run !== wanted.featuresRun)
    return { current: false, reason: 'the features have changed' }
  return { current: true, run }
}
