export interface ModelValue {
  name: string
  /** Element type of a tensor, such as `float32`; `sequence`, `map`, `optional` or `opaque` for anything else. */
  type: string
  /** Sizes, names of free dimensions, null where the file says nothing; null as a whole where even the rank is open. */
  shape: Dimension[] | null
}

export type Dimension = number | string | null
