import { describe, expect, it } from 'vitest'
import { columnOf, decoded, readTable } from './table'

const file = (name: string, content: BlobPart) => new File([content], name)

describe('a table', () => {
  it('is read from CSV, with its header, quotes and missing values', async () => {
    const table = await readTable(file('a.csv', '\ufeffa,"b, c",d\n1,2,x\n,1e3,y\n'))
    expect(table.rows).toBe(2)
    expect(table.columns.map(({ name }) => name)).toEqual(['a', 'b, c', 'd'])
    expect(table.columns[0]?.missing).toBe(1)
    expect([...(table.columns[1]?.values ?? [])]).toEqual([2, 1000])
    expect(table.columns[2]).toMatchObject({ values: null, example: 'x' })
  })

  it('needs no header', async () => {
    const table = await readTable(file('a.csv', '1;2\n3;4\n'))
    expect(table.columns.map(({ name }) => name)).toEqual(['feature 0', 'feature 1'])
    expect(table.rows).toBe(2)
  })

  it('is read from JSON by records and by columns', async () => {
    const records = await readTable(file('a.json', '[{"a": 1}, {"a": 2, "b": true}]'))
    expect(records.columns.map(({ name, missing }) => [name, missing])).toEqual([
      ['a', 0],
      ['b', 1],
    ])
    const columns = await readTable(file('a.json', '{"a": [1, 2], "b": [3, 4]}'))
    expect(columns.rows).toBe(2)
  })

  it.each(['', '{', '[1, 2]', '{"a": [1], "b": [1, 2]}'])('is not %j', async (text) => {
    await expect(readTable(file('a.json', text))).rejects.toThrow('specify.notATable')
  })

  it('is read in the encodings that tables come in', () => {
    expect(decoded(Uint8Array.of(0xff, 0xfe, 0x41, 0))).toBe('A')
    expect(decoded(new TextEncoder().encode('温度'))).toBe('温度')
    expect(decoded(Uint8Array.of(0xce, 0xc2, 0xb6, 0xc8))).toBe('温度')
  })

  it('takes only what is wholly a number for one', () => {
    expect(columnOf('a', ['12', '3x']).example).toBe('3x')
    expect(columnOf('a', ['0x10']).values).toBeNull()
    expect(columnOf('a', ['NA', ''])).toMatchObject({ values: null, missing: 2 })
  })
})
