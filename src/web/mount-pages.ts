import type { Hono } from 'hono'
import type { PageContext } from './page-context.ts'
import { mountBackfills } from './pages/backfills.ts'
import { mountIncidents } from './pages/incidents.ts'
import { mountList } from './pages/list.ts'
import { mountMails } from './pages/mails.ts'
import { mountModel } from './pages/model.ts'
import { mountNight } from './pages/night.ts'
import { mountOverview } from './pages/overview.ts'
import { mountReadiness } from './pages/readiness.ts'
import { mountRegistry } from './pages/registry.ts'
import { mountRunbook } from './pages/runbook.ts'
import { mountRuns } from './pages/runs.ts'
import { mountWorkers } from './pages/workers.ts'
import { mountStyle } from './style/mount-style.ts'

/** Mounts every page; each has its own file. */
export function mountPages(app: Hono, pageContext: PageContext): void {
  mountStyle(app)
  mountOverview(app, pageContext)
  mountRuns(app, pageContext)
  mountList(app, pageContext)
  mountNight(app, pageContext)
  mountMails(app, pageContext)
  mountModel(app, pageContext)
  mountIncidents(app, pageContext)
  mountReadiness(app, pageContext)
  mountBackfills(app, pageContext)
  mountRegistry(app, pageContext)
  mountRunbook(app, pageContext)
  mountWorkers(app, pageContext)
}
