import { MantineProvider } from '@mantine/core'
import { cleanup, render } from '@testing-library/react'
import { afterEach, describe, expect, it } from 'vitest'
import { Markdown, safe } from './Markdown'

afterEach(cleanup)

function shown(text: string): HTMLElement {
  return render(
    <MantineProvider env="test">
      <Markdown>{text}</Markdown>
    </MantineProvider>,
  ).container
}

describe('what somebody else wrote', () => {
  it.each([
    '<script>window.hit = 1</script>',
    '<img src=x onerror="window.hit = 1">',
    '[a](javascript:window.hit=1)',
    '[a](JaVaScRiPt:window.hit=1)',
    '[a](data:text/html,<script>window.hit=1</script>)',
    '![a](https://elsewhere.example/a.png)',
    '<a href="javascript:window.hit=1">a</a>',
    '<iframe src="https://elsewhere.example"></iframe>',
    '<svg onload="window.hit=1"></svg>',
  ])('does nothing: %s', (text) => {
    const page = shown(text)
    expect(page.querySelector('script, img, iframe, svg, object, embed, form')).toBeNull()
    for (const link of page.querySelectorAll('a')) {
      expect(link.getAttribute('href') ?? '').not.toMatch(/script:|data:/i)
    }
    expect('hit' in window).toBe(false)
  })

  it('is formatted, under the headings of the page', () => {
    const page = shown('# Title\n\n**bold** [link](https://example.org)')
    expect(page.querySelector('h1, h2')).toBeNull()
    expect(page.querySelector('h3')?.textContent).toBe('Title')
    expect(page.querySelector('a')?.getAttribute('rel')).toContain('noopener')
  })

  it('links only to the web and to mail', () => {
    expect(safe('https://example.org/a')).toBe('https://example.org/a')
    expect(safe('//example.org')).toBe('')
    expect(safe('vbscript:a')).toBe('')
  })
})
