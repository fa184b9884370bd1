import { fail, type Item } from '../item.ts'

export const featurePipeline: Item = {
  id: 'feature-pipeline',
  title: 'Feature pipeline',
  question: 'Are the features computed on schedule, fresh, within expectations and tested by examples?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift run ${model.name} --as-of DATE`)
  },
}
