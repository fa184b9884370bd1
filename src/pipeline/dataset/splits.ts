import type { LabelWindow } from '../../project/time/label-window.ts'
import { Failure } from '../engine/failure.ts'
import type { DatasetRequest } from './dataset-request.ts'
import type { HeldGroups } from './held-groups.ts'
import type { Split } from './manifest.ts'

type Splitting = Pick<DatasetRequest, 'holdoutFrom'>

/** An as-of whose label cannot be known yet, and why. */
export interface LeftOut {
  window: LabelWindow
  reason: string
}

export function isHoldout({ holdoutFrom }: Splitting, { asOf }: LabelWindow): boolean {
  return holdoutFrom !== undefined && Date.parse(asOf.instant) >= Date.parse(holdoutFrom.instant)
}

/** Its label looks at days that the holdout's features look at too. */
export function isGap(request: Splitting, window: LabelWindow): boolean {
  const { holdoutFrom } = request
  return (
    holdoutFrom !== undefined &&
    !isHoldout(request, window) &&
    Date.parse(window.end.instant) > Date.parse(holdoutFrom.instant)
  )
}

/** Throws late-data if a requested split is empty. */
export function refuseEmpty(request: Splitting, mature: LabelWindow[], leftOut: LeftOut[]): void {
  const all = [...mature, ...leftOut.map(({ window }) => window)]
  for (const [name, wanted] of [
    ['train', (window: LabelWindow) => !isHoldout(request, window)],
    ['holdout', (window: LabelWindow) => isHoldout(request, window)],
  ] as const) {
    const asked = all.filter(wanted)
    if (asked.length === 0 || mature.some((window) => wanted(window) && !isGap(request, window))) continue
    const reasons = [
      ...leftOut
        .filter(({ window }) => wanted(window))
        .map(({ window, reason }) => `${window.asOf.label}: ${reason}`),
      ...mature
        .filter((window) => wanted(window) && isGap(request, window))
        .map(({ asOf, end }) => `${asOf.label}: its label window ends at ${end.local}, within the holdout`),
    ]
    throw new Failure(
      'late-data',
      `the ${name} split is empty: none of ${asked.map(({ asOf }) => asOf.label).join(', ')} can be used. ${reasons.slice(0, 3).join('; ')}${reasons.length > 3 ? `; and ${reasons.length - 3} more` : ''}`,
      { evidence: { split: name, reasons } },
    )
  }
}

/** Throws late-data where a split has as-ofs, and no rows. */
export function refuseNoRows(name: string, split: Split, groups: HeldGroups | undefined): void {
  if (split.as_of.length === 0 || split.rows > 0) return
  if (groups !== undefined) {
    throw new Failure(
      'late-data',
      `the ${name} split is empty: no group of ${groups.by.join(', ')} with a label falls into it at a share of ${groups.share}: choose another share`,
    )
  }
  throw new Failure(
    'late-data',
    `the ${name} split is empty: as of ${split.as_of.join(', ')} no entity of the view has a label`,
  )
}
