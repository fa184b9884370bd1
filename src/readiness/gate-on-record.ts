import * as z from 'zod'
import type { Gate } from './gate.ts'

const status = z.enum(['pass', 'fail', 'waived'])
const recorded = z.object({
  at: z.string(),
  ready: z.boolean(),
  items: z.array(z.object({ id: z.string(), status, evidence: z.string() })),
})

/** The result of the gate when a version was promoted, as the history keeps it. */
export type RecordedGate = z.infer<typeof recorded>

export function gateToRecord({ at, ready, items }: Gate): RecordedGate {
  return { at, ready, items: items.map(({ id, status, evidence }) => ({ id, status, evidence })) }
}

/** What the gate said, by an entry of the history. Undefined: the entry has no gate, such as a rollback's. */
export function recordedGate(evidence: Record<string, unknown>): RecordedGate | undefined {
  return recorded.safeParse(evidence.gate).data
}

/**
 * The result of the gate in a few words: `gate: 9 of 11 items open` with the ids of those items. Undefined: the entry of
 * the history has no gate, such as a rollback's.
 */
export function gateOnRecord(
  evidence: Record<string, unknown>,
): { text: string; open: string[] } | undefined {
  const gate = recordedGate(evidence)
  if (gate === undefined) return undefined
  const of = (wanted: z.infer<typeof status>) => gate.items.filter((item) => item.status === wanted)
  const open = of('fail').map(({ id }) => id)
  const waived = of('waived').length
  const state = open.length === 0 ? 'ready' : `${open.length} of ${gate.items.length} items open`
  return { text: `gate: ${state}${waived === 0 ? '' : `, ${waived} waived`}`, open }
}
