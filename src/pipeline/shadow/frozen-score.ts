/** Column of the score in the file into which the scores of a current process are copied. */
export const FROZEN_SCORE = 'current_score'
