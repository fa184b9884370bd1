import { drilledVersion, drillNamed } from '../../actions/drilled-version.ts'
import { runDrill } from '../../host/drills/run-drill.ts'
import { openQuietLog } from '../../host/open-log.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { parseDuration } from '../../project/time/duration.ts'
import { tidily } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  version?: number
  wait: string
  by?: string
}

/** `drill MODEL rollback|failure|alert|drift`: exit code 1 where it failed. */
export default function drill([name = '', what = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project } = session
    const model = modelNamed(project, name)
    const kind = drillNamed(model, what)
    const wait = parseDuration(options.wait, '--wait')
    const drilled = await drilledVersion(session, model, options.version)
    const by = personNamed(project, options.by)
    const log = openQuietLog(session.environment.logLevel)
    const done = await tidily((signal) =>
      runDrill(kind, {
        session: { ...session, log },
        model,
        ...drilled,
        by,
        log,
        signal,
        say: (text) => {
          if (!options.json) printLine(`  ${text}`)
        },
        waitMs: wait.ms,
      }),
    )
    if (options.json) printJson(done)
    else
      printLine(
        `${done.passed ? 'passed' : 'failed'}: drill ${kind} of ${name}, version ${done.version}: ${done.note}`,
      )
    return done.passed ? 0 : 1
  })
}
