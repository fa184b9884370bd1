import type { StepName } from '../../failures/remedies.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import type { PageLink } from './letter.ts'
import { modelLink, nightLink, registryLink, runLink, workersLink } from './links.ts'

type Page = (facts: FailureFacts) => string | undefined

const run: Page = (facts) => runLink(facts.baseUrl, facts.run)
const night: Page = (facts) => nightLink(facts.baseUrl, facts)
const model: Page = (facts) =>
  facts.subjectKind === 'model' ? modelLink(facts.baseUrl, facts.subject) : undefined
const readiness: Page = (facts) => model(facts) && modelLink(facts.baseUrl, facts.subject, 'readiness')
const registry: Page = (facts) => model(facts) && registryLink(facts.baseUrl, facts.subject)
/** Where the page of a night or a run has its buttons. */
const buttonsOf =
  (page: Page): Page =>
  (facts) => {
    const address = page(facts)
    return address === undefined ? undefined : `${address}#act`
  }

/** Commands that a page does or shows as well. */
const PAGES: Partial<Record<StepName, [text: string, page: Page]>> = {
  again: ['Run it again on its page', buttonsOf(run)],
  check: ['Open its readiness', readiness],
  doctor: ['Open the workers', ({ baseUrl }) => workersLink(baseUrl)],
  drift: ['Open the night', night],
  forced: ['Open the night', night],
  history: ['Open the registry', registry],
  outcomes: ['Open the model', model],
  parity: ['Open the night', night],
  promote: ['Promote it on its page', readiness],
  release: ['Release it on its page', buttonsOf(run)],
  report: ['Open the night', night],
  rollback: ['Roll back on its page', readiness],
  show: ['Open the run', run],
  skip: ['Skip it on its page', buttonsOf(night)],
  status: ['Open the model', model],
  versions: ['Open the registry', registry],
}

/** The page that does or shows the same as a command: on a phone nobody types one. Undefined: no page does. */
export function pageOf(step: StepName | undefined, facts: FailureFacts): PageLink | undefined {
  const [text, page] = (step === undefined ? undefined : PAGES[step]) ?? []
  const href = page?.(facts)
  return text === undefined || href === undefined ? undefined : { text, href }
}
