import type { NightState } from '../../../jobs/backfills/backfill-nights.ts'
import type { Backfill } from '../../../jobs/backfills/backfill-records.ts'
import { type Face, faceOfState } from '../../../ledger/nights/faces.ts'
import type { RunState } from '../../../ledger/nights/run-records.ts'
import { stateMark } from '../../state-mark.ts'

/** The state of a backfill. One that is done may have nights that failed. */
export function backfillMark({ state, failed, held }: Pick<Backfill, 'state' | 'failed' | 'held'>) {
  const faces: Record<Backfill['state'], Face> = {
    running: 'running',
    paused: 'waiting',
    done: failed + held === 0 ? 'published' : 'failed',
    cancelled: 'skipped',
  }
  return stateMark(faces[state], state)
}

/** `2026-03-02 to 2026-03-09`. */
export function spanOf({ from, to }: Pick<Backfill, 'from' | 'to'>): string {
  return from === to ? from : `${from} to ${to}`
}

/** How a night of a backfill is drawn, and the word for it. */
export function faceOfNight(state: NightState, run: RunState | null): [face: Face, words: string] {
  switch (state) {
    case 'left':
      return ['expected', 'not started']
    case 'skipped':
      return ['skipped', 'left as it was']
    case 'active':
      return run === 'running' || run === 'publishing' ? ['running', 'running'] : ['waiting', 'waiting']
    case 'held':
      return ['held', 'held back']
    case 'published':
    case 'failed':
      return [faceOfState(state), state]
  }
}
