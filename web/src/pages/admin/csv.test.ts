import { expect, it } from 'vitest'
import { asCsv } from './csv'

it('writes rows that a spreadsheet reads as they are, and none as a formula', () => {
  expect(
    asCsv([
      ['a', 'b,c'],
      ['say "no"', '=HYPERLINK("x")'],
    ]),
  ).toBe('a,"b,c"\r\n"say ""no""","\'=HYPERLINK(""x"")"')
})
