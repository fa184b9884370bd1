import type { Machine } from './machine.ts'

/** A line of docs/performance.md. */
export interface Row {
  what: string
  measured: string
  /** What it is to be, in words; empty where nothing is promised. */
  target: string
  /** undefined where there is no target. */
  met?: boolean | undefined
  command: string
}

/** What is measured together, with the machine that it was measured on. */
export interface Section {
  machine: Machine
  rows: Row[]
}

/** A row that is held against a bound. */
export function within(
  row: Omit<Row, 'target' | 'met' | 'measured'>,
  value: number,
  { most, show }: { most: number; show: (value: number) => string },
): Row {
  return { ...row, measured: show(value), target: `at most ${show(most)}`, met: value <= most }
}

export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} s`
export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`
export const times = (value: number): string => `${value.toFixed(2)} x`
export const megabytes = (value: number): string => `${Math.round(value)} MB`
export const counted = (value: number): string => value.toLocaleString('en-US')
