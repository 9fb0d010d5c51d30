import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { api, got, send } from '../../api/client'

/** Bytes sent at a time. */
const PIECE = 4 * 2 ** 20

/**
 * Send a file in pieces, and return the number of its complete upload.
 *
 * What was received is asked of the service before each try, so that an upload that broke off, or
 * was paused, goes on where it was: give its `id`.
 */
export async function upload(
  file: File,
  id: string | null,
  onProgress: (share: number, id: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const begun = id
    ? await got(api.GET('/v1/uploads/{id}', { params: { path: { id } }, signal }))
    : await got(api.POST('/v1/uploads', { body: { size: file.size }, signal }))
  let at = begun.received
  onProgress(at / file.size, begun.id)
  while (at < file.size) {
    await send(`/v1/uploads/${begun.id}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/octet-stream', 'Upload-Offset': String(at) },
      body: file.slice(at, at + PIECE),
      signal,
    })
    at = Math.min(at + PIECE, file.size)
    onProgress(at / file.size, begun.id)
  }
  const digest = await digestOf(file)
  await got(
    api.POST('/v1/uploads/{id}/complete', {
      params: { path: { id: begun.id } },
      body: { sha256: digest },
      signal,
    }),
  )
  return begun.id
}

/** `crypto.subtle` would hold all of it in memory, and is not there where a dock has no TLS. */
async function digestOf(file: File): Promise<string> {
  const hash = sha256.create()
  for (let at = 0; at < file.size; at += PIECE) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()))
  }
  return bytesToHex(hash.digest())
}
