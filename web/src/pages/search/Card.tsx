import { Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Learnware } from '../../api/client'
import { excerptOf, Moment, Tags } from '../../components/facts'
import { PageLink } from '../../components/links'
import { Problem } from '../../components/Problem'
import { learnware } from './queries'

/** A learnware among others. */
export function Card({
  of,
  asked,
  children,
}: {
  of: Learnware
  asked: string[]
  children?: ReactNode
}) {
  const { t } = useTranslation()
  return (
    <Paper withBorder p="md" component="article">
      <Stack gap={6}>
        <Group justify="space-between" wrap="nowrap" align="baseline">
          <Title order={3} size="h4">
            <PageLink to="/learnwares/$id" params={{ id: of.id }} inherit>
              {of.name}
            </PageLink>
          </Title>
          <Text size="xs" c="dimmed">
            {of.id}
          </Text>
        </Group>
        <Text size="sm" lineClamp={2}>
          {excerptOf(of.semantic)}
        </Text>
        {children}
        <Tags semantic={of.semantic} asked={asked} />
        <Text size="xs" c="dimmed">
          {t('learnware.by', { owner: of.owner_name })} · <Moment at={of.changed} />
        </Text>
      </Stack>
    </Paper>
  )
}

/** The same, of which only the id is known yet. */
export function CardOf({
  id,
  asked,
  children,
}: {
  id: string
  asked: string[]
  children?: ReactNode
}) {
  const { data, error, refetch } = useQuery(learnware(id))
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={120} />
  return (
    <Card of={data} asked={asked}>
      {children}
    </Card>
  )
}
