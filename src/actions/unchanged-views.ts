import { ConfigurationError } from '../project/files/problem.ts'
import { viewNamed } from '../project/named.ts'
import { changedView, describeChange, registeredAs } from '../registry/changed-view.ts'
import { findVersion } from '../registry/version-records.ts'
import { isSameView } from '../registry/view-identity.ts'
import { withChild } from '../workers/child/with-child.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** Refuses versions whose view was edited since registration: each of their nights would be refused after a refresh. */
export async function refuseChangedViews(
  { project, database }: ProjectLedger,
  command: string,
  model: string,
  numbers: number[],
): Promise<void> {
  await withChild(project, async (children) => {
    for (const number of numbers) {
      const version = await findVersion(database.pool, model, number)
      if (version === undefined) continue
      const view = viewNamed(project, version.view)
      const described = await children.run('describe', {
        root: project.root,
        view,
        timezone: project.timezone,
      })
      if (described.viewHash === '' || isSameView(version.view_hash, described)) continue
      const change = changedView(project, registeredAs(version), {
        what: 'the view on disk is',
        hash: described.viewHash,
      })
      throw new ConfigurationError(`${command}: ${describeChange(change)}`)
    }
  })
}
