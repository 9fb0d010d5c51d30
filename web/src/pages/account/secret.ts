import { useLocation } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

/**
 * What stands behind the # of the address: the secret of a link in a mail, which no server is sent.
 *
 * It is taken out of the address, so that it stands in no history and no picture of the screen.
 */
export function useSecret(): string {
  const { hash } = useLocation()
  const [secret, setSecret] = useState(hash)
  if (hash && hash !== secret) setSecret(hash)
  useEffect(() => {
    if (hash) window.history.replaceState(window.history.state, '', window.location.pathname)
  }, [hash])
  return decodeURIComponent(secret)
}
