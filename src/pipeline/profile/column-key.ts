import type { ColumnProfile } from './profile.ts'

/** What a column is known by: a feature may have the name of the scores' column. */
export function columnKey({ column, score }: Pick<ColumnProfile, 'column' | 'score'>): string {
  return `${score ? 'score' : 'feature'} ${column}`
}
