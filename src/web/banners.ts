import type { Hono } from 'hono'
import { standstill } from '../actions/standstill.ts'
import { activeMutes, mutedText } from '../alerts/incidents/mutes.ts'
import { clockTime } from '../format/clock-time.ts'
import { nowAt, type PageContext, type Viewer } from './page-context.ts'
import { prefixOf } from './terminal.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Sentences above the content of every page. Absent where nobody is signed in. */
    banners?: string[]
  }
}

/** What everybody who looks at a page has to know, whatever the page is about: what keeps work or mails from moving, which mails are muted. */
export function mountBanners(app: Hono, pageContext: PageContext): void {
  app.use(async (context, next) => {
    if (context.req.method === 'GET' && context.get('viewer') !== null)
      context.set('banners', await bannersOf(pageContext, context.get('viewer')))
    return next()
  })
}

async function bannersOf(pageContext: PageContext, viewer: Viewer | null): Promise<string[]> {
  const project = pageContext.project()
  const { timezone } = project
  const mutes = await activeMutes(pageContext.database.pool, await nowAt(pageContext))
  const command = viewer?.role === 'operator' ? prefixOf(project) : null
  const stands = await standstill(pageContext.database, project, command)
  const muted = mutes.map(
    (mute) =>
      `No mails about ${mutedText(mute)} until ${clockTime(mute.until, timezone)}${mute.by === null ? '' : `, muted by ${mute.by}`}.`,
  )
  return [...stands, ...muted]
}
