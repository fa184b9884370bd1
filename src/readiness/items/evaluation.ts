import { fail, type Item } from '../item.ts'

export const evaluation: Item = {
  id: 'evaluation',
  title: 'Evaluation',
  question: 'Is the version good enough on data that it was not trained on?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift evaluate ${model.name} --version N --dataset ID`)
  },
}
