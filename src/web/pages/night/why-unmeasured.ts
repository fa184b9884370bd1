import { html } from 'hono/html'
import { DUE } from '../../../monitoring/outcomes/unmeasured-night.ts'
import { unmeasured } from '../../../monitoring/outcomes/unmeasured-words.ts'
import type { Html } from '../../layout.ts'
import type { Terminal } from '../../terminal.ts'

/** Why a night is not measured although its label window has ended, with the commands that measure it; undefined before that. */
export function whyUnmeasured(
  night: Parameters<typeof unmeasured>[0],
  { now, timezone, terminal }: { now: Date; timezone: string; terminal: Terminal },
): Html | string | undefined {
  const why = unmeasured(night, now, timezone)
  if (why === undefined || !why.startsWith(DUE)) return why
  return html`${DUE}${terminal(': run ', 'up')}${terminal(' or ', `outcomes ${night.model} --measure`)}`
}
