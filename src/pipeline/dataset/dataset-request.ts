import type { Duration, Source, View } from '../../project/project.ts'
import type { LabelKind } from '../../project/rules/label-kind.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { EntityFile } from './entity-file.ts'
import type { HeldGroups } from './held-groups.ts'

export interface DatasetRequest {
  /** Absolute path of the project. */
  root: string
  model: string
  view: View
  /** Sources that labels.sql sees beside the view's. */
  sources?: Record<string, Source> | undefined
  labels: { sql: string; sqlFile: string; horizon: Duration; lag: Duration; kind?: LabelKind }
  /** Oldest first. Not read where `entities` says the times. */
  asOfs: AsOf[]
  /** The rows that the set is to have; undefined: every entity of the view, at each as-of. */
  entities?: EntityFile | undefined
  /** As-ofs from here on are the holdout; undefined: there is none. */
  holdoutFrom: AsOf | undefined
  /** A holdout of some groups at all as-ofs, in place of one of the last as-ofs. */
  holdoutGroups?: HeldGroups | undefined
  timezone: string
  /** ISO 8601: the clock, and when the sources are read. */
  now: string
  /** Folder of the model's training sets, made where it is missing. */
  folder: string
  /** Where it is built; the caller has made it below `folder` and removes it. Default: one of its own. */
  building?: string | undefined
  threads: number
  memoryLimit?: string | undefined
  /** False: what the rows of its inputs come to is not asked, and its id says nothing of them. Default: true. */
  hashed?: boolean
  /** Of Nightshift, for the manifest. */
  release: string
  progress?: (text: string, done?: number, total?: number) => void
}
