import { fail, type Item } from '../item.ts'

export const shadow: Item = {
  id: 'shadow',
  title: 'Shadow',
  question: 'Has the version scored beside the live process for long enough, and do its scores agree?',
  async ask({ model }) {
    return fail('no evidence is collected yet', `nightshift shadow ${model.name} --version N`)
  },
}
