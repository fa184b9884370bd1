import type { Hono } from 'hono'
import type { Place } from './page-context.ts'
import { mountIncidents } from './pages/incidents.ts'
import { mountMails } from './pages/mails.ts'
import { mountModel } from './pages/model.ts'
import { mountNight } from './pages/night.ts'
import { mountOverview } from './pages/overview.ts'
import { mountRegistry } from './pages/registry.ts'
import { mountRunbook } from './pages/runbook.ts'
import { mountRuns } from './pages/runs.ts'
import { mountStyle } from './style/mount-style.ts'

/** Mounts every page: one file each. */
export function mountPages(app: Hono, place: Place): void {
  mountStyle(app)
  mountOverview(app, place)
  mountRuns(app, place)
  mountNight(app, place)
  mountMails(app, place)
  mountModel(app, place)
  mountIncidents(app, place)
  mountRegistry(app, place)
  mountRunbook(app, place)
}
