import { Skeleton, Stack, Text } from '@mantine/core'
import { useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '../api/session'
import { ButtonLink } from './links'
import { Problem } from './Problem'

/** What only those who are signed in can do; others are led to where they sign in, and back. */
export function SignedInOnly({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const { href } = useLocation()
  const { data, error, isPending, refetch } = useSession()
  if (isPending) return <Skeleton height={240} />
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (data) return <>{children}</>
  return (
    <Stack align="flex-start">
      <Text>{t('account.needed')}</Text>
      <ButtonLink to="/sign-in" search={{ next: href }}>
        {t('account.signIn')}
      </ButtonLink>
    </Stack>
  )
}
