// The streams that this app is in, and what a webhook means for each. Webhooks come twice, late
// and in any order, so event_ts decides which of two is the newer.

import { Stream } from './stream.js'

const MEETING_EVENTS = [2, 3, 4, 5, 6, 8, 9]
const CALL_EVENTS = Array.from({ length: 22 }, (_, i) => i + 8)

// What is signed, what may be subscribed to, and which stop_reason of the webhook takes consent
// back; in voice calls both lists are different ones.
const PRODUCTS = new Map([
  ['meeting.rtms', { idField: 'meeting_uuid', events: MEETING_EVENTS, revoked: 8 }],
  ['webinar.rtms', { idField: 'webinar_uuid', events: MEETING_EVENTS, revoked: 8 }],
  ['session.rtms', { idField: 'session_id', events: MEETING_EVENTS, revoked: 8 }],
  ['contact_center.voice_rtms', { idField: 'engagement_id', events: CALL_EVENTS, revoked: 3 }]
])

const REMEMBERED = 1000

export class BadEvent extends Error {}

export class Streams {
  #live = new Map()
  #past = new Map() // rtms_stream_id -> event_ts of the last that was heard of it

  constructor (config) {
    this.config = config
  }

  handle ({ event, event_ts: at, payload }) {
    const [, prefix, happening] = /^(.+)_(started|stopped|interrupted)$/.exec(event) ?? []
    const product = PRODUCTS.get(prefix)
    if (!product) return
    const streamId = text(payload, 'rtms_stream_id')
    const stream = this.#live.get(streamId)
    if (happening === 'started') {
      this.#started(stream, product, streamId, at, payload)
    } else if (happening === 'stopped') {
      stream?.end('stopped', payload.stop_reason === product.revoked)
      this.#remember(streamId, Math.max(at, this.#past.get(streamId) ?? at))
    } else {
      stream?.interrupted(at)
    }
  }

  #started (stream, { idField, events }, streamId, at, payload) {
    const id = text(payload, idField)
    const serverUrls = text(payload, 'server_urls')
    if (stream) {
      if (at >= stream.startedAt && serverUrls !== stream.serverUrls) stream.start(serverUrls, at)
    } else if (!(at <= this.#past.get(streamId))) {
      stream = new Stream(this.config, { idField, id, streamId, events }, () => {
        this.#live.delete(streamId)
        this.#remember(streamId, stream.startedAt)
      })
      this.#live.set(streamId, stream)
      stream.start(serverUrls, at)
    }
  }

  #remember (streamId, at) {
    this.#past.delete(streamId)
    this.#past.set(streamId, at)
    if (this.#past.size > REMEMBERED) this.#past.delete(this.#past.keys().next().value)
  }
}

function text (payload, name) {
  if (typeof payload?.[name] === 'string') return payload[name]
  throw new BadEvent(`payload.${name}: expected a string`)
}
