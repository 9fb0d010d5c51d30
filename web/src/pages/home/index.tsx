import {
  Button,
  Group,
  Paper,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { ButtonLink, PageLink } from '../../components/links'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { Picture } from './Picture'

export function Home() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  return (
    <Page title={t('home.title')} lead={t('home.lead')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void navigate({ to: '/search', search: text ? { text } : {} })
        }}
      >
        <Group align="flex-end">
          <TextInput
            label={t('home.what')}
            placeholder={t('home.example')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            leftSection={<IconSearch size={16} aria-hidden />}
            size="md"
            style={{ flex: 1, minWidth: 240 }}
          />
          <Button type="submit" size="md">
            {t('home.find')}
          </Button>
          <ButtonLink to="/search" size="md" variant="default">
            {t('home.withData')}
          </ButtonLink>
        </Group>
      </form>
      <Numbers />
      <Stack gap="xs">
        <Title order={2}>{t('home.whatIsIt')}</Title>
        <Text maw={720}>{t('home.explained')}</Text>
        <Picture />
      </Stack>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {(['user', 'owner', 'operator'] as const).map((who) => (
          <Paper key={who} withBorder p="md">
            <Title order={3} size="h4">
              {t(`home.for.${who}.title`)}
            </Title>
            <Text size="sm">{t(`home.for.${who}.text`)}</Text>
          </Paper>
        ))}
      </SimpleGrid>
    </Page>
  )
}

/** How many learnwares this dock has, and for what: each a search to try. */
function Numbers() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: ['statistics'],
    queryFn: ({ signal }) => got(api.GET('/v1/statistics', { signal })),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={64} />
  const examples = Object.entries({ ...data.facets.task, ...data.facets.scenario })
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
  return (
    <Group gap="xl">
      <Stack gap={0}>
        <Text size="xl" fw={700}>
          {data.learnwares.toLocaleString()}
        </Text>
        <Text size="sm" c="dimmed">
          {t('home.learnwares', { count: data.learnwares })}
        </Text>
      </Stack>
      {examples.length > 0 && (
        <Group gap="sm">
          <Text size="sm">{t('home.try')}</Text>
          {examples.map(([value, count]) => (
            <PageLink
              key={value}
              to="/search"
              search={
                data.facets.task && value in data.facets.task
                  ? { task: [value] }
                  : { scenario: [value] }
              }
              size="sm"
            >
              {value} ({count})
            </PageLink>
          ))}
        </Group>
      )}
    </Group>
  )
}
