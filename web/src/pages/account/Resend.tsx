import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Problem } from '../../components/Problem'

/** Seconds until another mail may be asked for. */
const WAIT = 60

export function Resend({ email }: { email: string }) {
  const { t } = useTranslation()
  const [left, setLeft] = useState(WAIT)
  useEffect(() => {
    if (left === 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1000)
    return () => clearTimeout(timer)
  }, [left])
  const resend = useMutation({
    mutationFn: () => got(api.POST('/v1/accounts/confirmations', { body: { email } })),
    onSuccess: () => setLeft(WAIT),
  })
  return (
    <>
      {resend.error && <Problem error={resend.error} />}
      <Button
        variant="default"
        disabled={left > 0}
        loading={resend.isPending}
        onClick={() => resend.mutate()}
        style={{ alignSelf: 'flex-start' }}
      >
        {left > 0 ? t('account.resendIn', { count: left }) : t('account.resend')}
      </Button>
    </>
  )
}
