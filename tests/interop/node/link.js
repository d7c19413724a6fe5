// One WebSocket of a stream that is to be there: dialled, shaken hands on, kept alive, and dialled
// again after a pause that doubles. What it does not know it hands on.

import WebSocket from 'ws'
import { Message, Status } from './protocol.js'

const HANDSHAKE_MS = 10_000
const SILENCE_MS = 65_000
const WINDOW_MS = 60_000
const LONGEST_PAUSE_MS = 16_000
const GOODBYE_MS = 1000

// Zoom has not seen yet that the connection before this one is gone.
const PASSING = [Status.DUPLICATE_SIGNAL_REQUEST, Status.DUPLICATE_MEDIA_DATA_CONNECTION]

export class Link {
  accepted = false
  acceptedAt = 0
  heardAt = 0
  #socket = null
  #timer = null
  #losses = 0
  #giveUpAt = Date.now() + WINDOW_MS

  // `hello` is the handshake. `on` has accepted(response), message(message), lost() and, when it
  // is refused or was away for too long, gone(why).
  constructor (urls, retryMs, hello, on) {
    Object.assign(this, { urls, retryMs, hello, on })
    this.#dial()
  }

  send (message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  close () {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = null
    this.accepted = false
    if (!socket) return
    socket.close(1000)
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref()
  }

  lose () {
    this.close()
    this.on.lost?.()
    if (this.#giveUpAt === null) this.#giveUpAt = Date.now() + WINDOW_MS
    if (Date.now() > this.#giveUpAt) return this.on.gone('it did not come back')
    const pauseMs = Math.min(this.retryMs * 2 ** this.#losses++, LONGEST_PAUSE_MS)
    this.#timer = setTimeout(() => this.#dial(), pauseMs)
  }

  #dial () {
    const url = this.urls[this.#losses % this.urls.length]
    const socket = new WebSocket(url, {
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: 8 * 1024 * 1024,
      perMessageDeflate: false
    })
    this.#socket = socket
    const ours = (handle) => (...args) => { if (this.#socket === socket) handle(...args) }
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', ours(() => this.lose()))
    socket.on('message', ours((data) => this.#receive(data)))
    socket.on('open', ours(() => {
      this.#watch(HANDSHAKE_MS)
      this.send(this.hello)
    }))
  }

  #watch (ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.lose(), ms)
  }

  #receive (data) {
    const message = parse(data)
    this.heardAt = Date.now()
    if (this.accepted) this.#watch(SILENCE_MS)
    if (message.msg_type === Message.KEEP_ALIVE_REQ) {
      const { sequence, timestamp } = message
      this.send({ msg_type: Message.KEEP_ALIVE_RESP, sequence, timestamp })
      if (this.accepted) this.#holds()
    } else if (this.accepted) {
      this.on.message(message)
    } else if (message.msg_type === this.hello.msg_type + 1) {
      this.#answered(message)
    }
  }

  // Only a connection that lives for a while ends an outage: one that is cut at once may be cut again.
  #holds () {
    this.#losses = 0
    this.#giveUpAt = null
  }

  #answered (response) {
    if (PASSING.includes(response.status_code)) return this.lose()
    if (response.status_code !== Status.OK) {
      this.close()
      return this.on.gone(`refused with ${response.status_code}`)
    }
    this.accepted = true
    this.acceptedAt = Date.now()
    this.#watch(SILENCE_MS)
    this.on.accepted(response)
  }
}

function parse (data) {
  try {
    const message = JSON.parse(data.toString())
    if (message && typeof message === 'object') return message
  } catch {}
  return {}
}
