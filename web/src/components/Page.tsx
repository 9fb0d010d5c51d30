import { Stack, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'

interface PageProps {
  title: string
  /** Said under the title, and to search engines. */
  lead?: string
  actions?: ReactNode
  children: ReactNode
}

/** A page: its title is the window's, and takes the focus, so that a screen reader says it. */
export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Beimingwu`
    document.querySelector('meta[name=description]')?.setAttribute('content', lead ?? title)
  }, [title, lead])
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        <Title order={1} ref={heading} tabIndex={-1}>
          {title}
        </Title>
        {lead && (
          <Text c="dimmed" maw={720}>
            {lead}
          </Text>
        )}
        {actions}
      </Stack>
      {children}
    </Stack>
  )
}
