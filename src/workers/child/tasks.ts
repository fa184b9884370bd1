import type { Proposal, ProposalRequest } from '../../pipeline/beginning/propose-sources.ts'
import type { TableLook } from '../../pipeline/beginning/table-look.ts'
import type { DatasetFacts } from '../../pipeline/dataset/build-dataset.ts'
import type { DatasetRequest } from '../../pipeline/dataset/dataset-request.ts'
import type { LabelsDescription, LabelsRequest } from '../../pipeline/dataset/describe-labels.ts'
import type { SliceFacts, SlicesRequest } from '../../pipeline/drift/find-slices.ts'
import type { MonitorFacts, MonitorRequest } from '../../pipeline/drift/monitor-partition.ts'
import type { EngineBounds } from '../../pipeline/engine/engine-bounds.ts'
import type {
  FeatureFacts,
  Identity,
  InputFile,
  ScoreFacts,
  Usage,
  WrittenFile,
} from '../../pipeline/engine/facts.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { EvaluationFacts, EvaluationRequest } from '../../pipeline/evaluation/evaluate-dataset.ts'
import type { ExampleFacts, ExampleRequest } from '../../pipeline/examples/run-example.ts'
import type {
  FeatureRequest,
  InputsRequest,
  ViewDescription,
  ViewRequest,
} from '../../pipeline/features/compute-features.ts'
import type { LeakFacts, LeaksRequest } from '../../pipeline/leaks/check-leaks.ts'
import type { ListFacts, ListRequest } from '../../pipeline/list/read-list.ts'
import type { ListFileRequest } from '../../pipeline/list/write-list.ts'
import type { ModelFacts } from '../../pipeline/onnx/inspect.ts'
import type { MetricsFacts, MetricsRequest } from '../../pipeline/outcomes/check-metrics.ts'
import type { OutcomeAnswer, OutcomeRequest } from '../../pipeline/outcomes/measure-outcome.ts'
import type { Comparison } from '../../pipeline/parity/compare.ts'
import type { ParityFacts, ParityRequest } from '../../pipeline/parity/parity-facts.ts'
import type { ReplayRequest } from '../../pipeline/parity/replay-parity.ts'
import type { RestampRequest } from '../../pipeline/partition/restamp.ts'
import type { HoldoutRequest, NightRequest } from '../../pipeline/profile/baseline.ts'
import type { Baseline, Profile } from '../../pipeline/profile/profile.ts'
import type { ProfileRequest } from '../../pipeline/profile/profile-partition.ts'
import type { RowFacts, RowRequest } from '../../pipeline/reasons/explain-row.ts'
import type { LookupFacts, LookupRequest } from '../../pipeline/scoring/lookup.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import type { TrialFacts, TrialRequest } from '../../pipeline/scoring/trial.ts'
import type { CompareRequest } from '../../pipeline/shadow/compare-scores.ts'
import type { FreezeRequest, FrozenScores } from '../../pipeline/shadow/freeze-current.ts'
import type { ShadowFigures } from '../../pipeline/shadow/shadow-figures.ts'
import type { FeaturePart, FeatureShardRequest } from '../../pipeline/shards/compute-shard.ts'
import type { Division } from '../../pipeline/shards/divide-features.ts'
import type { FeatureJoinRequest } from '../../pipeline/shards/join-features.ts'
import type { JoinRequest } from '../../pipeline/shards/join-shards.ts'
import type { Part, ShardRequest } from '../../pipeline/shards/score-shard.ts'
import type { ListingRequest } from '../../pipeline/sources/listing.ts'
import type { Stale, StalenessRequest } from '../../pipeline/sources/staleness.ts'

/** Rows done and total rows; the total is undefined while unknown. */
export type Progress = (text: string, rows?: number, total?: number) => void

/**
 * The tasks of a compute child: name, request and result. Both are plain data; the pipeline code is imported when the
 * first task of its kind arrives.
 */
export interface Tasks {
  features: { request: FeatureRequest; facts: FeatureFacts }
  scores: { request: ScoreRequest; facts: ScoreFacts }
  shard: { request: ShardRequest; facts: Part }
  join: { request: JoinRequest; facts: ScoreFacts }
  divide: { request: FeatureRequest; facts: Division | undefined }
  'feature-shard': { request: FeatureShardRequest; facts: FeaturePart }
  'feature-join': { request: FeatureJoinRequest; facts: FeatureFacts }
  describe: { request: ViewRequest; facts: ViewDescription }
  labels: { request: LabelsRequest; facts: LabelsDescription }
  inputs: { request: InputsRequest; facts: { inputs: InputFile[] } & Identity }
  staleness: { request: StalenessRequest; facts: (Stale | undefined)[] }
  dataset: { request: DatasetRequest; facts: DatasetFacts }
  evaluate: { request: EvaluationRequest; facts: EvaluationFacts }
  metrics: { request: MetricsRequest; facts: MetricsFacts }
  outcome: { request: OutcomeRequest; facts: OutcomeAnswer }
  parity: { request: ParityRequest; facts: ParityFacts }
  leaks: { request: LeaksRequest; facts: LeakFacts }
  listing: { request: ListingRequest; facts: { files: number; digest: string } }
  restamp: { request: RestampRequest; facts: WrittenFile }
  lookup: { request: LookupRequest; facts: LookupFacts }
  'explain-row': { request: RowRequest; facts: RowFacts | undefined }
  list: { request: ListRequest; facts: ListFacts }
  'list-file': { request: ListFileRequest; facts: { rows: number } }
  replay: { request: ReplayRequest; facts: Comparison }
  profile: { request: ProfileRequest; facts: Profile }
  baseline: { request: HoldoutRequest; facts: Baseline }
  monitor: { request: MonitorRequest; facts: MonitorFacts }
  slices: { request: SlicesRequest; facts: SliceFacts }
  compare: { request: CompareRequest; facts: ShadowFigures }
  freeze: { request: FreezeRequest; facts: FrozenScores }
  'first-night': { request: NightRequest; facts: Baseline }
  inspect: { request: { path: string }; facts: ModelFacts }
  trial: { request: TrialRequest; facts: TrialFacts }
  sample: { request: { files: { path: string; sql: string }[] }; facts: { written: string[] } }
  propose: { request: ProposalRequest; facts: Proposal }
  look: { request: { root: string; path: string }; facts: Pick<TableLook, 'rows' | 'looked' | 'columns'> }
  example: { request: ExampleRequest; facts: ExampleFacts }
  warm: { request: Record<string, never>; facts: Record<string, never> }
}
export type TaskName = keyof Tasks
export type RequestOf<Name extends TaskName> = Tasks[Name]['request']
export type FactsOf<Name extends TaskName> = Tasks[Name]['facts']

/** Worker to child. */
export interface TaskMessage {
  id: number
  task: TaskName
  request: unknown
  /** The task's folder for what it keeps aside; removed when it has ended. */
  temp: string | undefined
  /** What it may use. Undefined: no bounds. */
  bounds?: EngineBounds | undefined
}

/** Child to worker. */
export type ChildMessage =
  | { id: number; kind: 'progress'; text: string; rows: number | undefined; total: number | undefined }
  | { id: number; kind: 'facts'; facts: unknown; usage: Usage }
  | { id: number; kind: 'failure'; failure: FailureRecord; stack: string; usage: Usage }
