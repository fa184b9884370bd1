import { availableParallelism } from 'node:os'
import type { MovedSlice } from '../../alerts/incidents/incident-facts.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import { excess } from '../../pipeline/drift/excess.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import type { Profile } from '../../pipeline/profile/profile.ts'
import type { Model, View } from '../../project/project.ts'
import { isThere } from '../../storage/warehouse-files.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import type { Reference } from './reference.ts'

/** The rows that account for the shift, and the columns used to find them; empty if unknown. */
export interface NightSlices {
  slices: MovedSlice[]
  segments: string[]
}

export const NO_SLICES: NightSlices = { slices: [], segments: [] }

const MOST_COLUMNS = 3
const MOST_SEGMENTS = 5
/** A text column with more values identifies customers rather than groups. */
const MOST_VALUES = 30
/** Without these rows the shift would be at least a fifth smaller. */
const LEAST_CARRIED = 0.2

/**
 * Finds the plans or regions that account for the largest shifts of a night, using `evaluation.segments` or else text
 * columns with few values. Empty if no feature moved or the reference's rows are gone. A failure is logged, since the
 * night is compared without it.
 */
export async function slicesOf(
  { children, log }: Pick<Context, 'children' | 'log'>,
  night: {
    model: Model
    view: View
    reference: Reference
    profile: Profile
    drift: Drift[]
    features: string
    temp: string
  },
  options: TaskOptions,
): Promise<NightSlices> {
  const { model, view, profile, features, temp } = night
  const moved = night.drift
    .filter((each) => each.drifted && !each.score)
    .sort((a, b) => excess(b) - excess(a))
    .slice(0, MOST_COLUMNS)
  const reference: string[] = []
  for (const path of night.reference.files) if (await isThere(path)) reference.push(path)
  const segments = segmentsOf(model, profile)
  if (moved.length === 0 || segments.length === 0 || reference.length === 0) return NO_SLICES
  const slices: MovedSlice[] = []
  try {
    for (const { column } of moved) {
      const request = {
        reference: reference.map((path) => ({ features: path })),
        tonight: { features },
        entity: view.entity,
        column,
        by: segments,
        temp,
        threads: availableParallelism(),
      }
      const found = await children.run('slices', request, options)
      const carriers = found.slices.filter(({ carried }) => carried >= LEAST_CARRIED)
      slices.push(...carriers.map((slice) => ({ ...slice, column })))
    }
  } catch (error) {
    const failure = classify(error)
    if (failure.failureClass === 'transient') throw error
    log.warn(
      { failure: failure.toRecord() },
      `could not find which rows of ${model.name} account for its drift`,
    )
    return NO_SLICES
  }
  return { slices, segments }
}

/** Text columns with several values, but not too many. */
function segmentsOf(model: Model, { columns }: Profile): string[] {
  const { segments } = model.evaluation
  return columns
    .filter(({ column, kind }) => kind === 'category' && (segments.length === 0 || segments.includes(column)))
    .filter(({ distinct }) => distinct > 1 && distinct <= MOST_VALUES)
    .map(({ column }) => column)
    .slice(0, MOST_SEGMENTS)
}
