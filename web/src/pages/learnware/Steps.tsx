import { List, Loader, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got, type Learnware, type Schemas } from '../../api/client'
import { Problem } from '../../components/Problem'
import { LOOK_AGAIN, UNFINISHED } from '../search/queries'

const ICONS = { passed: IconCheck, warned: IconAlertTriangle, failed: IconX }
const COLOURS = { passed: 'teal', warned: 'yellow', failed: 'red' }

/** The verification of the newest revision, step by step, as it goes on. */
export function Steps({ of }: { of: Pick<Learnware, 'id' | 'revision'> }) {
  const { t } = useTranslation()
  const { data, error } = useQuery({
    queryKey: ['verification', of.id, of.revision],
    queryFn: ({ signal }) =>
      got(
        api.GET('/v1/learnwares/{id}/revisions/{number}/verification', {
          params: { path: { id: of.id, number: of.revision } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data && !UNFINISHED.includes(state.data.state) ? false : LOOK_AGAIN,
  })
  if (error) return <Problem error={error} />
  if (!data) return <Loader aria-label={t('common.loading')} />
  return (
    <Stack gap="xs" component="section" aria-live="polite">
      <Title order={2} size="h3">
        {t('learnware.verification')}: {t(`state.${data.state}`)}
      </Title>
      <List spacing="xs">
        {data.steps.map((step) => (
          <Step key={step.name} of={step} />
        ))}
        {UNFINISHED.includes(data.state) && (
          <List.Item icon={<Loader size={18} />}>{data.doing || t('learnware.waits')}</List.Item>
        )}
      </List>
    </Stack>
  )
}

function Step({ of }: { of: Schemas['StepView'] }) {
  const { t } = useTranslation()
  const Icon = ICONS[of.state]
  return (
    <List.Item
      icon={
        <ThemeIcon size={20} radius="xl" color={COLOURS[of.state]}>
          <Icon size={14} />
        </ThemeIcon>
      }
    >
      <Text size="sm">
        <strong>{t(`step.${of.name}`, { defaultValue: of.name })}</strong>,{' '}
        {t(`stepState.${of.state}`)} ({of.seconds.toFixed(1)} s): {of.message}
      </Text>
      {of.remedy && <Text size="sm">{of.remedy}</Text>}
    </List.Item>
  )
}
