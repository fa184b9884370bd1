import { findRun } from '../ledger/nights/run-records.ts'
import { type Takes, takesRun, type Work } from '../ledger/workers/takes.ts'
import { hasRuns } from '../ledger/workers/wanted-runs.ts'
import { didYouMean } from '../project/files/nearest.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Project } from '../project/project.ts'
import { viewsOfModels } from '../registry/views-of-models.ts'
import type { Context } from '../workers/context.ts'

/** What a worker is told to take, as it was typed. */
export interface Choice {
  only?: Work[] | undefined
  models?: string[] | undefined
}

/** Checks names before anything is started. Throws a ConfigurationError. */
export function expectChoice(project: Project, { only, models }: Choice): void {
  const known = Object.keys(project.models)
  const unknown = models?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(
      `--models: expected models of this project (${known.join(', ') || 'there is none'}), got: ${unknown}${didYouMean(unknown, known)}`,
    )
  const others = models === undefined ? [] : (only ?? []).filter((work) => !OF_MODELS.includes(work))
  if (others.length === 0) return
  throw new ConfigurationError(
    `--models: expected --only to be ${OF_MODELS.join(' or ')}, which are of models, got: ${others.join(', ')}; start another worker for that`,
  )
}

const OF_MODELS: Work[] = ['features', 'scoring']

/** What a worker takes now: with a new version of a model, its view comes to it. */
export interface ChosenWork {
  now(): Takes
  /** Whether runs of this kind are open that it takes. */
  wants(kind: 'features' | 'scores'): Promise<boolean>
  /** Whether the run of a job is its own to take. */
  owns(run: string): Promise<boolean>
}

export async function openChosenWork(
  { database: { pool }, project }: Pick<Context, 'database' | 'project'>,
  { only, models }: Choice,
): Promise<ChosenWork> {
  const read = async (): Promise<Takes> => ({
    only: models === undefined ? (only ?? null) : OF_MODELS.filter((work) => only?.includes(work) ?? true),
    models: models ?? null,
    views: models === undefined ? null : await viewsOfModels(pool, project(), models),
  })
  let takes = await read()
  return {
    now: () => takes,
    async wants(kind) {
      takes = await read()
      return await hasRuns(pool, kind, (kind === 'features' ? takes.views : takes.models) ?? [])
    },
    async owns(id) {
      const run = await findRun(pool, id)
      return run === undefined || takesRun(takes, run)
    },
  }
}
