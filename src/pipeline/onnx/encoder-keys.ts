import { readTensor, text } from './constants.ts'
import { type AttributeProto, int64ToNumber, type NodeProto } from './proto.ts'

/** What an encoder looks values up by. */
export interface EncoderKeys {
  values: (string | number)[]
  /** The keys are integers, to which a number is cut before it is looked up. */
  integers: boolean
  /** An unknown value is an error. */
  refuses: boolean
}

/** The values that an encoder knows; undefined for any other node. */
export function encoderKeys(node: NodeProto, type: 'text' | 'number'): EncoderKeys | undefined {
  const attribute = (name: string) => node.attribute?.find((each) => each.name === name)
  switch (node.op_type) {
    case 'OneHotEncoder': {
      const zeros = attribute('zeros')
      const refuses = zeros !== undefined && int64ToNumber(zeros.i) === 0
      return keys([attribute('cats_strings'), attribute('cats_int64s')], refuses)
    }
    case 'LabelEncoder':
      return (
        keys(['keys_strings', 'keys_int64s', 'keys_floats', 'keys_tensor'].map(attribute)) ??
        places(attribute('classes_strings'), type)
      )
    case 'CategoryMapper': {
      const texts = keys([attribute('cats_strings')])
      return type === 'text' ? texts : keys([attribute('cats_int64s')])
    }
    default:
      return undefined
  }
}

function keys(attributes: (AttributeProto | undefined)[], refuses = false): EncoderKeys | undefined {
  for (const attribute of attributes) {
    if (attribute === undefined) continue
    const { strings, ints, floats, t } = attribute
    if (strings?.length) return { values: strings.map(text), integers: false, refuses }
    if (ints?.length) return { values: ints.map(int64ToNumber), integers: true, refuses }
    if (floats?.length) return { values: floats, integers: false, refuses }
    const tensor = t ? readTensor(t)?.values : undefined
    if (tensor?.length) return { values: tensor, integers: false, refuses }
  }
  return undefined
}

/** The first edition of LabelEncoder turns a text into its place in the list, and a place into its text. */
function places(classes: AttributeProto | undefined, type: 'text' | 'number'): EncoderKeys | undefined {
  const found = keys([classes])
  if (found === undefined || type === 'text') return found
  return { ...found, values: found.values.map((_, place) => place), integers: true }
}
