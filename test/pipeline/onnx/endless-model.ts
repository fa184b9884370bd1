import { ATTRIBUTE, TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { tensorValue } from './attribute.ts'
import { small } from './small.ts'

/** x as long as true is true. */
export const endless = small(
  [tensorValue('x', 'float32', ['n', 1])],
  [tensorValue('y', 'float32', ['n', 1])],
  [
    {
      op_type: 'Constant',
      output: ['on'],
      attribute: [{ name: 'value', type: ATTRIBUTE.tensor, t: { data_type: TENSOR.bool, int32_data: [1] } }],
    },
    {
      op_type: 'Loop',
      input: ['', 'on', 'x'],
      output: ['y'],
      attribute: [
        {
          name: 'body',
          type: ATTRIBUTE.graph,
          g: {
            name: 'body',
            input: [
              tensorValue('turn', 'int64', []),
              tensorValue('on_in', 'bool', []),
              tensorValue('x_in', 'float32', ['n', 1]),
            ],
            output: [tensorValue('on_out', 'bool', []), tensorValue('x_out', 'float32', ['n', 1])],
            node: [
              { op_type: 'Identity', input: ['on_in'], output: ['on_out'] },
              { op_type: 'Identity', input: ['x_in'], output: ['x_out'] },
            ],
          },
        },
      ],
    },
  ],
)
