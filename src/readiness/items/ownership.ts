import { localDay } from '../../format/clock-time.ts'
import { chargeOf, latestAcceptance } from '../acceptances.ts'
import { fail, type Item, pass } from '../item.ts'
import { isSamePerson } from '../same-person.ts'

export const ownership: Item = {
  id: 'ownership',
  title: 'Ownership',
  question: 'Whose model is it, who is called at night, who reads it, and has somebody taken it over?',
  async ask({ database, project, model, now }) {
    const { name, owner, consumers } = model
    const file = `models/${name}/model.yaml`
    const link = `/models/${name}/readiness#accepted`
    const onCall = new Set(model.on_call.map((each) => each.trim().toLowerCase()))
    const missing = [
      ...(owner.trim() === '' ? ['no owner'] : []),
      ...(onCall.size < 2
        ? [`${onCall.size === 0 ? 'nobody' : 'one address'} on call, two different ones are needed`]
        : []),
      ...(consumers.length === 0 ? ['no consumers: who reads the scores?'] : []),
    ]
    if (missing.length > 0)
      return fail(`${file}: ${missing.join('; ')}`, `edit ${file}, then nightshift validate`, link)
    const unknown = [...onCall].filter(
      (each) =>
        Object.keys(project.people).length > 0 &&
        !Object.keys(project.people).some((one) => one.toLowerCase() === each),
    )
    if (unknown.length > 0)
      return fail(
        `${unknown.join(', ')} on call, but not among the people of nightshift.yaml`,
        'edit nightshift.yaml',
        link,
      )
    const accepted = await latestAcceptance(database.pool, name)
    const accept = `nightshift accept ${name} --by WHO`
    if (accepted === undefined) return fail('nobody but its owner has accepted it', accept, link)
    const day = localDay(accepted.at, project.timezone)
    if (isSamePerson(accepted.by, owner))
      return fail(`${accepted.by} accepted it on ${day}, and owns it now`, accept, link)
    if (Date.parse(accepted.at) > now.getTime())
      return fail(`its acceptance lies in the future (${day})`, accept, link)
    if (accepted.charge !== chargeOf(model))
      return fail(
        accepted.charge === null
          ? `${accepted.by} accepted it on ${day}, before owner, on-call and consumers were recorded with it`
          : `${accepted.by} accepted it on ${day}: owner, on-call or consumers have changed since, so the acceptance has lapsed`,
        accept,
        link,
      )
    return pass(
      `owned by ${owner}, ${onCall.size} on call, read by ${consumers.join(', ')}, accepted by ${accepted.by} on ${day}`,
      link,
    )
  },
}
