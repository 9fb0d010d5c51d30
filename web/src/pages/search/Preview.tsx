import { Button, Code, Collapse, Group, List, SimpleGrid, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCircleCheck } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { bytes } from '../../components/facts'
import { Scatter } from '../../components/Scatter'
import type { Specified } from '../../specify'

interface PreviewProps {
  name: string
  specified: Specified
  sent: boolean
  onSend: () => void
}

/** Exactly what will be sent, before it is: its size, its points, what it tells of any record. */
export function Preview({ name, specified, sent, onSend }: PreviewProps) {
  const { t } = useTranslation()
  const [opened, details] = useDisclosure()
  const { specification, audit, shown, filled } = specified
  const body = JSON.stringify(specification)
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <Stack>
        <Text>
          {t('specify.willSend', { points: audit.points, size: bytes(body.length), name })}
        </Text>
        <List size="sm">
          <List.Item icon={<IconCircleCheck size={16} aria-hidden />}>
            {t('specify.clean', {
              nearest: audit.nearest.toFixed(2),
              cluster: Math.floor(audit.smallestCluster),
            })}
          </List.Item>
          {Object.keys(filled).length > 0 && (
            <List.Item>{t('specify.filled', { names: Object.keys(filled).join(', ') })}</List.Item>
          )}
          <List.Item>{t('specify.stays')}</List.Item>
        </List>
        <Group>
          <Button onClick={onSend} disabled={sent}>
            {t(sent ? 'specify.sent' : 'specify.send')}
          </Button>
          <Button variant="subtle" onClick={details.toggle} aria-expanded={opened}>
            {t('specify.showIt')}
          </Button>
          <Button
            variant="subtle"
            component="a"
            download="stat.json"
            href={`data:application/json,${encodeURIComponent(body)}`}
          >
            {t('specify.save')}
          </Button>
        </Group>
        <Collapse expanded={opened}>
          <Code block mah={240} style={{ overflow: 'auto' }} tabIndex={0}>
            {JSON.stringify(specification, null, 1)}
          </Code>
        </Collapse>
      </Stack>
      <Scatter
        label={t('specify.scatter', { x: shown.axes[0], y: shown.axes[1] })}
        axes={shown.axes}
        clouds={[
          { name: t('specify.yourData'), points: shown.records, radius: 1.5, faint: true },
          { name: t('specify.itsPoints'), points: shown.points, radius: 4 },
        ]}
      />
    </SimpleGrid>
  )
}
