import { fail, type Item } from '../item.ts'

export const dashboard: Item = {
  id: 'dashboard',
  title: 'Dashboard',
  question: 'Can a business reader see whether last night’s scores can be trusted?',
  async ask() {
    return fail('no evidence is collected yet', `nightshift up`)
  },
}
