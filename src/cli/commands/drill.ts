import { askedVersion } from '../../actions/ask-gate.ts'
import type { GlobalOptions } from '../../cli.ts'
import { runDrill } from '../../host/drills/run-drill.ts'
import { openQuietLog } from '../../host/open-log.ts'
import { withSession } from '../../host/session.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { parseDuration } from '../../project/time/duration.ts'
import { DRILLS } from '../../readiness/drills/drill-record.ts'
import { tidily } from '../../workers/interruption.ts'
import { personNamed } from '../terminal/find.ts'
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
    const kind = DRILLS.find((each) => each === what)
    if (kind === undefined)
      throw new ConfigurationError(`drill ${name}: expected ${DRILLS.join(', ')}, got: ${what}`)
    const wait = parseDuration(options.wait, '--wait')
    const { version, champion } = await askedVersion(session, model, options.version)
    if (version === undefined)
      throw new ConfigurationError(
        `drill ${name}: expected a registered version, got: none; nightshift register ${name} FILE.onnx`,
      )
    const by = personNamed(project, options.by)
    const log = openQuietLog(session.environment.logLevel)
    const done = await tidily((signal) =>
      runDrill(kind, {
        session: { ...session, log },
        model,
        version,
        champion: champion?.version === version.version ? undefined : champion,
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
