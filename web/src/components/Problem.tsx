import { Alert, Button, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '../api/client'

/** What went wrong, what to do about it, and how to ask for help. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation()
  const problem = error instanceof ApiProblem ? error : null
  const title = error instanceof Error ? error.message : String(error)
  return (
    <Alert
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      role="alert"
      variant="light"
    >
      <Stack gap="xs" align="flex-start">
        {problem?.remedy && <Text size="sm">{problem.remedy}</Text>}
        {problem?.request && (
          <Text size="xs" c="dimmed">
            {t('errors.request', { id: problem.request })}
          </Text>
        )}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t('errors.retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  )
}
