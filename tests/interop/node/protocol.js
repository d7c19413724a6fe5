// The numbers of the protocol that this app uses.

export const Message = {
  SIGNALING_HAND_SHAKE_REQ: 1, // each response is one more
  DATA_HAND_SHAKE_REQ: 3,
  EVENT_SUBSCRIPTION: 5,
  EVENT_UPDATE: 6,
  CLIENT_READY_ACK: 7,
  STREAM_STATE_UPDATE: 8,
  KEEP_ALIVE_REQ: 12,
  KEEP_ALIVE_RESP: 13,
  MEDIA_DATA_AUDIO: 14,
  MEDIA_DATA_TRANSCRIPT: 17
}

export const Status = { OK: 0, DUPLICATE_SIGNAL_REQUEST: 8, DUPLICATE_MEDIA_DATA_CONNECTION: 16 }

export const TERMINATED = 4
export const STREAM_REVOKED = 8
export const MEDIA_CONNECTION_INTERRUPTED = 7

export const MEDIA_TYPES = { audio: 1, video: 2, deskshare: 4, transcript: 8, chat: 16, all: 32 }

// What to ask for: 16 kHz mono L16 of each participant; H.264; JPEG; English.
export const MEDIA_PARAMS = {
  audio: { content_type: 2, sample_rate: 1, channel: 1, codec: 1, data_opt: 2, send_rate: 20 },
  video: { content_type: 3, codec: 7, resolution: 2, data_opt: 3, fps: 25 },
  deskshare: { content_type: 3, codec: 5, resolution: 2, fps: 1 },
  transcript: { content_type: 5, src_language: 9, enable_lid: true },
  chat: { content_type: 5 }
}
