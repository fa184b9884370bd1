import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { scoreTitle } from '../../pipeline/onnx/score-output.ts'
import { modelNamed } from '../../project/named.ts'
import { activeChallengers } from '../../registry/challengers.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { warmVersions } from '../../registry/warm.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

export default function versions([name = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const live = await champion(database.pool, model.name)
    const inShadow = new Set(
      (await activeChallengers(database.pool, model.name)).map(({ version }) => version),
    )
    const warm = (await warmVersions(database.pool)).find(
      (each) => each.model === model.name && each.nights <= model.rollback.keep_warm_nights,
    )
    const roleOf = (version: number) =>
      version === live?.version
        ? 'champion'
        : inShadow.has(version)
          ? 'challenger'
          : version === warm?.version
            ? 'kept warm'
            : null
    const rows = (await listVersions(database.pool, model.name)).map((version) => ({
      ...version,
      champion: version.version === live?.version,
      role: roleOf(version.version),
      score: scoreTitle(version.mapping.output),
    }))
    if (options.json) printJson(rows)
    else if (rows.length === 0)
      printLine(`no version of ${model.name} yet: nightshift register ${model.name} FILE.onnx`)
    else {
      printTable(
        ['version', '', 'registered', 'by', 'score', 'view', 'view hash', 'training set', 'sha256'],
        rows.map((row) => [
          row.version,
          row.role,
          clockTime(row.registered_at, project.timezone),
          row.registered_by,
          row.score,
          row.view,
          row.view_hash.slice(0, 12),
          row.dataset,
          row.sha256.slice(0, 12),
        ]),
        { spare: ['by', 'score', 'view hash', 'training set'] },
      )
    }
    return 0
  })
}
