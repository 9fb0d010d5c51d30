import { describe, expect, it } from 'vitest'
import { draftOf, semanticOf } from './draft'

const tags = (...values: string[]) => ({ Type: 'Class', Values: values })
const archived = {
  Data: tags('Table'),
  Task: tags('Classification'),
  Library: tags('Others'),
  Scenario: { Type: 'Tag', Values: ['Nature'] },
  License: tags('MIT'),
  Name: { Type: 'String', Values: 'Weeds' },
  Description: { Type: 'String', Values: 'Which weed it is.' },
  Input: { Dimension: 40, Description: { '3': 'height', '0': 'width' } },
  Output: { Dimension: 7, Description: { '0': 'the kind of weed' } },
}

describe('a draft', () => {
  it('comes back as it was where nobody changed it', () => {
    expect(semanticOf(draftOf(archived), archived)).toEqual(archived)
  })

  it('keeps dimensions while something else is changed', () => {
    const told = semanticOf({ ...draftOf(archived), name: 'Other weeds' }, archived)
    expect(told).toMatchObject({ Input: archived.Input, Output: archived.Output })
    expect(told.Name).toMatchObject({ Values: 'Other weeds' })
  })

  it('numbers what is described anew', () => {
    const told = semanticOf({ ...draftOf(archived), outputs: ' corn \n\nrye' }, archived)
    expect(told.Output).toEqual({ Dimension: 2, Description: { '0': 'corn', '1': 'rye' } })
  })
})
