import { describe, expect, it } from 'vitest'
import { authorNamed, personNamed } from '../../src/project/people.ts'
import type { Role } from '../../src/project/project.ts'

const people: Record<string, Role> = { ann: 'approver', joe: 'operator', eve: 'viewer' }

describe('--by', () => {
  it('names an operator or an approver where nights are changed, and a rollback is one of that', () => {
    for (const by of ['ann', 'joe']) {
      expect(personNamed({ people }, by)).toBe(by)
      expect(authorNamed({ people }, by, 'rollback')).toBe(by)
    }
    const refusal =
      '--by: expected an operator or an approver of nightshift.yaml (ann, joe), got: eve, who is a viewer'
    expect(() => personNamed({ people }, 'eve')).toThrow(refusal)
    expect(() => authorNamed({ people }, 'eve', 'rollback')).toThrow(refusal)
  })

  it('names an approver where a version goes live', () => {
    expect(authorNamed({ people }, 'ann', 'promote')).toBe('ann')
    expect(() => authorNamed({ people }, 'joe', 'promote')).toThrow(
      '--by: expected an approver of nightshift.yaml (ann), got: joe, who is an operator',
    )
    expect(() => authorNamed({ people: { joe: 'operator' } }, 'joe', 'promote')).toThrow(
      'there is none: add one under people',
    )
    expect(() => authorNamed({ people }, undefined, 'promote')).toThrow('expected --by WHO')
  })

  it('names nobody else, and anybody where no people are declared', () => {
    expect(() => personNamed({ people }, 'jo')).toThrow('joe')
    expect(authorNamed({ people: {} }, 'whoever', 'promote')).toBe('whoever')
    expect(personNamed({ people }, undefined)).toBeNull()
  })
})
