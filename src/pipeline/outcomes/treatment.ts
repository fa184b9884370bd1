import type { OutcomeFacts } from './outcome-facts.ts'
import type { Night } from './rows.ts'

/**
 * Whose figures are measured. Entities that were acted on because of a high score may behave differently than
 * predicted: figures over all entities then measure the campaign as much as the score. `where` chooses the rows of the
 * night's `select`, of which there are `rows`.
 */
export function treatmentOf(
  night: Pick<Night, 'acted' | 'labelled' | 'treated' | 'controls' | 'treatedControls'>,
  declared: { treated: boolean; control: boolean; decides: boolean },
): { where: string; rows: number; treated: OutcomeFacts['treated'] } {
  const { acted, labelled, controls, treatedControls: both } = night
  const facts = { known: declared.treated, rows: acted }
  if (declared.control) {
    const treatedNote =
      both === 0 ? '' : `; ${both} of them were acted on although a control group must not be`
    return {
      where: 'control',
      rows: controls,
      treated: {
        ...facts,
        measured_on: 'control',
        biased: both > 0,
        note: `measured on the control group alone, ${controls} of ${labelled} rows with a label${treatedNote}`,
      },
    }
  }
  if (declared.treated) {
    const rows = labelled - night.treated
    const note =
      acted === 0
        ? null
        : `measured on the ${rows} rows that were not acted on: without the highest scores, which are acted on, the range of scores is narrower; a random control group (outcomes.control) avoids this`
    return {
      where: 'NOT treated',
      rows,
      treated: { ...facts, measured_on: 'untreated', biased: false, note },
    }
  }
  return {
    where: 'true',
    rows: labelled,
    treated: {
      ...facts,
      measured_on: 'all',
      biased: declared.decides,
      note: declared.decides
        ? 'the campaign influences these figures: entities that were acted on may have behaved differently than predicted, and it is not declared which those are; declare outcomes.treated or outcomes.control in model.yaml'
        : null,
    },
  }
}

/**
 * Whose the business figures are where quality is measured on fewer: their SQL reads the tables of the whole night.
 */
export function businessText({
  treated,
  business,
}: Pick<OutcomeFacts, 'treated' | 'business'>): string | undefined {
  if (business.length === 0 || treated.measured_on === 'all') return undefined
  const whose = treated.measured_on === 'control' ? 'the control group' : 'those that were not acted on'
  return `business figures read the labels of all rows, including those that were acted on; the others are measured on ${whose}`
}
