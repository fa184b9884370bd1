import { once } from 'node:events'
import { startScheduler } from '../jobs/wake-scheduler.ts'
import { mayListen } from '../web/security/listen.ts'
import { openUsers } from '../web/security/users.ts'
import { beginTidy, interruption } from '../workers/interruption.ts'
import { type Choice, expectChoice } from './chosen-work.ts'
import { openHost } from './host.ts'
import { withSession } from './session.ts'
import { usersSourceOf } from './users-source.ts'

interface Parts {
  scheduler: boolean
  worker: boolean
  /** The address of the web pages; undefined: no pages. */
  web: { port: number; host: string } | undefined
  places: number | undefined
  /** What its worker takes; default everything. */
  choice?: Choice
}

/** Runs parts of Nightshift until SIGINT or SIGTERM; a second signal kills the process. */
export function serve(options: { project: string }, parts: Parts): Promise<number> {
  return withSession(
    options,
    async (session) => {
      const { log, project, environment } = session
      // Check the address before starting anything.
      const users = openUsers(usersSourceOf(project.root, environment), (message) => log.error(message))
      if (parts.choice !== undefined) expectChoice(project, parts.choice)
      if (parts.web !== undefined) mayListen(parts.web.host, users)
      const queues = await session.queues()
      const { stop, release } = beginTidy({ limited: false })
      const closers: (() => Promise<void>)[] = [async () => release()]
      try {
        const host = await openHost(session, {
          role: parts.worker ? 'worker' : parts.scheduler ? 'scheduler' : 'web',
          places: parts.worker ? (parts.places ?? 2) : 0,
          scope: parts.scheduler ? 'calendar' : 'ledger',
          ...(parts.choice === undefined ? {} : { choice: parts.choice }),
        })
        closers.push(() => host.close())
        if (parts.scheduler) {
          closers.push(startScheduler(host.wake))
        }
        if (parts.web !== undefined) {
          const { startWeb } = await import('../web/start-web.ts')
          const web = await startWeb(
            { database: session.database, queues, project: host.context.project },
            {
              ...parts.web,
              users,
              metricsToken: environment.metricsToken,
              isProxy: environment.isProxy,
              onPublished: host.context.onPublished,
              log,
            },
          )
          closers.push(() => web.close())
          const who = users().size === 0 ? 'no users: local access only' : `${users().size} users`
          log.info(`pages at ${web.url}, queue board at ${web.url}/queues (${who})`)
        }
        const names = [
          parts.scheduler && 'scheduler',
          parts.worker && 'worker',
          parts.web !== undefined && 'web',
        ]
        log.info(
          { queue: queues.backend, ledger: session.database.embedded ? 'embedded' : 'DATABASE_URL' },
          `${project.name}: ${names.filter(Boolean).join(', ')} ready`,
        )
        if (!stop.aborted) await once(stop, 'abort')
        log.info(`${interruption()?.signal}: closing; running attempts have 10 s to finish`)
      } finally {
        for (const close of closers.reverse()) await close()
      }
      return 0
    },
    { role: parts.worker ? 'worker' : parts.scheduler ? 'scheduler' : 'web', quiet: false },
  )
}
