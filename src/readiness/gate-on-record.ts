import * as z from 'zod'
import type { Gate } from './gate.ts'

const status = z.enum(['pass', 'fail', 'waived'])
const recorded = z.object({
  at: z.string(),
  ready: z.boolean(),
  items: z.array(
    z.object({
      id: z.string(),
      status,
      evidence: z.string(),
      /** As the item gave them, and the end of the waiver that counted; records of earlier builds have none. */
      fix: z.string().nullish(),
      link: z.string().nullish(),
      until: z.string().nullish(),
    }),
  ),
})

/** What the gate said once, as the history and the daily look keep it. */
export type RecordedGate = z.infer<typeof recorded>
export type RecordedItem = RecordedGate['items'][number]

export function gateToRecord({ at, ready, items }: Gate): RecordedGate {
  return {
    at,
    ready,
    items: items.map(({ id, status, evidence, fix, link, waiver }) => ({
      id,
      status,
      evidence,
      fix,
      link,
      until: status === 'waived' ? (waiver?.until ?? null) : null,
    })),
  }
}

/** An item as the gate gives it, or as it is on record. */
interface Summarized {
  status: RecordedItem['status']
  until?: string | null | undefined
  waiver?: { until: string } | null
}

/** Such as `9 of 11, 2 waived until 2026-12-31`: a waiver is no pass. */
export function summaryOf({ items }: { items: Summarized[] }): string {
  const passed = items.filter(({ status }) => status === 'pass').length
  const waived = items.filter(({ status }) => status === 'waived')
  const first = waived.flatMap(({ until, waiver }) => until ?? waiver?.until ?? []).sort()[0]
  const count = waived.length === 0 ? '' : `, ${waived.length} waived`
  return `${passed} of ${items.length}${count}${first === undefined ? '' : ` until ${first}`}`
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
