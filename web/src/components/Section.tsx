import { Stack, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** A part of a page, under its title. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs" component="section">
      <Title order={2} size="h3">
        {title}
      </Title>
      {children}
    </Stack>
  )
}
