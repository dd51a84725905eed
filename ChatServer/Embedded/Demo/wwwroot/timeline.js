// What a room's conversation consists of: Quantum's history, the live stream and our own unsent messages, as one list.

/**
 * @typedef {object} Item
 * @property {string} key
 * @property {number} from
 * @property {string} [identifier]
 * @property {string} body
 * @property {string} timestamp
 * @property {number} [seq] The room's order, known of what came live.
 * @property {number} [id] Quantum's order, known of what is saved. It saves a room in seq order, so the two agree.
 * @property {'sending' | 'sent' | 'saved' | 'refused'} [state] Of our own messages.
 * @property {string} [error]
 * @property {{ name: string, content_type: string, size: number, url?: string }} [file]
 * @property {File} [content] Of a file of ours, from this page.
 * @property {number} [received] Bytes of our file that have arrived.
 * @property {import('./chat-client.js').OutgoingFile} [upload] Of a file of ours, from this page.
 */

const KEPT = 500;

export class Timeline {
  /** In the order to show. @type {Item[]} */
  items = [];
  /** @type {Map<string, Item>} */ #byKey = new Map();

  /** @param {any} message Of the live stream or of the history. @param {number} me @returns {Item} */
  add(message, me) {
    const own = message.from_user_id === me;
    const item = this.#item(message.from_user_id, message.identifier ?? `#${message.id ?? message.seq}`);
    item.body = message.body ?? '';
    item.file ??= message.file ?? undefined;
    item.timestamp = message.timestamp ?? item.timestamp;
    item.seq = message.seq ?? item.seq;
    item.id = message.id ?? item.id;
    if (own) item.state = item.id !== undefined ? 'saved' : (item.state === 'refused' ? 'refused' : 'sent');
    return item;
  }

  /** @param {any} message An OutgoingMessage or OutgoingFile. @param {number} me @returns {Item} */
  own(message, me) {
    const item = this.#item(me, message.identifier);
    if (message.file) Object.assign(item, { file: item.file ?? { ...message.file }, received: message.received, upload: message });
    const { body = '', state, seq = item.seq, id = item.id, timestamp = item.timestamp } = message;
    return Object.assign(item, { body, state, seq, id, timestamp, error: message.error?.message });
  }

  /** Others' messages, or ours from another tab, got their ids. @param {{ seq: number, identifier: string, id: number }[]} saved */
  saved(saved) {
    let allKnown = true;
    for (const { seq, identifier, id } of saved) {
      const item = this.items.find((i) => (i.seq === undefined ? i.id === id : i.seq === seq) && i.identifier === identifier);
      if (!item) allKnown = false;
      else Object.assign(item, { id, state: item.state && 'saved' });
    }
    return allKnown;
  }

  /** The stream has a hole: only the history says what is between. Seqs may have started anew. @param {number} me */
  reset(me) {
    for (const item of this.items) {
      item.seq = undefined;
      if (item.id === undefined && item.from !== me) this.#byKey.delete(item.key);
    }
    this.arrange();
  }

  /** @param {Item} item */
  remove(item) {
    this.#byKey.delete(item.key);
    this.arrange();
  }

  /** Whether one of ours still waits to hear of Quantum. */
  get unsettled() {
    return this.items.some((item) => item.state === 'sent');
  }

  /** Puts the items in order: by id, then what only came live by seq among them, then what has neither. */
  arrange() {
    const all = [...this.#byKey.values()];
    const saved = all.filter((i) => i.id !== undefined).sort((a, b) => Number(a.id) - Number(b.id));
    const live = all.filter((i) => i.id === undefined && i.seq !== undefined).sort((a, b) => Number(a.seq) - Number(b.seq));
    const sending = all.filter((i) => i.id === undefined && i.seq === undefined);
    /** @type {Item[]} */
    const merged = [];
    for (const item of saved) {
      while (live.length && item.seq !== undefined && Number(live[0].seq) < item.seq) merged.push(/** @type {Item} */ (live.shift()));
      merged.push(item);
    }
    this.items = [...merged, ...live, ...sending];
    for (const item of this.items.splice(0, Math.max(0, this.items.length - KEPT))) this.#byKey.delete(item.key);
  }

  /** @param {number} from @param {string} identifier */
  #item(from, identifier) {
    const key = `${from}/${identifier}`;
    const item = this.#byKey.get(key) ?? { key, from, identifier, body: '', timestamp: new Date().toISOString() };
    this.#byKey.set(key, item);
    return item;
  }
}
