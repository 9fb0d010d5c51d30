import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Table } from '../../specify'

interface ColumnsProps {
  table: Table
  onChosen: (columns: { name: string; values: Float64Array }[]) => void
}

/** Which columns describe the task: the target and what is no number stay out. */
export function Columns({ table, onChosen }: ColumnsProps) {
  const { t } = useTranslation()
  const usable = table.columns.filter((column) => column.values !== null)
  const [left, setLeft] = useState(new Set<string>())
  const kept = usable.filter(({ name }) => !left.has(name))
  const toggle = (name: string, inside: boolean) => {
    const next = new Set(left)
    if (inside) next.delete(name)
    else next.add(name)
    setLeft(next)
  }
  return (
    <Stack>
      <Text>
        {t('specify.read', {
          name: table.name,
          rows: table.rows.toLocaleString(),
          columns: table.columns.length,
        })}
      </Text>
      <Text size="sm" c="dimmed">
        {t('specify.whichColumns')}
      </Text>
      <Group gap="md" role="group" aria-label={t('specify.columns')}>
        {table.columns.map(({ name, values, missing, example }) => (
          <Checkbox
            key={name}
            label={name}
            checked={values !== null && !left.has(name)}
            disabled={values === null}
            description={
              values === null
                ? example
                  ? t('specify.notANumber', { example })
                  : t('specify.nothingIn')
                : missing
                  ? t('specify.missing', { count: missing })
                  : undefined
            }
            onChange={(event) => toggle(name, event.currentTarget.checked)}
          />
        ))}
      </Group>
      <Button
        style={{ alignSelf: 'flex-start' }}
        disabled={kept.length === 0}
        onClick={() =>
          onChosen(kept.map(({ name, values }) => ({ name, values: values as Float64Array })))
        }
      >
        {t('specify.specify', { count: kept.length })}
      </Button>
    </Stack>
  )
}
