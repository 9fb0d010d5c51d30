import { Anchor, Typography } from '@mantine/core'
import ReactMarkdown, { type Components } from 'react-markdown'

/** Headings of a description stand under those of the page, and nothing is loaded from elsewhere. */
const components: Components = {
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  a: ({ href, children }) => (
    <Anchor href={href ?? ''} rel="noopener noreferrer nofollow ugc" target="_blank">
      {children}
    </Anchor>
  ),
  img: ({ alt }) => <>{alt}</>,
}

/** What somebody else wrote. Their HTML stays text, and their links can only be web addresses. */
export function Markdown({ children }: { children: string }) {
  return (
    <Typography className="markdown">
      <ReactMarkdown components={components} urlTransform={safe} skipHtml>
        {children}
      </ReactMarkdown>
    </Typography>
  )
}

export function safe(url: string): string {
  return /^(https?:\/\/|mailto:)/i.test(url) ? url : ''
}
