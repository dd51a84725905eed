/**
 * The part of ChatServer's browser client that sends files; chat-client.js imports it, copy both. (MIT licence)
 * One file at a time goes out, in slices, so that messages pass between them. After a reconnect a file begins anew with the same identifier,
 * which makes it arrive once.
 */

/** @typedef {import('./chat-client.js').Pending} Pending */

/**
 * @typedef {object} OutgoingFile A file of ours; the client keeps it up to date and tells by 'delivery' and 'progress'.
 * @property {'file'} type
 * @property {number} room_id
 * @property {string} identifier
 * @property {{ name: string, content_type: string, size: number }} file
 * @property {'sending' | 'sent' | 'saved' | 'refused'} state As of a message.
 * @property {number} received Bytes that the server has stored.
 * @property {number} [seq]
 * @property {string} [timestamp]
 * @property {number} [id]
 * @property {{ code: string, message: string }} [error] Once refused; code 'cancelled' where it was taken back.
 * @property {Promise<OutgoingFile>} sent
 * @property {Promise<OutgoingFile>} saved
 * @property {() => void} cancel Takes it back, unless it has arrived.
 */

/**
 * @typedef {object} Line What the client lends.
 * @property {(roomId: number) => boolean} isReady Whether the room may be written to now.
 * @property {(pending: Pending) => boolean} isTurn Whether nothing else that is under way forbids it.
 * @property {() => WebSocket | undefined} socket
 * @property {(text: string) => void} write
 * @property {(pending: Pending, error: { code: string, message: string }) => void} refuse
 * @property {(message: any) => void} tell Of progress.
 * @property {(tries: number) => number} delay Milliseconds until another try.
 * @property {number} answerTimeout
 */

const SLICE = 64 * 1024;
/** What may wait in the browser: a message that is sent meanwhile goes out behind it. */
const BUFFERED = 256 * 1024;
/** How far ahead of the server's word: what lies in the buffers on the way, a message waits behind as well. */
const AHEAD = 1024 * 1024;
const LOOK_AGAIN = 10;

const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));

export class Uploads {
  #line;
  /** Oldest first. @type {Pending[]} */ #queue = [];
  /** The one that the server was told of, on this connection. @type {Pending | undefined} */ #active;
  /** Another number than before: whoever sends slices has to stop. */ #run = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {Line} line */
  constructor(line) {
    this.#line = line;
  }

  /** Whether one is under way. */
  get isBusy() {
    return this.#active !== undefined;
  }

  /** The one under way. */
  get active() {
    return this.#active;
  }

  /** @param {Pending} pending */
  add(pending) {
    this.#queue.push(pending);
    this.pump();
  }

  /** Announces the oldest file whose room is ready, if none is under way. */
  pump() {
    const next = this.#active ? undefined : this.#queue.find(({ message }) => this.#line.isReady(message.room_id));
    if (!next || !this.#line.isTurn(next)) return;
    next.tries = 0;
    this.#announce(next);
  }

  /** @param {number} roomId @param {string} identifier */
  find(roomId, identifier) {
    return this.#queue.find(({ message }) => message.room_id === roomId && message.identifier === identifier);
  }

  /** Its story is over, one way or the other. @param {number} roomId @param {string} identifier */
  take(roomId, identifier) {
    const pending = this.find(roomId, identifier);
    if (!pending) return undefined;
    this.#queue.splice(this.#queue.indexOf(pending), 1);
    if (pending === this.#active) this.#halt();
    return pending;
  }

  /** @param {number} roomId */
  of(roomId) {
    return this.#queue.filter(({ message }) => message.room_id === roomId);
  }

  /** The connection is gone. */
  reset() {
    const active = this.#active;
    this.#halt();
    if (active?.cancelled) this.#refuseCancelled(active);
    else if (active) this.#progress(active, 0);
  }

  /** The server's go-ahead. @param {{ identifier: string }} frame */
  go({ identifier }) {
    const pending = this.#active;
    if (pending?.message.identifier === identifier && !pending.cancelled) void this.#stream(pending, ++this.#run);
  }

  /** @param {{ identifier: string, received: number }} frame */
  progress({ identifier, received }) {
    if (this.#active?.message.identifier === identifier) this.#progress(this.#active, received);
  }

  /** The server has refused it, for now or for good. @param {Pending} pending @param {{ code: string, message: string }} error @param {boolean} passing */
  failed(pending, error, passing) {
    if (pending.cancelled) this.#refuseCancelled(pending);
    else if (!passing) this.#line.refuse(pending, error);
    else if (pending === this.#active) {
      this.#run++;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#announce(pending), this.#line.delay(pending.tries));
    }
  }

  /** Where the server knows of it, its answer decides: the file may have arrived already. @param {Pending} pending */
  cancel(pending) {
    if (!this.#queue.includes(pending) || pending.cancelled) return;
    pending.cancelled = true;
    if (pending !== this.#active) this.#refuseCancelled(pending);
    else this.#sayCancel(pending);
  }

  /** @param {Pending} pending */
  #sayCancel(pending) {
    this.#run++;
    this.#line.write(JSON.stringify({ type: 'cancel', identifier: pending.message.identifier }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refuseCancelled(pending), this.#line.answerTimeout);
  }

  /** @param {Pending} pending */
  #refuseCancelled(pending) {
    this.#line.refuse(pending, { code: 'cancelled', message: 'Cancelled' });
  }

  /** @param {Pending} pending */
  #announce(pending) {
    this.#active = pending;
    this.#run++;
    pending.tries++;
    this.#progress(pending, 0);
    this.#line.write(pending.frame);
    this.#expect(pending);
  }

  /** An answer must come, or it begins anew: with the same identifier that is safe. @param {Pending} pending */
  #expect(pending) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#announce(pending), this.#line.answerTimeout);
  }

  #halt() {
    this.#run++;
    clearTimeout(this.#timer);
    this.#active = undefined;
  }

  /** @param {Pending} pending @param {number} run */
  async #stream(pending, run) {
    const { content, message } = pending;
    const socket = this.#line.socket();
    clearTimeout(this.#timer);
    if (!content || !socket) return;
    try {
      for (let at = 0; at < content.size; at += SLICE) {
        const bytes = await content.slice(at, at + SLICE).arrayBuffer();
        if (bytes.byteLength !== Math.min(SLICE, content.size - at)) throw new Error('The file has changed');
        while (run === this.#run && (socket.bufferedAmount > BUFFERED || at - message.received > AHEAD)) await pause();
        if (run !== this.#run) return;
        socket.send(bytes);
      }
      while (run === this.#run && socket.bufferedAmount > 0) await pause();
      if (run === this.#run) this.#expect(pending);
    } catch (error) { // Browsers refuse to read a file that was changed or taken away since it was chosen.
      if (run !== this.#run) return;
      this.#sayCancel(pending);
      this.#line.refuse(pending, { code: 'unreadable', message: `The file can't be read: ${String(error)}` });
    }
  }

  /** @param {Pending} pending @param {number} received */
  #progress(pending, received) {
    if (pending.message.received === received) return;
    pending.message.received = received;
    this.#line.tell(pending.message);
  }
}
