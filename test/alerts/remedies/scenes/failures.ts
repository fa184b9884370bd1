import type { Scene } from '../scene.ts'
import { BUG_SCENES } from './bug-scenes.ts'
import { CONTRACT_SCENES } from './contract-scenes.ts'
import { LATE_DATA_SCENES } from './late-data-scenes.ts'
import { MODEL_SCENES } from './model-scenes.ts'
import { PARITY_SCENES } from './parity-scenes.ts'
import { RESOURCE_SCENES } from './resource-scenes.ts'
import { TRANSIENT_SCENES } from './transient-scenes.ts'

/** In the order in which they are played: the first scenes of models make the versions of the others. */
export const FAILURES: Scene[] = [
  ...MODEL_SCENES,
  ...LATE_DATA_SCENES,
  ...CONTRACT_SCENES,
  ...RESOURCE_SCENES,
  ...TRANSIENT_SCENES,
  ...PARITY_SCENES,
  ...BUG_SCENES,
]
