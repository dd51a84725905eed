/**
 * ChatServer's browser client: this file and chat-upload.js, no dependencies, no build step. Copy both. (MIT licence)
 *
 *     import { ChatClient } from './chat-client.js';
 *
 *     const client = new ChatClient({
 *       url: 'wss://chat.example.com:8889/ws',        // default: /ws on the page's own host
 *       getToken: async () => (await fetch('/chat-token')).text(),
 *       rooms: [12, { room_id: 15, since: 480, epoch: 'k3' }],
 *     });
 *     client.on('message', (m) => show(m.room_id, m.from_user_id, m.body));
 *     client.on('delivery', (m) => mark(m.identifier, m.state));   // sending, sent, saved, refused
 *     client.on('reload', ({ room_id }) => loadHistory(room_id));  // missed too much: ask Quantum
 *     client.on('status', ({ state, retryAt }) => banner(state, retryAt));
 *     client.on('ended', ({ code, reason }) => signInAgain(code, reason));
 *     client.connect();
 *
 *     const message = client.send(12, 'hello');         // any time, also while offline
 *     await message.sent;                               // accepted by the server; `saved`: by Quantum
 *     const file = client.sendFile(12, input.files[0]); // 'progress' tells how much has arrived; file.cancel() takes it back
 *
 * What it keeps for you
 * - Order: messages of a room come in seq order, each once, without a hole. Yours leave one at a time per room.
 * - Delivery: what has no ack is sent again with the same identifier after a reconnect, which makes it arrive once.
 * - Connection: it reconnects by itself (exponential backoff, full jitter; at once when the browser comes online) and
 *   resumes every room where it was. Close codes 4500-4999 end it: 'ended', and no reconnect until you call connect().
 *
 * Events. `on(name, listener)` hands over the detail and returns a function that takes the listener off again;
 * addEventListener works too, with the same detail in a CustomEvent. See ChatEvents for the client's own events. Any other
 * frame of the server (typing, read, presence …) is dispatched under its `type` with the frame as detail,
 * and `sendFrame` sends frames of that kind.
 */

import { Uploads } from './chat-upload.js';

/** @typedef {import('./chat-upload.js').OutgoingFile} OutgoingFile */
/** @typedef {{ room_id: number, since?: number, epoch?: string }} RoomPosition A room, and where its reader stopped. */
/** @typedef {{ type: string, [member: string]: any }} Frame A JSON frame as it goes over the wire. */

/**
 * @typedef {object} ChatOptions
 * @property {string | URL} [url] The WebSocket endpoint.
 * @property {string} [token] The session's token; or
 * @property {() => string | Promise<string>} [getToken] asked before every connection.
 * @property {(number | RoomPosition)[]} [rooms] Rooms to join. Rooms that the session names are joined anyway.
 * @property {number} [maxMessageBytes] The server's MAX_MESSAGE_BYTES: longer frames are refused here (65,536).
 * @property {number} [backoffBase] Milliseconds: the first wait is random in 0…base and the range doubles each time (1,000).
 * @property {number} [backoffCap] Milliseconds: the longest wait (30,000).
 * @property {number} [answerTimeout] Milliseconds to wait for auth, ack and pong (10,000).
 * @property {() => number} [random] In place of Math.random, for tests.
 */

/**
 * @typedef {object} ChatMessage A message of a room. Messages that Quantum sends by itself may lack seq and identifier.
 * @property {'chat' | 'file'} type
 * @property {number} room_id
 * @property {number} seq
 * @property {string} identifier
 * @property {number} from_user_id
 * @property {number} company_id
 * @property {string} [body] Of chat.
 * @property {{ id: string, name: string, content_type: string, size: number, sha256: string, url: string }} [file] Of file; `url` is absolute.
 * @property {string} timestamp ISO 8601, UTC.
 */

/**
 * @typedef {object} OutgoingMessage A message of ours; the client keeps it up to date and tells by 'delivery'.
 * @property {number} room_id
 * @property {string} identifier
 * @property {string} body
 * @property {'sending' | 'sent' | 'saved' | 'refused'} state sending -> sent -> saved, or refused at any point.
 * @property {number} [seq] Once sent: its place in the room.
 * @property {string} [timestamp] Once sent: the server's time.
 * @property {number} [id] Once saved: Quantum's id.
 * @property {{ code: string, message: string }} [error] Once refused.
 * @property {Promise<OutgoingMessage>} sent Rejects with an Error when refused.
 * @property {Promise<OutgoingMessage>} saved Rejects with an Error when refused. Stays open when the news was missed offline.
 */

/**
 * @typedef {object} ChatStatus
 * @property {'idle' | 'connecting' | 'connected' | 'waiting' | 'ended' | 'closed'} state
 * @property {number} [retryAt] While waiting: the time of the next try, in milliseconds as of Date.now().
 * @property {number} [code] The close code that led here.
 * @property {string} [reason]
 */

/**
 * @typedef {object} ChatEvents
 * @property {ChatStatus} status The connection changed its state.
 * @property {ChatMessage} message A message of another user, or ours from another tab or from a replay.
 * @property {OutgoingMessage | OutgoingFile} delivery A message or file of ours changed its state.
 * @property {OutgoingFile} progress More of a file of ours has arrived, or it begins anew: see `received`.
 * @property {{ room_id: number, seq: number, epoch: string, recovered: boolean, reads?: Record<string, number> }} joined
 * @property {{ room_id: number }} reload What was missed cannot be replayed: load the room's history from Quantum.
 * @property {{ room_id: number, code?: string }} left We left a room, or were put out of it (code 'removed').
 * @property {{ room_id: number, saved: { seq: number, identifier: string, id: number }[] }} saved Others' messages were saved.
 * @property {Frame} info_chat A message of ours, from any tab, was saved.
 * @property {Frame & { code: string, message: string, room_id?: number, identifier?: string }} error The server refused a frame.
 * @property {{ room_id: number, user_ids?: number[], joined?: number[], left?: number[], count?: number }} presence
 * @property {{ room_id: number, user_id: number, typing: boolean }} typing
 * @property {{ code: number, reason: string, message: string }} ended No reconnect until connect() is called.
 */

/**
 * @typedef {object} Pending
 * @property {any} message OutgoingMessage or OutgoingFile.
 * @property {Blob} [content] Of a file.
 * @property {boolean} [cancelled]
 * @property {string} frame
 * @property {number} tries
 * @property {boolean} [suspect] The connection has ended over a frame, and this one was under way.
 * @property {Deferred} sent
 * @property {Deferred} saved
 */
/** @typedef {{ promise: Promise<any>, resolve: (value: any) => void, reject: (error: Error) => void }} Deferred */

/**
 * @typedef {object} Room
 * @property {number} id
 * @property {number} [since] The last seq that arrived in order.
 * @property {string} [epoch]
 * @property {number} head The room's seq at the last join: our messages wait until the replay has come that far.
 * @property {boolean} joined On this connection.
 * @property {Pending} [inFlight] The one message that waits for its ack.
 * @property {ReturnType<typeof setTimeout>} [timer] For the ack, or for another try at joining.
 */

/**
 * @typedef {object} Link One connection, from the first try on.
 * @property {Set<number>} asked The rooms of its auth frame.
 * @property {WebSocket} [socket]
 * @property {ReturnType<typeof setTimeout>} [timer] For the auth answer, then for the next ping, then for the pong.
 * @property {number} [connectedAt] Once authenticated.
 * @property {boolean} [pinged] A ping waits for its answer.
 * @property {Frame} [failure] The refusal of the token.
 */

const AUTH_FRAME_BYTES = 4096;
/** A little below the server's default RATE_LIMIT (20 a second) and RATE_BURST (60). */
const FRAMES_PER_SECOND = 15, FRAMES_AT_ONCE = 40;
/** A connection that lasted this long counts as sound: the backoff starts anew. */
const SOUND_AFTER = 10_000;
const UNSAVED_KEPT = 1000;
/** Close codes that say that a frame ended the connection: sent again and again, it would end each one to come. */
const OVER_A_FRAME = [1002, 1003, 1007, 1008, 1011];
/** While a file goes out, a ping waits behind it. */
const PONG_BEHIND_FILE = 60_000;

const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text).length;
/** Half a character is no UTF-8: the server refuses it. */
const wellFormed = (/** @type {string} */ text) => text.replace(/\p{Surrogate}/gu, '\uFFFD');
/** The end of a text, of so many UTF-16 code units at most: what is cut off is whole characters. */
const lastOf = (/** @type {string} */ text, /** @type {number} */ length) => wellFormed(text).slice(-length).replace(/^\p{Surrogate}/u, '');
const positionOf = (/** @type {Room} */ { id, since, epoch }) => ({ room_id: id, since, epoch });

/** 128 random bits; crypto.randomUUID exists on secure origins only, getRandomValues everywhere. */
export function newIdentifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** @returns {Deferred} */
function deferred() {
  const result = /** @type {Deferred} */ ({});
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  result.promise.catch(() => {}); // A refusal is told by 'delivery' too: nobody has to await the promise.
  return result;
}

export class ChatClient extends EventTarget {
  /** @type {number | undefined} */ userId;
  /** @type {number | undefined} */ companyId;
  /** @type {ChatStatus} */ status = { state: 'idle' };
  /** Milliseconds; the server's word. */ pingInterval = 25_000;

  #options;
  /** @type {Map<number, Room>} */ #rooms = new Map();
  /** Rooms that we left although the session names them. @type {Set<number>} */ #unwanted = new Set();
  /** Without an ack, oldest first, by room. @type {Map<number, Pending[]>} */ #queues = new Map();
  /** Acked, by room and identifier. @type {Map<string, Pending>} */ #unsaved = new Map();
  /** The connection of now: whatever belongs to another one is stale and ignored. @type {Link | undefined} */ #link;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retryTimer;
  /** @type {string[]} */ #outbox = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #outboxTimer;
  #tokens = FRAMES_AT_ONCE;
  #refilledAt = 0;
  #throttles = 0;
  #pausedUntil = 0;
  /** @type {Uploads} */ #uploads;

  /** @param {ChatOptions} options */
  constructor(options) {
    super();
    if (options.token === undefined && !options.getToken) throw new TypeError('ChatClient needs token or getToken');
    const url = new URL(options.url ?? '/ws', globalThis.location?.href);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    this.#options = {
      maxMessageBytes: 65_536, backoffBase: 1000, backoffCap: 30_000, answerTimeout: 10_000, random: Math.random, ...options, url,
    };
    this.#uploads = new Uploads({
      isReady: (roomId) => this.#isReady(this.#rooms.get(roomId)),
      isTurn: (pending) => this.#isTurn(pending),
      socket: () => this.#link?.socket,
      write: (text) => this.#write(text),
      refuse: (pending, error) => this.#refuse(pending, error),
      tell: (message) => this.#emit('progress', message),
      delay: (tries) => 250 + this.#jitter(tries),
      answerTimeout: this.#options.answerTimeout,
    });
    for (const room of options.rooms ?? []) {
      const { room_id, since, epoch } = typeof room === 'number' ? { room_id: room, since: undefined, epoch: undefined } : room;
      Object.assign(this.#room(room_id), { since, epoch });
    }
  }

  /**
   * Listens to an event of ChatEvents, or to a frame type of the server.
   * @template {string} K
   * @param {K} name
   * @param {(detail: K extends keyof ChatEvents ? ChatEvents[K] : Frame) => void} listener
   * @returns {() => void} Takes the listener off again.
   */
  on(name, listener) {
    const handler = (/** @type {Event} */ event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(name, handler);
    return () => this.removeEventListener(name, handler);
  }

  /** Connects and stays connected. While it waits for its next try, tries now. */
  connect() {
    globalThis.addEventListener?.('online', this.#wake);
    globalThis.document?.addEventListener('visibilitychange', this.#wake);
    if (!this.#link) void this.#open();
  }

  /** Ends the connection; unsent messages are kept for the next connect(). */
  close() {
    const link = this.#link;
    this.#forget();
    link?.socket?.close(1000);
    this.#stop('closed');
  }

  /** Joins a room now, if connected, and at every connection from now on. @param {number | RoomPosition} position */
  join(position) {
    const { room_id, since = undefined, epoch = undefined } = typeof position === 'number' ? { room_id: position } : position;
    this.#unwanted.delete(room_id);
    if (this.#rooms.has(room_id)) return;
    const room = Object.assign(this.#room(room_id), { since, epoch });
    this.sendFrame({ type: 'join', ...positionOf(room) });
  }

  /** @param {number} roomId */
  leave(roomId) {
    this.#unwanted.add(roomId);
    this.#remove(roomId, 'not_in_room', 'You left the room');
    this.sendFrame({ type: 'leave', room_id: roomId });
  }

  /** Where each room stands: keep it to resume after the page was reloaded. @returns {RoomPosition[]} */
  positions() {
    return [...this.#rooms.values()].map(positionOf);
  }

  /**
   * Sends a message: at once, or as soon as the room is joined.
   * @param {number} roomId
   * @param {string} body At least one character.
   * @returns {OutgoingMessage}
   */
  send(roomId, body) {
    if (typeof body !== 'string' || body === '') throw new TypeError('A body is a string of at least one character');
    body = wellFormed(body);
    const identifier = newIdentifier();
    const sent = deferred(), saved = deferred();
    const frame = JSON.stringify({ type: 'chat', room_id: roomId, identifier, body });
    /** @type {OutgoingMessage} */
    const message = { room_id: roomId, identifier, body, state: 'sending', sent: sent.promise, saved: saved.promise };
    const pending = { message, frame, tries: 0, sent, saved };
    if (bytesOf(frame) > this.#options.maxMessageBytes) {
      this.#refuse(pending, { code: 'too_large', message: 'The message is too long' });
      return message;
    }
    this.#queue(roomId).push(pending);
    this.#pump(roomId);
    return message;
  }

  /**
   * Sends a file: at once, or as soon as the room is joined and no other file is under way.
   * @param {number} roomId
   * @param {Blob} content A File, or a Blob with a name.
   * @param {{ name?: string, signal?: AbortSignal, onProgress?: (received: number, size: number) => void }} [options]
   * @returns {OutgoingFile}
   */
  sendFile(roomId, content, { name = /** @type {any} */ (content).name ?? 'file', signal, onProgress } = {}) {
    const identifier = newIdentifier();
    const sent = deferred(), saved = deferred();
    const file = { name: lastOf(name, 255) || 'file', content_type: wellFormed(content.type), size: content.size };
    const frame = JSON.stringify({ type: 'file', room_id: roomId, identifier, ...file });
    /** @type {OutgoingFile} */
    const message = {
      type: 'file', room_id: roomId, identifier, file, state: 'sending', received: 0, sent: sent.promise, saved: saved.promise,
      cancel: () => this.#uploads.cancel(pending),
    };
    /** @type {Pending} */
    const pending = { message, content, frame, tries: 0, sent, saved };
    if (onProgress) {
      const off = this.on('progress', (other) => other === message && onProgress(message.received, file.size));
      message.sent.then(off, off);
    }
    signal?.addEventListener('abort', message.cancel, { once: true });
    this.#uploads.add(pending);
    if (signal?.aborted) message.cancel();
    return message;
  }

  /** Sends a frame without delivery guarantee (typing, read, presence). @param {Frame} frame @returns {boolean} false: not connected. */
  sendFrame(frame) {
    if (this.status.state !== 'connected') return false;
    this.#write(JSON.stringify(frame));
    return true;
  }

  // ---- The connection -------------------------------------------------------------------------------------------

  async #open() {
    clearTimeout(this.#retryTimer);
    /** @type {Link} */
    const link = (this.#link = { asked: new Set() });
    const { answerTimeout, getToken, token, url } = this.#options;
    link.timer = setTimeout(() => this.#lost(link, 0, 'connect_timeout'), answerTimeout);
    this.#tell({ state: 'connecting' });
    try {
      const fresh = getToken ? await getToken() : token;
      if (this.#link !== link) return;
      const socket = (link.socket = new WebSocket(url));
      socket.onopen = () => socket.send(this.#authFrame(link, fresh ?? ''));
      socket.onmessage = ({ data }) => { if (this.#link === link && typeof data === 'string') this.#receive(link, data); };
      socket.onclose = ({ code, reason }) => this.#lost(link, code, reason);
    } catch (error) { // getToken failed, as it does while the network is down: one more reason to try again.
      this.#lost(link, 0, String(error));
    }
  }

  /** As many rooms as the first frame may hold; the rest is joined afterwards. @param {Link} link @param {string} token */
  #authFrame(link, token) {
    /** @type {RoomPosition[]} */
    const rooms = [];
    let size = bytesOf(JSON.stringify({ type: 'auth', token, rooms }));
    for (const room of this.#rooms.values()) {
      const position = positionOf(room);
      size += bytesOf(JSON.stringify(position)) + 1;
      if (size > AUTH_FRAME_BYTES) break;
      rooms.push(position);
      link.asked.add(room.id);
    }
    return JSON.stringify({ type: 'auth', token, rooms });
  }

  /** The connection is gone, or counts as gone. @param {Link} link @param {number} code @param {string} reason */
  #lost(link, code, reason) {
    if (this.#link !== link) return;
    const inFlight = this.#inFlight();
    if (link.connectedAt && performance.now() - link.connectedAt > SOUND_AFTER) this.#attempt = 0;
    this.#forget();
    link.socket?.close();
    if (code >= 4500 && code <= 4999) {
      this.#stop('ended', code, reason);
      this.#emit('ended', { code, reason, message: String(link.failure?.message ?? reason) });
      return;
    }
    if (OVER_A_FRAME.includes(code)) {
      for (const pending of inFlight) {
        if (pending.suspect && !pending.cancelled) this.#refuse(pending, { code: 'connection_ended', message: `The connection ended twice over this (${code} ${reason})` });
        pending.suspect = true;
      }
    }
    // Sent again, a message over the server's limit would close every connection to come.
    const messages = inFlight.filter((pending) => !pending.content);
    if (code === 1009 && messages.length) {
      const longest = messages.reduce((a, b) => (a.frame.length >= b.frame.length ? a : b));
      this.#refuse(longest, { code: 'too_large', message: 'The message is too long' });
    }
    const delay = this.#jitter(this.#attempt++);
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#tell({ state: 'waiting', retryAt: Date.now() + delay, code, reason });
  }

  #forget() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#outboxTimer);
    clearTimeout(this.#link?.timer);
    this.#link = undefined;
    this.#outbox = [];
    this.#outboxTimer = undefined;
    for (const room of this.#rooms.values()) {
      clearTimeout(room.timer);
      Object.assign(room, { joined: false, inFlight: undefined });
    }
    this.#uploads.reset();
  }

  /** @param {'ended' | 'closed'} state @param {number} [code] @param {string} [reason] */
  #stop(state, code, reason) {
    globalThis.removeEventListener?.('online', this.#wake);
    globalThis.document?.removeEventListener('visibilitychange', this.#wake);
    this.#attempt = 0;
    this.#tell({ state, code, reason });
  }

  /** Online again, or looked at again: do not wait for timers, which browsers slow down in the background. */
  #wake = (/** @type {Event} */ event) => {
    if (event.type === 'visibilitychange' && document.visibilityState === 'hidden') return;
    if (this.status.state === 'waiting') void this.#open();
    else if (this.#link?.connectedAt && !this.#link.pinged) this.#ping(this.#link);
  };

  /** Full jitter: anywhere between nothing and the doubled limit. @param {number} attempt */
  #jitter(attempt) {
    const { backoffBase, backoffCap, random } = this.#options;
    return random() * Math.min(backoffCap, backoffBase * 2 ** attempt);
  }

  /** Dead is who does not answer a ping; silence alone is no proof where the browser delays timers. @param {Link} link */
  #ping(link) {
    clearTimeout(link.timer);
    link.pinged = true;
    this.#write('{"type":"ping"}');
    const patience = this.#uploads.isBusy ? PONG_BEHIND_FILE : this.#options.answerTimeout;
    link.timer = setTimeout(() => this.#lost(link, 4003, 'no_pong'), patience);
  }

  /** @param {string} text */
  #write(text) {
    this.#outbox.push(text);
    if (!this.#outboxTimer) this.#flush();
  }

  /** Keeps below the server's rate limit: a reconnect with many rooms and waiting messages must not end in 4002. */
  #flush() {
    this.#outboxTimer = undefined;
    const now = performance.now();
    this.#tokens = Math.min(FRAMES_AT_ONCE, this.#tokens + ((now - this.#refilledAt) / 1000) * FRAMES_PER_SECOND);
    this.#refilledAt = now;
    if (now >= this.#pausedUntil) {
      const count = Math.min(this.#outbox.length, Math.floor(this.#tokens));
      this.#tokens -= count;
      for (const text of this.#outbox.splice(0, count)) this.#link?.socket?.send(text);
    }
    if (this.#outbox.length) {
      this.#outboxTimer = setTimeout(() => this.#flush(), Math.max(1000 / FRAMES_PER_SECOND, this.#pausedUntil - now));
    }
  }

  // ---- What the server says -------------------------------------------------------------------------------------

  /** @param {Link} link @param {string} text */
  #receive(link, text) {
    /** @type {Frame} */
    const frame = JSON.parse(text);
    if (link.connectedAt) this.#heard(link);
    switch (frame.type) {
      case 'auth': return this.#authenticated(link, frame);
      case 'joined': return this.#joined(frame);
      case 'left': return this.#gone(frame);
      case 'ack': return this.#acked(frame);
      case 'info_chat': return this.#stored(frame);
      case 'info': return this.#failed(frame);
      case 'upload': return this.#uploads.go(/** @type {any} */ (frame));
      case 'progress': return this.#uploads.progress(/** @type {any} */ (frame));
      case 'chat': case 'file':
        for (const message of frame.messages ?? []) if (this.#link === link) this.#arrived(link, message);
        return;
      case 'pong': case 'status': case 'message': case 'delivery': case 'reload': case 'ended': return;
      default: this.#emit(frame.type, frame);
    }
  }

  /** @param {Link} link */
  #heard(link) {
    clearTimeout(link.timer);
    link.pinged = false;
    link.timer = setTimeout(() => this.#ping(link), this.pingInterval);
  }

  /** @param {Link} link @param {Frame} frame */
  #authenticated(link, frame) {
    if (!frame.success) {
      link.failure = frame; // The close frame that follows says what becomes of it.
      return;
    }
    this.userId = frame.user_id;
    this.companyId = frame.company_id;
    this.pingInterval = (frame.ping_interval ?? 25) * 1000;
    link.connectedAt = performance.now();
    this.#tokens = FRAMES_AT_ONCE;
    this.#pausedUntil = this.#throttles = 0;
    this.#heard(link);
    this.#tell({ state: 'connected' });
    /** @type {number[]} */
    const answered = frame.rooms ?? [];
    for (const room of this.#rooms.values()) {
      if (!link.asked.has(room.id) && !answered.includes(room.id)) this.#write(JSON.stringify({ type: 'join', ...positionOf(room) }));
    }
  }

  /** @param {Frame} frame */
  #joined(frame) {
    if (this.#unwanted.has(frame.room_id)) {
      this.sendFrame({ type: 'leave', room_id: frame.room_id });
      return;
    }
    const room = this.#room(frame.room_id);
    const missed = !frame.recovered && room.since !== undefined;
    if (!frame.recovered || room.since === undefined) room.since = frame.seq;
    Object.assign(room, { joined: true, epoch: frame.epoch, head: frame.seq });
    this.#emit('joined', frame);
    if (missed) this.#emit('reload', { room_id: room.id });
    this.#pump(room.id);
  }

  /** @param {Frame} frame */
  #gone(frame) {
    if (frame.code) this.#remove(frame.room_id, 'not_in_room', 'You are no longer in this room');
    this.#emit('left', frame);
  }

  /** @param {Link} link @param {ChatMessage} message */
  #arrived(link, message) {
    const room = this.#rooms.get(message.room_id);
    if (message.seq !== undefined) {
      if (!room?.joined || room.since === undefined || message.seq <= room.since) return; // Left meanwhile, or seen before.
      if (message.seq > room.since + 1) { // A hole, which must not be: the next connection gets everything after `since`.
        this.#lost(link, 0, 'gap');
        return;
      }
      room.since = message.seq;
    }
    if (message.from_user_id === this.userId) this.#accepted(message);
    if (message.file?.url) message.file.url = this.#absolute(message.file.url);
    this.#emit('message', message);
    if (room) this.#pump(room.id);
  }

  /** Files are served where the WebSocket is. @param {string} url */
  #absolute(url) {
    const base = new URL(this.#options.url, globalThis.location?.href);
    base.protocol = base.protocol.replace('ws', 'http');
    return new URL(url, base).href;
  }

  /** An ack takes its turn among the room's messages, so it moves `since`; that of a repeated identifier is older. @param {Frame} frame */
  #acked(frame) {
    const room = this.#rooms.get(frame.room_id);
    if (room?.since !== undefined && frame.seq === room.since + 1) room.since = frame.seq;
    if (!this.#accepted(/** @type {any} */ (frame))) this.#emit('ack', frame);
    this.#pump(frame.room_id);
  }

  /** Our message is in: the ack says so, or the replay that shows it. @param {ChatMessage} frame @returns {boolean} */
  #accepted({ room_id, identifier, seq, timestamp }) {
    const pending = this.#take(room_id, identifier);
    if (!pending) return false;
    Object.assign(pending.message, { state: 'sent', seq, timestamp });
    this.#unsaved.set(`${room_id}/${identifier}`, pending);
    if (this.#unsaved.size > UNSAVED_KEPT) this.#unsaved.delete(/** @type {string} */ (this.#unsaved.keys().next().value));
    pending.sent.resolve(pending.message);
    this.#emit('delivery', pending.message);
    return true;
  }

  /** @param {Frame} frame */
  #stored(frame) {
    this.#accepted(/** @type {any} */ (frame)); // Where the ack was lost with its connection.
    const key = `${frame.room_id}/${frame.identifier}`;
    const pending = this.#unsaved.get(key);
    if (pending) {
      this.#unsaved.delete(key);
      Object.assign(pending.message, { state: 'saved', id: frame.id });
      pending.saved.resolve(pending.message);
      this.#emit('delivery', pending.message);
    }
    this.#emit('info_chat', frame);
  }

  /** @param {Frame} frame */
  #failed(frame) {
    const { code, room_id, identifier } = frame;
    const error = { code, message: frame.message };
    const room = this.#rooms.get(room_id);
    const passing = code === 'unavailable' || code === 'rate_limited';
    if (code === 'rate_limited') this.#throttle();
    if (identifier !== undefined) {
      const queued = this.#queues.get(room_id)?.find((p) => p.message.identifier === identifier);
      const upload = this.#uploads.find(room_id, identifier);
      const pending = queued ?? this.#unsaved.get(`${room_id}/${identifier}`);
      if (upload) this.#uploads.failed(upload, error, passing);
      else if (pending && !passing) this.#refuse(pending, error);
      else if (pending && room?.inFlight === pending) this.#later(room, () => this.#transmit(room, pending), pending.tries);
    } else if (room && !room.joined) {
      if (passing) this.#later(room, () => this.#write(JSON.stringify({ type: 'join', ...positionOf(room) })), 1);
      else this.#remove(room_id, code, frame.message);
    }
    this.#emit('error', frame);
  }

  #throttle() {
    const now = performance.now();
    if (now - this.#pausedUntil > 60_000) this.#throttles = 0;
    this.#pausedUntil = now + 1000 * 2 ** Math.min(5, this.#throttles++);
  }

  // ---- Messages on their way out --------------------------------------------------------------------------------

  /** Sends the oldest message of a room, if nothing is in flight: one at a time keeps their order whatever fails. @param {number} roomId */
  #pump(roomId) {
    this.#uploads.pump();
    const room = this.#rooms.get(roomId);
    const pending = this.#queues.get(roomId)?.[0];
    if (!pending || !this.#isReady(room) || room.inFlight || !this.#isTurn(pending)) return;
    pending.tries = 0;
    this.#transmit(room, pending);
  }

  /**
   * Until the replay has come to its end, it may still show that a waiting message did arrive.
   * @param {Room | undefined} room @returns {room is Room}
   */
  #isReady(room) {
    return this.status.state === 'connected' && room !== undefined && room.joined && (room.since ?? 0) >= room.head;
  }

  /** What was sent on this connection and has no answer yet. @returns {Pending[]} */
  #inFlight() {
    return [...this.#rooms.values()].flatMap((room) => room.inFlight ?? []).concat(this.#uploads.active ?? []);
  }

  /** One suspect at a time: if the connection ends again, it was this one, and the others go on. @param {Pending} pending */
  #isTurn(pending) {
    return !pending.suspect || !this.#inFlight().some((other) => other.suspect);
  }

  /** @param {Room} room @param {Pending} pending */
  #transmit(room, pending) {
    room.inFlight = pending;
    pending.tries++;
    this.#write(pending.frame);
    clearTimeout(room.timer);
    room.timer = setTimeout(() => this.#transmit(room, pending), this.#options.answerTimeout);
  }

  /** @param {Room} room @param {() => void} action @param {number} tries */
  #later(room, action, tries) {
    clearTimeout(room.timer);
    room.timer = setTimeout(action, 250 + this.#jitter(tries));
  }

  /** @param {number} roomId @param {string} identifier */
  #take(roomId, identifier) {
    const pending = this.#takeMessage(roomId, identifier) ?? this.#uploads.take(roomId, identifier);
    if (pending?.suspect) queueMicrotask(() => this.#queues.forEach((_, id) => this.#pump(id))); // Others may have waited for it.
    return pending;
  }

  /** @param {number} roomId @param {string} identifier */
  #takeMessage(roomId, identifier) {
    const queue = this.#queues.get(roomId) ?? [];
    const index = queue.findIndex((p) => p.message.identifier === identifier);
    if (index < 0) return undefined;
    const [pending] = queue.splice(index, 1);
    const room = this.#rooms.get(roomId);
    if (room?.inFlight === pending) {
      clearTimeout(room.timer);
      room.inFlight = undefined;
    }
    return pending;
  }

  /** @param {Pending} pending @param {{ code: string, message: string }} error */
  #refuse(pending, error) {
    const { room_id, identifier } = pending.message;
    this.#take(room_id, identifier);
    this.#unsaved.delete(`${room_id}/${identifier}`);
    Object.assign(pending.message, { state: 'refused', error });
    const reason = Object.assign(new Error(error.message), { code: error.code });
    pending.sent.reject(reason);
    pending.saved.reject(reason);
    this.#emit('delivery', pending.message);
    this.#pump(room_id);
  }

  /** @param {number} id */
  #room(id) {
    const room = this.#rooms.get(id) ?? /** @type {Room} */ ({ id, head: 0, joined: false });
    this.#rooms.set(id, room);
    return room;
  }

  /** @param {number} id */
  #queue(id) {
    const queue = this.#queues.get(id) ?? [];
    this.#queues.set(id, queue);
    return queue;
  }

  /** @param {number} id @param {string} code @param {string} message */
  #remove(id, code, message) {
    clearTimeout(this.#rooms.get(id)?.timer);
    this.#rooms.delete(id);
    for (const upload of this.#uploads.of(id)) this.#uploads.cancel(upload);
    for (const pending of [...this.#queue(id), ...this.#uploads.of(id)]) this.#refuse(pending, { code, message });
    this.#queues.delete(id);
  }

  /** @param {ChatStatus} status */
  #tell(status) {
    this.status = status;
    this.#emit('status', status);
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
