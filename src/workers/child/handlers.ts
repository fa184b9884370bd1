import { availableParallelism } from 'node:os'
import type { FactsOf, Progress, RequestOf, TaskName } from './tasks.ts'

/** The implementation of each task in the compute child. DuckDB and ONNX Runtime are loaded on first use. */
export const handlers: {
  [Name in TaskName]: (request: RequestOf<Name>, progress: Progress) => Promise<FactsOf<Name>>
} = {
  async features(request, progress) {
    const { computeFeatures } = await import('../../pipeline/features/compute-features.ts')
    return computeFeatures({ ...request, progress })
  },
  async scores(request, progress) {
    const { scorePartition } = await import('../../pipeline/scoring/score-partition.ts')
    return scorePartition({ ...request, progress })
  },
  async shard(request, progress) {
    const { scoreShard } = await import('../../pipeline/shards/score-shard.ts')
    return scoreShard({ ...request, progress })
  },
  async join(request, progress) {
    const { joinShards } = await import('../../pipeline/shards/join-shards.ts')
    return joinShards({ ...request, progress })
  },
  async divide(request) {
    const { divideFeatures } = await import('../../pipeline/shards/divide-features.ts')
    return divideFeatures(request)
  },
  async 'feature-shard'(request, progress) {
    const { computeShard } = await import('../../pipeline/shards/compute-shard.ts')
    return computeShard({ ...request, progress })
  },
  async 'feature-join'(request, progress) {
    const { joinFeatures } = await import('../../pipeline/shards/join-features.ts')
    return joinFeatures({ ...request, progress })
  },
  async describe(request) {
    const { describeView } = await import('../../pipeline/features/compute-features.ts')
    return describeView(request)
  },
  async labels(request) {
    const { describeLabels } = await import('../../pipeline/dataset/describe-labels.ts')
    return describeLabels(request)
  },
  async inputs(request) {
    const { snapshotInputs } = await import('../../pipeline/features/compute-features.ts')
    return snapshotInputs(request)
  },
  async staleness(request) {
    const { findStale } = await import('../../pipeline/sources/staleness.ts')
    return findStale(request)
  },
  async dataset(request, progress) {
    const { buildDataset } = await import('../../pipeline/dataset/build-dataset.ts')
    return buildDataset({ ...request, progress })
  },
  async evaluate(request) {
    const { evaluate } = await import('../../pipeline/evaluation/evaluate-dataset.ts')
    return evaluate(request)
  },
  async metrics(request) {
    const { checkMetrics } = await import('../../pipeline/outcomes/check-metrics.ts')
    return checkMetrics(request)
  },
  async outcome(request) {
    const { measureOutcome } = await import('../../pipeline/outcomes/measure-outcome.ts')
    return measureOutcome(request)
  },
  async parity(request) {
    const { checkParity } = await import('../../pipeline/parity/check-parity.ts')
    return checkParity(request)
  },
  async leaks(request, progress) {
    const { checkLeaks } = await import('../../pipeline/leaks/check-leaks.ts')
    return checkLeaks({ ...request, progress })
  },
  async listing(request) {
    const { listFiles } = await import('../../pipeline/sources/listing.ts')
    return listFiles(request)
  },
  async restamp(request) {
    const { restamp } = await import('../../pipeline/partition/restamp.ts')
    return restamp(request)
  },
  async lookup(request) {
    const { lookUp } = await import('../../pipeline/scoring/lookup.ts')
    return lookUp(request)
  },
  async 'explain-row'(request) {
    const { explainRow } = await import('../../pipeline/reasons/explain-row.ts')
    return explainRow(request)
  },
  async list(request) {
    const { readList } = await import('../../pipeline/list/read-list.ts')
    return readList(request)
  },
  async 'list-file'(request) {
    const { writeList } = await import('../../pipeline/list/write-list.ts')
    return writeList(request)
  },
  async replay(request) {
    const { replayScores } = await import('../../pipeline/parity/replay-parity.ts')
    return replayScores(request)
  },
  async profile(request) {
    const { profilePartition } = await import('../../pipeline/profile/profile-partition.ts')
    return profilePartition(request)
  },
  async baseline(request) {
    const { baselineOfHoldout } = await import('../../pipeline/profile/baseline.ts')
    return baselineOfHoldout(request)
  },
  async monitor(request) {
    const { monitorPartition } = await import('../../pipeline/drift/monitor-partition.ts')
    return monitorPartition(request)
  },
  async slices(request) {
    const { findSlices } = await import('../../pipeline/drift/find-slices.ts')
    return findSlices(request)
  },
  async 'first-night'(request) {
    const { baselineOfNight } = await import('../../pipeline/profile/baseline.ts')
    return baselineOfNight(request)
  },
  async compare(request) {
    const { compareScores } = await import('../../pipeline/shadow/compare-scores.ts')
    return compareScores(request)
  },
  async freeze(request) {
    const { freezeCurrent } = await import('../../pipeline/shadow/freeze-current.ts')
    return freezeCurrent(request)
  },
  async inspect({ path }) {
    const { inspectModel } = await import('../../pipeline/onnx/inspect.ts')
    return inspectModel(path)
  },
  async trial(request) {
    const { tryModel } = await import('../../pipeline/scoring/trial.ts')
    return tryModel(request)
  },
  async sample(request) {
    const { writeSample } = await import('../../pipeline/scoring/write-sample.ts')
    return writeSample(request)
  },
  async propose(request) {
    const { proposeSources } = await import('../../pipeline/beginning/propose-sources.ts')
    return proposeSources(request)
  },
  async look(request) {
    const { lookAtFile } = await import('../../pipeline/beginning/propose-sources.ts')
    return lookAtFile(request)
  },
  async example(request) {
    const { runExample } = await import('../../pipeline/examples/run-example.ts')
    return runExample(request)
  },
  async warm() {
    const [{ warmScorers }] = await Promise.all([
      import('../../pipeline/scoring/scorers.ts'),
      import('../../pipeline/scoring/score-partition.ts'),
      import('../../pipeline/features/compute-features.ts'),
    ])
    warmScorers(availableParallelism())
    return {}
  },
}
