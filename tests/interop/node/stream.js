// One stream: its signaling link, and a media link for each type or one for all. Media links do
// not outlive the signaling link; a media link that is lost alone comes back alone.

import { createHmac } from 'node:crypto'
import { Link } from './link.js'
import {
  MEDIA_CONNECTION_INTERRUPTED, MEDIA_PARAMS, MEDIA_TYPES, Message, STREAM_REVOKED, TERMINATED
} from './protocol.js'

const WANTED = Object.keys(MEDIA_PARAMS)

export class Stream {
  audioBytes = 0
  lines = []
  #signaling = null
  #media = new Map()
  #ready = false

  constructor (config, { idField, id, streamId, events }, onEnd) {
    Object.assign(this, { config, streamId, events, onEnd })
    const signature = createHmac('sha256', config.clientSecret)
      .update(`${config.clientId},${id},${streamId}`).digest('hex')
    this.identity = {
      protocol_version: 1, sequence: 1, [idField]: id, rtms_stream_id: streamId, signature
    }
  }

  // Also for a failover: what there was is left.
  start (serverUrls, at) {
    this.serverUrls = serverUrls
    this.startedAt = at
    this.#hangUp()
    const urls = serverUrls.split(',').map((url) => this.#checked(url)).filter(Boolean)
    if (!urls.length) return this.end('no URL to dial')
    const hello = { msg_type: Message.SIGNALING_HAND_SHAKE_REQ, ...this.identity }
    this.#signaling = new Link(urls, this.config.retryMs, hello, {
      accepted: (response) => this.#openMedia(response.media_server?.server_urls ?? {}),
      message: (message) => this.#onSignaling(message),
      lost: () => this.#dropMedia(),
      gone: (why) => this.end(why)
    })
  }

  // The webhook that tells of an outage may be slower than the way back from it.
  interrupted (at) {
    if (this.#signaling.accepted && at > this.#signaling.acceptedAt) this.#signaling.lose()
  }

  end (why, revoked = false) {
    this.#hangUp()
    if (revoked) this.lines = []
    const heard = `${this.audioBytes} bytes of audio, ${this.lines.length} lines`
    console.error(`${this.streamId}: ${why}: ${heard}`)
    this.onEnd()
  }

  #hangUp () {
    this.#dropMedia()
    this.#signaling?.close()
  }

  #dropMedia () {
    for (const link of this.#media.values()) link.close()
    this.#media.clear()
    this.#ready = false
  }

  // URLs come from outside, and could lead into the own network.
  #checked (text) {
    const url = typeof text === 'string' && URL.canParse(text) && new URL(text)
    const fine = url && /^wss?:$/.test(url.protocol) && !url.username &&
      this.config.hosts.includes(url.hostname)
    if (!fine) console.error(`${this.streamId}: not dialled: ${JSON.stringify(text)}`)
    return fine ? url : null
  }

  #openMedia (offered) {
    const single = WANTED.filter((key) => key in offered)
    const keys = single.length === 0 && 'all' in offered ? ['all'] : single
    const urls = keys.map((key) => [key, this.#checked(offered[key])]).filter(([, url]) => url)
    if (!urls.length) return this.end('no media that this app could take')
    for (const [key, url] of urls) this.#media.set(key, this.#mediaLink(key, url))
  }

  #mediaLink (key, url) {
    const params = key === 'all' ? MEDIA_PARAMS : { [key]: MEDIA_PARAMS[key] }
    const hello = {
      msg_type: Message.DATA_HAND_SHAKE_REQ,
      ...this.identity,
      media_type: MEDIA_TYPES[key],
      payload_encryption: false,
      media_params: params
    }
    return new Link([url], this.config.retryMs, hello, {
      accepted: () => this.#settle(),
      message: (message) => this.#onMedia(message),
      gone: (why) => {
        this.#media.delete(key)
        if (this.#media.size) this.#settle()
        else this.end(`${key}: ${why}`)
      }
    })
  }

  // Ready, once each medium was granted or refused.
  #settle () {
    if (this.#ready || ![...this.#media.values()].every((link) => link.accepted)) return
    this.#ready = true
    this.#signaling.send({ msg_type: Message.CLIENT_READY_ACK, rtms_stream_id: this.streamId })
    this.#signaling.send({
      msg_type: Message.EVENT_SUBSCRIPTION,
      events: this.events.map((type) => ({ event_type: type, subscribe: true }))
    })
  }

  #onSignaling ({ msg_type: type, state, reason, event }) {
    if (type === Message.STREAM_STATE_UPDATE && state === TERMINATED) {
      this.end('terminated', reason === STREAM_REVOKED)
    } else if (type === Message.EVENT_UPDATE && event?.event_type === MEDIA_CONNECTION_INTERRUPTED) {
      this.#mediaInterrupted()
    }
  }

  // The event does not say which: the one that was silent for the longest time, unless one is on
  // its way back already.
  #mediaInterrupted () {
    const links = [...this.#media.values()].sort((a, b) => a.heardAt - b.heardAt)
    if (links.length && links.every((link) => link.accepted)) links[0].lose()
  }

  #onMedia ({ msg_type: type, content }) {
    if (typeof content?.data !== 'string') return
    if (type === Message.MEDIA_DATA_AUDIO) {
      this.audioBytes += Buffer.from(content.data, 'base64').length
    } else if (type === Message.MEDIA_DATA_TRANSCRIPT) {
      this.lines.push(`${content.user_name ?? content.user_id}: ${content.data}`)
    }
  }
}
