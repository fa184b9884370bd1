import { hourAndMinute, localTimes } from '../../format/clock-time.ts'
import { type Face, faceOf } from '../../ledger/nights/faces.ts'
import type { TrustFacts } from './trust-facts.ts'

const PENDING: Face[] = ['expected', 'waiting', 'running']
const FATES: Partial<Record<Face, string>> = {
  failed: 'not computed',
  held: 'held until someone decides',
  skipped: 'given up',
}

/** The newest night, which readers do not have. */
export interface MissingNight {
  partition: string
  face: Face
  /** It is not late yet and may still be published by itself. */
  isPending: boolean
  text: string
}

/** Undefined if readers have the newest night as it was last computed. */
export function missingNight(facts: TrustFacts): MissingNight | undefined {
  const { now, timezone, features } = facts
  const { last } = facts.latest
  if (last === undefined || last.state === 'published') return undefined
  const own = faceOf(last, now)
  // A night that waits for features which will not arrive by themselves has their status.
  const behind = features === undefined ? own : faceOf(features.slot, now)
  const waits = PENDING.includes(own) || own === 'late'
  const isBlocked = waits && (behind === 'failed' || behind === 'held' || behind === 'skipped')
  const face = isBlocked ? behind : own
  const promised = last.deadline === null ? '' : `, promised by ${hourAndMinute(last.deadline, timezone)}`
  // The data that its features wait for is news, that it waits for them is not.
  const awaited =
    last.waits_for ?? (behind === 'waiting' || behind === 'late' ? features?.slot.waits_for : null) ?? null
  const what: Record<Face, string> = {
    failed: `The night failed: ${facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    held: `Held until someone decides: ${facts.run?.failed_checks[0] ?? facts.run?.failure?.message ?? last.reason ?? 'see its page'}`,
    late: `Late${promised}: ${awaited ?? last.reason ?? `it is ${last.state}`}`,
    running: `It is being computed${promised}.`,
    waiting: `It waits${promised}: ${awaited ?? last.reason ?? 'for a free worker'}`,
    expected: awaited === null ? `It has not started${promised}.` : `It waits${promised}: ${awaited}`,
    skipped: `It was given up: ${last.reason ?? 'no reason was given'}`,
    published: '',
    tardy: '',
  }
  const why = features?.run?.failed_checks[0] ?? features?.run?.failure?.message ?? features?.slot.reason
  const text = isBlocked ? `Its features were ${FATES[behind]}: ${why ?? 'see their page'}` : what[face]
  const again = last.published_run === null ? '' : ' Readers keep the earlier output of this night.'
  return {
    partition: last.partition,
    face,
    isPending: PENDING.includes(face),
    text: `${localTimes(text, timezone)}${again === '' ? '' : `${/[.!?]$/.test(text) ? '' : '.'}${again}`}`,
  }
}
