import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { logisticModel } from '../../pipeline/onnx/logistic-model.ts'
import { initProject } from '../../project/init/init-project.ts'
import { sampleData } from '../../project/init/sample-data.ts'
import { withChild } from '../../workers/child/with-child.ts'

/** Where the sample's ONNX file is, relative to the project. */
export const SAMPLE_MODEL = 'models/lapse/lapse.onnx'

/**
 * A logistic regression fitted to the sample data: its training set of the first 14 Mondays of labels, with an AUC of 0.9 on
 * the four newest. The data is the same for every `today` but for its dates.
 */
const FITTED = {
  mean: [56.560306549072266, 4.240972995758057, 215.97732543945312, 9.936491966247559],
  scale: [0.027817750349640846, 0.2956990897655487, 0.004602153319865465, 0.09691969305276871],
  weight: [-0.11973188072443008, 0.6090060472488403, -0.3112187385559082, 1.7122206687927246],
  intercept: -3.8685779571533203,
}

const INPUTS = ['tenure_days', 'orders_90d', 'spend_90d', 'recency_days']

/**
 * Writes the example of a shop below `root`: a project, its data up to `today` (ISO date), and a model that was fitted to
 * it. Returns the files written, relative to `root`. Throws a ConfigurationError where the folder is not empty.
 */
export async function startProject(root: string, today: string): Promise<string[]> {
  const files = initProject(root, { today })
  const { written } = await withChild(undefined, (children) =>
    children.run('sample', {
      files: sampleData(today).map(({ path, sql }) => ({ path: join(root, path), sql })),
    }),
  )
  writeFileSync(join(root, SAMPLE_MODEL), logisticModel(FITTED, INPUTS, 'nightshift init'), { flag: 'wx' })
  return [...files, SAMPLE_MODEL, ...written.map((path) => relative(root, path))]
}
