import { localTimes } from '../alerts/time.ts'

/** Why a night whose labels could be there is not measured; undefined where their time has not come. */
export function unmeasured(
  { matures_at, note }: { matures_at: string; note: string | null },
  now: Date,
  timezone: string,
): string | undefined {
  if (Date.parse(matures_at) > now.getTime()) return undefined
  // The note is of the last look, which may have been before that moment.
  if (note === null || note.endsWith('lies in the future'))
    return 'its label window is over, and it has not been looked at since'
  return localTimes(note, timezone)
}
