import { Grid, Stack, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Page } from '../../components/Page'
import type { Given, Specification } from '../../specify'
import { readSearch, type SearchAddress } from './address'
import { ByData } from './ByData'
import { Facets } from './Facets'
import { Listed } from './Listed'
import { MyData } from './MyData'

/** What was sent: the specification, and which sending it is. */
export interface Sent {
  specification: Specification | Given
  number: number
}

export function Search() {
  const { t } = useTranslation()
  const address = useSearch({ from: '/search' })
  const navigate = useNavigate({ from: '/search' })
  const [sent, setSent] = useState<Sent | null>(null)
  const change = (next: SearchAddress) => void navigate({ search: next, replace: true })
  return (
    <Page title={t('search.title')} lead={t('search.lead')}>
      <MyData
        sent={sent !== null}
        onSend={(specification) => setSent({ specification, number: Date.now() })}
        onWithdraw={() => setSent(null)}
      />
      <Grid>
        <Grid.Col span={{ base: 12, sm: 4, md: 3 }}>
          <Stack>
            <Words address={address} onChange={change} />
            <Facets address={address} onChange={change} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 8, md: 9 }}>
          {sent ? (
            <ByData sent={sent} address={address} />
          ) : (
            <Listed address={address} onChange={change} />
          )}
        </Grid.Col>
      </Grid>
    </Page>
  )
}

/** Words to search for; the address follows a moment after the last key. */
function Words({
  address,
  onChange,
}: {
  address: SearchAddress
  onChange: (next: SearchAddress) => void
}) {
  const { t } = useTranslation()
  const [text, setText] = useState(address.text ?? '')
  useEffect(() => setText(address.text ?? ''), [address.text])
  const follow = useDebouncedCallback(
    (value: string) => onChange(readSearch({ ...address, text: value })),
    250,
  )
  return (
    <TextInput
      label={t('search.words')}
      value={text}
      maxLength={1000}
      leftSection={<IconSearch size={16} aria-hidden />}
      onChange={(event) => {
        setText(event.currentTarget.value)
        follow(event.currentTarget.value)
      }}
    />
  )
}
