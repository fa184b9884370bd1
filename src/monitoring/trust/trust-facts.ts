import type { ListedIncident } from '../../alerts/incidents/list-incidents.ts'
import type { Face } from '../../ledger/nights/faces.ts'
import type { BriefRun, Latest } from '../../ledger/nights/latest.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import type { Model } from '../../project/project.ts'
import type { LatestOutcome, NightEvidence } from '../evidence.ts'

/** An open incident of a model or of its view. */
export type OpenIncident = Pick<ListedIncident, 'id' | 'kind' | 'bad'> & {
  facts?: Pick<ListedIncident['facts'], 'quality'>
}

/** What is known about the list that readers of a model have, and about its newest night. */
export interface TrustFacts {
  now: Date
  timezone: string
  /** `published` is the list that readers have. */
  latest: Pick<Latest, 'last' | 'published' | 'next'>
  /** The slot of the features that the newest night uses, and its newest run. */
  features: { slot: Slot; run: BriefRun | undefined } | undefined
  /** The newest run of the newest night, and the run whose scores readers have. */
  run: BriefRun | undefined
  published: BriefRun | undefined
  /** The live version. */
  champion: number | undefined
  /** Evidence, parity and outcome are those of the list that readers have. */
  evidence: NightEvidence | undefined
  parity: { differing: number | null; values: number | null; late: number | null } | undefined
  outcome: LatestOutcome | undefined
  /** The required bounds of figures in model.yaml. */
  limits: Pick<Model, 'retrain' | 'evaluation'> | undefined
  open: OpenIncident[]
}

export interface Reason {
  /** `doubt`: nothing is wrong yet, but someone should check. */
  face: Face | 'doubt'
  text: string
}
