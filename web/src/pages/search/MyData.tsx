import { Alert, Button, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FilePick } from '../../components/FilePick'
import { type Given, type Specification, type Specified, specify, type Table } from '../../specify'
import { NoTable, readGiven, readTable } from '../../specify/table'
import { Columns } from './Columns'
import { Preview } from './Preview'

interface MyDataProps {
  sent: boolean
  onSend: (specification: Specification | Given) => void
  onWithdraw: () => void
}

type Step =
  | { at: 'start'; problem?: string }
  | { at: 'reading'; name: string }
  | { at: 'choosing'; table: Table; problem?: string }
  | { at: 'specifying'; table: Table; share: number; stop: AbortController }
  | { at: 'ready'; table: Table; specified: Specified }
  | { at: 'given'; name: string; given: Given }

/** From a file of the reader's to what will be sent of it, and only then to a search. */
export function MyData({ sent, onSend, onWithdraw }: MyDataProps) {
  const { t } = useTranslation()
  const [step, setStep] = useState<Step>({ at: 'start' })

  const open = async (file: File) => {
    onWithdraw()
    setStep({ at: 'reading', name: file.name })
    try {
      const given = await readGiven(file)
      if (given) setStep({ at: 'given', name: file.name, given })
      else setStep({ at: 'choosing', table: await readTable(file) })
    } catch (error) {
      setStep({
        at: 'start',
        problem: error instanceof NoTable ? error.message : 'specify.unreadable',
      })
    }
  }

  const begin = async (table: Table, columns: { name: string; values: Float64Array }[]) => {
    const stop = new AbortController()
    const now = (share: number) => setStep({ at: 'specifying', table, share, stop })
    now(0)
    try {
      const specified = await specify(columns, now, stop.signal)
      setStep({ at: 'ready', table, specified })
    } catch (error) {
      const told =
        error instanceof Error && error.message.startsWith('specify.')
          ? error.message
          : 'specify.failed'
      setStep({ at: 'choosing', table, ...(stop.signal.aborted ? {} : { problem: told }) })
    }
  }

  const again = () => {
    onWithdraw()
    setStep({ at: 'start' })
  }

  return (
    <Paper withBorder p="md" component="section" aria-labelledby="my-data">
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h3" id="my-data">
            {t('specify.title')}
          </Title>
          {step.at !== 'start' && (
            <Button variant="subtle" size="compact-sm" onClick={again}>
              {t('specify.otherFile')}
            </Button>
          )}
        </Group>
        {'problem' in step && step.problem && (
          <Alert color="red" role="alert">
            {t(step.problem)}
          </Alert>
        )}
        {step.at === 'start' && (
          <FilePick
            label={t('specify.drop')}
            accept=".csv,.tsv,.txt,.json,.parquet,.pq"
            onPick={open}
          >
            <Text size="sm" c="dimmed">
              {t('specify.promise')}
            </Text>
          </FilePick>
        )}
        {step.at === 'reading' && (
          <Text role="status">{t('specify.reading', { name: step.name })}</Text>
        )}
        {step.at === 'choosing' && (
          <Columns table={step.table} onChosen={(columns) => void begin(step.table, columns)} />
        )}
        {step.at === 'specifying' && (
          <Group>
            <Progress
              value={100 * step.share}
              style={{ flex: 1 }}
              aria-label={t('specify.specifying')}
              transitionDuration={100}
            />
            <Button
              variant="default"
              onClick={() => step.stop.abort(new DOMException('', 'AbortError'))}
            >
              {t('common.cancel')}
            </Button>
          </Group>
        )}
        {step.at === 'ready' && (
          <Preview
            name={step.table.name}
            specified={step.specified}
            sent={sent}
            onSend={() => onSend(step.specified.specification)}
          />
        )}
        {step.at === 'given' && (
          <Stack align="flex-start">
            <Text>
              {t('specify.given', { name: step.name, count: (step.given.z as unknown[]).length })}
            </Text>
            <Button disabled={sent} onClick={() => onSend(step.given)}>
              {t(sent ? 'specify.sent' : 'specify.send')}
            </Button>
          </Stack>
        )}
      </Stack>
    </Paper>
  )
}
