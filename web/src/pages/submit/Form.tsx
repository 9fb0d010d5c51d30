import { MultiSelect, Select, SimpleGrid, Stack, Tabs, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Markdown } from '../../components/Markdown'
import type { Draft } from './draft'

interface FormProps {
  draft: Draft
  onChange: (draft: Draft) => void
}

/** What its owner tells of a learnware. */
export function Form({ draft, onChange }: FormProps) {
  const { t } = useTranslation()
  const { data } = useQuery({
    queryKey: ['vocabulary'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => got(api.GET('/v1/vocabulary', { signal })),
  })
  const values = (key: string) => data?.fields[key] ?? []
  const set =
    <Key extends keyof Draft>(key: Key) =>
    (value: Draft[Key]) =>
      onChange({ ...draft, [key]: value })
  const one = (key: 'data' | 'task' | 'library' | 'model', from: string, required: boolean) => (
    <Select
      label={t(`facets.${key}`)}
      data={values(from)}
      value={draft[key] || null}
      onChange={(value) => set(key)(value ?? '')}
      searchable
      clearable={!required}
      withAsterisk={required}
    />
  )
  return (
    <Stack>
      <TextInput
        label={t('submit.name')}
        required
        maxLength={60}
        value={draft.name}
        onChange={(event) => set('name')(event.currentTarget.value)}
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {one('data', 'Data', true)}
        {one('task', 'Task', true)}
        {one('library', 'Library', true)}
        {one('model', 'Model', false)}
        <MultiSelect
          label={t('facets.scenario')}
          data={values('Scenario')}
          value={draft.scenario}
          onChange={set('scenario')}
          searchable
          withAsterisk
        />
        <MultiSelect
          label={t('facets.license')}
          data={values('License')}
          value={draft.license}
          onChange={set('license')}
          searchable
          withAsterisk
        />
      </SimpleGrid>
      <Tabs defaultValue="write">
        <Tabs.List>
          <Tabs.Tab value="write">{t('submit.description')}</Tabs.Tab>
          <Tabs.Tab value="preview">{t('submit.preview')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="write" pt="xs">
          <Textarea
            aria-label={t('submit.description')}
            description={t('submit.markdown')}
            autosize
            minRows={5}
            maxRows={20}
            value={draft.description}
            onChange={(event) => set('description')(event.currentTarget.value)}
          />
        </Tabs.Panel>
        <Tabs.Panel value="preview" pt="xs">
          <Markdown>{draft.description}</Markdown>
        </Tabs.Panel>
      </Tabs>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {(['inputs', 'outputs'] as const).map((key) => (
          <Textarea
            key={key}
            label={t(`submit.${key}`)}
            description={t('submit.oneALine')}
            autosize
            minRows={3}
            maxRows={12}
            value={draft[key]}
            onChange={(event) => set(key)(event.currentTarget.value)}
          />
        ))}
      </SimpleGrid>
    </Stack>
  )
}
