import { describe, expect, it } from 'vitest'
import { problemOf } from './client'

const response = (status: number) =>
  new Response(null, { status, headers: { 'X-Request-ID': 'r1' } })

describe('a problem', () => {
  it('is told in the words of the service, with what to do', () => {
    const told = { code: 'input.size', title: 'No', detail: 'Too large.', remedy: 'Send less.' }
    const problem = problemOf(response(422), told)
    expect(problem).toMatchObject({ status: 422, code: 'input.size', message: 'Too large.' })
    expect(problem).toMatchObject({ remedy: 'Send less.', request: 'r1' })
  })

  it('is one too where the answer is none of ours', () => {
    expect(problemOf(response(502), undefined).message).toContain('502')
    expect(problemOf(response(502), '<html>').code).toBe('http.502')
  })
})
