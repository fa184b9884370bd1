import type { EChartsOption } from 'echarts'

/** A picture before it is drawn: a plain value, so that pages, reports and mails draw the same one. */
export interface Chart {
  /** Of Apache ECharts, without functions; its colours are those of `colours.ts`. */
  option: EChartsOption
  title: string
  /** Says in words what the picture shows, for whoever does not see it. */
  description: string
  /** Pixels, at any width. */
  height: number
  /** The same figures as a table, where there is one. */
  table?: { head: string[]; rows: string[][] }
}

export const FONT_SIZE = 12
