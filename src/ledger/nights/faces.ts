import type { RunState } from './run-records.ts'
import type { Slot } from './slots.ts'

/**
 * The status styles of slots and runs, from worst to best: a colour and a shape of style/state.css, and a word.
 * `tardy` is published after its deadline.
 */
const FACES = [
  'failed',
  'held',
  'late',
  'running',
  'waiting',
  'tardy',
  'published',
  'skipped',
  'expected',
] as const
export type Face = (typeof FACES)[number]

const WORDS: Record<Face, string> = {
  failed: 'failed',
  held: 'held back',
  late: 'late',
  running: 'running',
  waiting: 'waiting',
  tardy: 'published late',
  published: 'published',
  skipped: 'skipped',
  expected: 'expected',
}

/**
 * The status style of a slot at a time: past its deadline it is late, unless it failed or is held, which is more
 * specific.
 */
export function faceOf(slot: Pick<Slot, 'state' | 'deadline' | 'published_at'>, now: Date): Face {
  const { state, deadline, published_at: published } = slot
  const promised = deadline === null ? Number.POSITIVE_INFINITY : Date.parse(deadline)
  if (state === 'published')
    return published !== null && Date.parse(published) > promised ? 'tardy' : 'published'
  if (state === 'failed' || state === 'held' || state === 'skipped') return state
  if (now.getTime() > promised) return 'late'
  return faceOfState(state)
}

export function faceOfState(state: RunState | Slot['state']): Face {
  switch (state) {
    case 'running':
    case 'publishing':
      return 'running'
    case 'queued':
    case 'waiting':
      return 'waiting'
    case 'cancelled':
      return 'skipped'
    default:
      return state
  }
}

export function worst(faces: Face[]): Face | undefined {
  return FACES.find((face) => faces.includes(face))
}

export function wordsOf(face: Face): string {
  return WORDS[face]
}
