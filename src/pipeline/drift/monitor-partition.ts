import { type Estimate, estimateQuality } from '../profile/estimate.ts'
import type { Profile } from '../profile/profile.ts'
import { type ProfileRequest, profilePartition } from '../profile/profile-partition.ts'
import type { Drift } from './drift-figures.ts'
import { type JudgeRequest, judgeDrift } from './judge-drift.ts'

export interface MonitorRequest {
  partition: ProfileRequest
  /** What the night is compared with; undefined: with nothing. */
  judge: Omit<JudgeRequest, 'tonight'> | undefined
}

export interface MonitorFacts {
  profile: Profile
  drift: Drift[]
  /** What the scores promise of themselves; null where they are no probabilities. */
  estimate: Estimate | null
}

/** What a night looks like, and how far it is from its reference. */
export async function monitorPartition({ partition, judge }: MonitorRequest): Promise<MonitorFacts> {
  const profile = await profilePartition(partition)
  const score = profile.columns.find((column) => column.score)
  return {
    profile,
    drift: judge === undefined ? [] : judgeDrift({ ...judge, tonight: profile }),
    estimate: score?.kind === 'number' ? (estimateQuality(score) ?? null) : null,
  }
}
