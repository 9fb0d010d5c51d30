/** What is searched for, as it stands in the address: shared, reloaded and gone back to. */
export const FACETS = ['data', 'task', 'library', 'model', 'scenario', 'license'] as const
export type Facet = (typeof FACETS)[number]

export type SearchAddress = { text?: string } & {
  [facet in Facet | `not_${Facet}`]?: string[]
}

const MOST_TEXT = 1000

/** Read an address that anybody may have written. */
export function readSearch(given: Record<string, unknown>): SearchAddress {
  const found: SearchAddress = {}
  if (typeof given.text === 'string' && given.text) found.text = given.text.slice(0, MOST_TEXT)
  for (const facet of FACETS) {
    for (const key of [facet, `not_${facet}`] as const) {
      const values = given[key]
      const texts = (Array.isArray(values) ? values : [values]).filter(
        (value): value is string => typeof value === 'string' && value !== '',
      )
      if (texts.length) found[key] = texts
    }
  }
  return found
}

/** The address with a value of a facet wanted, unwanted, or neither. */
export function withValue(
  address: SearchAddress,
  facet: Facet,
  value: string,
  how: 'wanted' | 'unwanted' | 'neither',
): SearchAddress {
  const put = (key: Facet | `not_${Facet}`, inside: boolean) => {
    const others = (address[key] ?? []).filter((one) => one !== value)
    return inside ? [...others, value] : others
  }
  return readSearch({
    ...address,
    [facet]: put(facet, how === 'wanted'),
    [`not_${facet}`]: put(`not_${facet}`, how === 'unwanted'),
  })
}

/** The filter of a search by data, which the service takes as JSON. */
export function filterOf(address: SearchAddress) {
  const wanted: Record<string, unknown> = {}
  const without: Record<string, string[]> = {}
  for (const facet of FACETS) {
    if (address[facet]) wanted[facet] = address[facet]
    const not = address[`not_${facet}`]
    if (not) without[facet] = not
  }
  if (address.text) wanted.text = address.text
  if (Object.keys(without).length) wanted.without = without
  return wanted
}

export function chosenValues(address: SearchAddress): string[] {
  return FACETS.flatMap((facet) => address[facet] ?? [])
}
