import type { BackfillMode } from '../../../jobs/backfills/plan-backfill.ts'
import { ConfigurationError } from '../../../project/files/problem.ts'

/** What a backfill may be of, in the words of its form. The options of the command have the same names. */
export const BACKFILL_MODES: Record<BackfillMode, string> = {
  missing: 'missing nights',
  failed: 'failed and held nights',
  stale: 'nights whose inputs have changed',
  all: 'all nights',
}

/** Default: `missing`. */
export function backfillModeIn(given: string | undefined): BackfillMode {
  const modes: BackfillMode[] = ['missing', 'failed', 'stale', 'all']
  if (given === undefined || given === '') return 'missing'
  const mode = modes.find((each) => each === given)
  if (mode !== undefined) return mode
  throw new ConfigurationError(
    `backfill: expected one of ${modes.map((each) => `--${each}`).join(', ')}, got: ${given}`,
  )
}
