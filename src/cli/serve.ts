import type { GlobalOptions } from '../cli.ts'
import { startScheduler } from '../jobs/scheduler.ts'
import { openHost } from './host.ts'
import { withSession } from './session.ts'

interface Parts {
  scheduler: boolean
  worker: boolean
  /** Port of the web pages; undefined: none. */
  port: number | undefined
  places: number | undefined
}

/** Runs parts of Nightshift until SIGINT or SIGTERM; a second signal ends at once. */
export function serve(options: GlobalOptions, parts: Parts): Promise<number> {
  return withSession(
    options,
    async (session) => {
      const { log, project } = session
      const queues = await session.queues()
      const closers: (() => Promise<void>)[] = []
      try {
        const host = await openHost(session, {
          role: parts.worker ? 'worker' : parts.scheduler ? 'scheduler' : 'web',
          places: parts.worker ? (parts.places ?? 2) : 0,
          scope: parts.scheduler ? 'calendar' : 'ledger',
        })
        closers.push(() => host.close())
        if (parts.scheduler) {
          const stop = startScheduler(host.wake)
          closers.push(async () => stop())
        }
        if (parts.port !== undefined) {
          const { startWeb } = await import('../web/server.ts')
          const web = await startWeb(
            { database: session.database, queues, project: host.context.project },
            { port: parts.port },
          )
          closers.push(() => web.close())
          log.info(`pages at ${web.url}, queue board at ${web.url}/queues`)
        }
        const names = [
          parts.scheduler && 'scheduler',
          parts.worker && 'worker',
          parts.port !== undefined && 'web',
        ]
        log.info(
          { queue: queues.backend, ledger: session.database.embedded ? 'embedded' : 'DATABASE_URL' },
          `${project.name}: ${names.filter(Boolean).join(', ')} ready`,
        )
        const signal = await untilSignal()
        log.info(`${signal}: closing; what runs is given 10 s`)
      } finally {
        for (const close of closers.reverse()) await close()
      }
      return 0
    },
    { role: parts.worker ? 'worker' : parts.scheduler ? 'scheduler' : 'web', quiet: false },
  )
}

function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    for (const signal of signals) {
      process.once(signal, () => {
        resolve(signal)
        for (const again of signals) process.once(again, () => process.kill(process.pid, 'SIGKILL'))
      })
    }
  })
}
