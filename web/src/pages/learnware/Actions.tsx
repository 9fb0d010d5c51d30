import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { api, got, type Learnware } from '../../api/client'
import { isAdmin, useSession } from '../../api/session'
import { useConfirm } from '../../components/Confirm'
import { ButtonLink } from '../../components/links'

/** What its owner, or an admin, may do with a learnware. */
export function Actions({ of }: { of: Learnware }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const confirm = useConfirm()
  const { data: account } = useSession()
  const path = { params: { path: { id: of.id } } }
  const again = () => queries.invalidateQueries()
  const withdraw = useMutation({
    mutationFn: () => got(api.POST('/v1/learnwares/{id}/withdraw', path)),
    onSuccess: again,
    onError: failed,
  })
  const restore = useMutation({
    mutationFn: () => got(api.POST('/v1/learnwares/{id}/restore', path)),
    onSuccess: again,
    onError: failed,
  })
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/v1/learnwares/{id}', path)),
    onSuccess: async () => {
      await navigate({ to: '/mine' })
      // It is gone: nothing of it is asked for again.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(of.id) })
      await again()
    },
    onError: failed,
  })
  const quarantine = useMutation({
    mutationFn: () =>
      got(api.POST('/v1/admin/learnwares/{id}/quarantine', { ...path, body: { reason: '' } })),
    onSuccess: again,
    onError: failed,
  })
  const release = useMutation({
    mutationFn: () => got(api.POST('/v1/admin/learnwares/{id}/release', path)),
    onSuccess: again,
    onError: failed,
  })
  return (
    <>
      <ButtonLink to="/learnwares/$id/edit" params={{ id: of.id }} variant="default">
        {t('learnware.edit')}
      </ButtonLink>
      {of.state === 'published' && (
        <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
          {t('learnware.withdraw')}
        </Button>
      )}
      {of.state === 'withdrawn' && (
        <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate()}>
          {t('learnware.restore')}
        </Button>
      )}
      {isAdmin(account) && of.state === 'published' && (
        <Button
          variant="default"
          loading={quarantine.isPending}
          onClick={() => quarantine.mutate()}
        >
          {t('learnware.quarantine')}
        </Button>
      )}
      {isAdmin(account) && of.state === 'quarantined' && (
        <Button variant="default" loading={release.isPending} onClick={() => release.mutate()}>
          {t('learnware.release')}
        </Button>
      )}
      <Button
        variant="default"
        color="red"
        loading={remove.isPending}
        onClick={() =>
          confirm.ask({
            title: t('learnware.deleteTitle', { name: of.name }),
            text: t('learnware.deleteText'),
            action: t('learnware.delete'),
            onConfirm: () => remove.mutate(),
          })
        }
      >
        {t('learnware.delete')}
      </Button>
      {confirm.dialog}
    </>
  )
}

function failed(error: Error) {
  notifications.show({ color: 'red', message: error.message })
}
