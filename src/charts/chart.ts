import type { EChartsOption } from 'echarts'

/** A chart before rendering: a plain value, so that pages, reports and mails render the same one. */
export interface Chart {
  /** An Apache ECharts option without functions; its colours are those of `colours.ts`. */
  option: EChartsOption
  title: string
  /** Text description of the chart, for screen readers. */
  description: string
  /** Pixels, at any width. */
  height: number
  /** The same figures as a table, where there is one. */
  table?: Figures
}

/** `by`: what each row is, such as `night`. */
export interface Figures {
  by: string
  head: string[]
  rows: string[][]
  /** Rows are in the order of time, and read newest first. */
  overTime?: true
}

export const FONT_SIZE = 12
