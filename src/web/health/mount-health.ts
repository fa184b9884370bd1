import type { Hono } from 'hono'
import type { PageContext } from '../page-context.ts'
import { progressOf } from './work-progress.ts'

/** Requests without sign-in may be frequent: the ledger and the queue are queried at most once a second. */
const FRESH_MS = 1_000

/**
 * `/healthz`: whether the process is alive. `/readyz`: whether work progresses, with a reason for each part; 503 if a part
 * does not. Neither shows a model, a host or an error message: both need no sign-in.
 */
export function mountHealth(app: Hono, pageContext: PageContext): void {
  const since = performance.now()
  app.get('/healthz', (context) => {
    const seconds = Math.round((performance.now() - since) / 1000)
    return context.json({ status: 'ok', reason: `responds, up for ${seconds} s` })
  })

  let last: { at: number; parts: ReturnType<typeof progressOf> } | undefined
  app.get('/readyz', async (context) => {
    const now = performance.now()
    if (last === undefined || now - last.at > FRESH_MS) last = { at: now, parts: progressOf(pageContext) }
    const parts = await last.parts
    const bad = parts.filter(({ ok }) => !ok)
    const notes = parts.filter(({ note }) => note === true).map(({ reason }) => reason)
    const body = {
      status: bad.length === 0 ? 'ready' : 'not ready',
      reason:
        bad.length === 0
          ? ['work progresses', ...notes].join('; ')
          : bad.map(({ reason }) => reason).join('; '),
      checks: parts,
    }
    return context.json(body, bad.length === 0 ? 200 : 503)
  })
}
