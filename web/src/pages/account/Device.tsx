import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Moment } from '../../components/facts'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { SignedInOnly } from '../../components/SignedInOnly'
import { useSecret } from './secret'

/** Where a terminal that wants to be signed in is let in, or not. */
export function Device() {
  const { t } = useTranslation()
  const told = useSecret()
  const [code, setCode] = useState(told)
  const [asked, setAsked] = useState(told)
  return (
    <Page title={t('device.title')} lead={t('device.lead')}>
      <SignedInOnly>
        {asked ? (
          <Decision code={asked} onOther={() => setAsked('')} />
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              setAsked(code.trim().toUpperCase())
            }}
          >
            <Stack maw={320}>
              <TextInput
                label={t('device.code')}
                value={code}
                required
                onChange={(event) => setCode(event.currentTarget.value)}
              />
              <Button type="submit" style={{ alignSelf: 'flex-start' }}>
                {t('device.look')}
              </Button>
            </Stack>
          </form>
        )}
      </SignedInOnly>
    </Page>
  )
}

function Decision({ code, onOther }: { code: string; onOther: () => void }) {
  const { t } = useTranslation()
  const { data, error } = useQuery({
    queryKey: ['device', code],
    queryFn: ({ signal }) =>
      got(api.GET('/v1/devices', { params: { query: { user_code: code } }, signal })),
    retry: false,
  })
  const decide = useMutation({
    mutationFn: (agreed: boolean) =>
      got(api.POST('/v1/devices/decision', { body: { user_code: code, agreed } })),
  })
  if (error) {
    return (
      <Stack>
        <Problem error={error} />
        <Button variant="default" onClick={onOther} style={{ alignSelf: 'flex-start' }}>
          {t('device.other')}
        </Button>
      </Stack>
    )
  }
  if (decide.isSuccess) {
    return <Text role="status">{t(decide.variables ? 'device.agreed' : 'device.refused')}</Text>
  }
  if (!data) return null
  return (
    <Stack>
      <Text>
        {t('device.asks', { client: data.client, address: data.address })}{' '}
        <Moment at={data.created} />
      </Text>
      <Text>{t('device.may', { scopes: data.scopes.join(', ') })}</Text>
      <Text fw={600}>{t('device.compare', { code: data.user_code })}</Text>
      {decide.error && <Problem error={decide.error} />}
      <Group>
        <Button loading={decide.isPending} onClick={() => decide.mutate(true)}>
          {t('device.agree')}
        </Button>
        <Button variant="default" disabled={decide.isPending} onClick={() => decide.mutate(false)}>
          {t('device.refuse')}
        </Button>
      </Group>
    </Stack>
  )
}
