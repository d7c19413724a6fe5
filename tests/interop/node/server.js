// A receiver of Zoom RTMS: the webhook endpoint. Configured by the environment, listens on
// 127.0.0.1, and prints where.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import express from 'express'
import { BadEvent, Streams } from './streams.js'

const WINDOW_S = 300
const REMEMBERED = 10_000

const config = {
  clientId: required('ZOOM_CLIENT_ID'),
  clientSecret: required('ZOOM_CLIENT_SECRET'),
  secretToken: required('ZOOM_SECRET_TOKEN'),
  hosts: (process.env.RTMS_HOSTS ?? 'zoom.us').split(','),
  retryMs: Number(process.env.RTMS_RETRY_MS ?? 1000)
}

function required (name) {
  const value = process.env[name]
  if (value) return value
  console.error(`${name} is not set`)
  process.exit(2)
}

const hmac = (text) => createHmac('sha256', config.secretToken).update(text).digest('hex')

function authentic (req, body) {
  const stamp = req.get('x-zm-request-timestamp') ?? ''
  if (!/^\d{1,12}$/.test(stamp) || Math.abs(Date.now() / 1000 - stamp) > WINDOW_S) return false
  const expected = Buffer.from(`v0=${hmac(Buffer.concat([Buffer.from(`v0:${stamp}:`), body]))}`)
  const given = Buffer.from(req.get('x-zm-signature') ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function parse (body) {
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    if (typeof event?.event === 'string') return event
  } catch {}
  throw new BadEvent('expected a JSON object with the name of an event')
}

// Whoever has a signed text could have it signed again: nothing that looks like what is under a
// webhook's signature is a token.
function prove (token) {
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || token.startsWith('v0:')) {
    throw new BadEvent('expected a plainToken')
  }
  return { plainToken: token, encryptedToken: hmac(token) }
}

// A delivery that is repeated has another stamp, signature and request id, but the same body.
const bodies = new Set()

function isRepeat (body) {
  const digest = createHash('sha256').update(body).digest('base64')
  if (bodies.has(digest)) return true
  bodies.add(digest)
  if (bodies.size > REMEMBERED) bodies.delete(bodies.values().next().value)
  return false
}

const streams = new Streams(config)
const app = express()
app.disable('x-powered-by')

app.post('/webhook', express.raw({ type: () => true, limit: '1mb', inflate: false }), (req, res) => {
  const body = req.body ?? Buffer.alloc(0)
  if (!authentic(req, body)) return res.status(401).json({ error: 'not signed by Zoom' })
  const event = parse(body)
  if (event.event === 'endpoint.url_validation') return res.json(prove(event.payload?.plainToken))
  if (!isRepeat(body)) streams.handle(event)
  res.json({})
})

app.use((error, req, res, next) => {
  const status = error instanceof BadEvent ? 400 : error.status ?? 500
  if (status >= 500) console.error(error)
  res.status(status).json({ error: status < 500 ? error.message : 'it is on us' })
})

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/webhook`)
})
