import type { BackfillWish } from '../../../actions/nights/request-backfill.ts'
import type { BackfillMode } from '../../../jobs/backfills/plan-backfill.ts'
import { ConfigurationError } from '../../../project/files/problem.ts'
import { readAsOfOption } from '../../../project/time/as-of-option.ts'
import { grainOf } from '../../../project/time/asof.ts'

/** What a backfill may be of, in the words of its form. The options of the command have the same names. */
export const BACKFILL_MODES: Record<BackfillMode, string> = {
  missing: 'missing nights',
  failed: 'failed and held nights',
  stale: 'nights whose inputs have changed',
  all: 'all nights',
}
const MODES: BackfillMode[] = ['missing', 'failed', 'stale', 'all']
/** Planning takes 0.1 ms a night, in which no other page is answered. */
const MOST_NIGHTS = 2_000
const GRAIN_MS = { day: 86_400_000, hour: 3_600_000 }

/** What a form asks for. Default: missing nights. Throws a ConfigurationError for another mode, and for more nights than a page takes. */
export function backfillIn({ from = '', to = '', mode: given = '' }: Record<string, string>): BackfillWish {
  const mode = given === '' ? 'missing' : MODES.find((each) => each === given)
  if (mode === undefined)
    throw new ConfigurationError(
      `backfill: expected one of ${MODES.map((each) => `--${each}`).join(', ')}, got: ${given}`,
    )
  const [first, last] = [readAsOfOption('--from', from), readAsOfOption('--to', to)]
  const nights = Math.round((Date.parse(last.instant) - Date.parse(first.instant)) / GRAIN_MS[grainOf(first)])
  if (nights >= MOST_NIGHTS)
    throw new ConfigurationError(
      `backfill: expected at most ${MOST_NIGHTS} nights from a page, got: ${nights + 1}; the command takes more`,
    )
  return { from, to, mode }
}
