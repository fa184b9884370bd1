import type { Source } from '../../project/project.ts'
import { LOCAL } from '../../project/time/zone.ts'
import { isTimestamp, type TimeColumn, ZONED } from './time-column.ts'

/** The zones by which a source's times are read, `local` resolved to the project's. */
export interface Zones {
  /** Of TIMESTAMP columns and of hive keys with a time of day. */
  timestamps: string
  /** Of DATE columns and of hive dates: their days are local days here. */
  dates: string
  /** Of single columns, by name in lower case. */
  columns: Map<string, string>
}

export function zonesOf({ timezone, timezones }: Source, projectZone: string): Zones {
  return {
    timestamps: timezone ?? 'UTC',
    dates: timezone ?? projectZone,
    columns: new Map(
      Object.entries(timezones ?? {}).map(([name, zone]) => [
        name.toLowerCase(),
        zone === LOCAL ? projectZone : zone,
      ]),
    ),
  }
}

/**
 * How the raw values of a column are read. A TIMESTAMP WITH TIME ZONE says its instant itself; with a zone of its own
 * (`timezones`) what it shows in UTC is a wall time of that zone, as of any other timestamp.
 */
export function timeColumn(zones: Zones, { name, type }: { name: string; type: string }): TimeColumn {
  const standard = type === ZONED ? 'UTC' : isTimestamp(type) ? zones.timestamps : zones.dates
  return { type, zone: zones.columns.get(name.toLowerCase()) ?? standard }
}
