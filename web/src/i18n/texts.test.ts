import { describe, expect, it } from 'vitest'
import en from './en.json'
import { preferred } from './index'
import zh from './zh.json'

type Texts = { [key: string]: string | Texts }

/** The keys of all texts; the plural forms of one, of which languages have different ones, as one. */
function keys(texts: Texts, before = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [before + key.replace(/_(one|other)$/, '')]
      : keys(value, `${before}${key}.`),
  )
}

function placeholders(texts: Texts, before = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== 'string') Object.assign(found, placeholders(value, `${before}${key}.`))
    else found[before + key] = (value.match(/{{\w+}}/g) ?? []).sort().join()
  }
  return found
}

describe('the texts', () => {
  it('are the same in both languages', () => {
    const of = (texts: Texts) => [...new Set(keys(texts))].sort()
    expect(of(zh)).toEqual(of(en))
  })

  it('have the same places to fill in', () => {
    const chinese = placeholders(zh)
    for (const [key, places] of Object.entries(placeholders(en))) {
      if (key in chinese) expect(chinese[key], key).toBe(places)
    }
  })

  it('are in the language that was chosen, or else the first that we have of those asked for', () => {
    expect(preferred('zh', ['en'])).toBe('zh')
    expect(preferred(null, ['fr', 'zh-TW', 'en'])).toBe('zh')
    expect(preferred('xx', ['fr'])).toBe('en')
  })
})
