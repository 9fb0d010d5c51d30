import { describe, expect, it } from 'vitest'
import { filterOf, readSearch, withValue } from './address'

describe('the address of a search', () => {
  it('keeps what it knows of what anybody wrote, and nothing else', () => {
    const given = { text: 'air', task: 'Regression', library: ['A', 3, ''], other: 'x', data: {} }
    expect(readSearch(given)).toEqual({ text: 'air', task: ['Regression'], library: ['A'] })
  })

  it('holds a value wanted or unwanted, never both', () => {
    const wanted = withValue({}, 'task', 'Regression', 'wanted')
    expect(wanted).toEqual({ task: ['Regression'] })
    const unwanted = withValue(wanted, 'task', 'Regression', 'unwanted')
    expect(unwanted).toEqual({ not_task: ['Regression'] })
    expect(withValue(unwanted, 'task', 'Regression', 'neither')).toEqual({})
  })

  it('is a filter in the words of the service', () => {
    const address = readSearch({ text: 'air', data: ['Table'], not_license: ['MIT'] })
    expect(filterOf(address)).toEqual({
      text: 'air',
      data: ['Table'],
      without: { license: ['MIT'] },
    })
  })
})
