// The conversation on the screen: keyed, so that what is there stays there (selection, screen readers, scrolling).

import { attachment, showProgress } from './attachment.js';
import { $, avatar, h, icon, unseen } from './dom.js';

/** @typedef {import('./timeline.js').Item} Item */

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayThisYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });

const STATES = { sending: 'Sending', sent: 'Sent', saved: 'Saved', refused: 'Not saved' };
const GROUPED_WITHIN = 5 * 60_000;
const NEAR_BOTTOM = 48;

/** @param {Date} date @param {Date} now */
function dayName(date, now) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return 'Today';
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday';
  return (date.getFullYear() === now.getFullYear() ? dayThisYear : day).format(date);
}

/** The time for a list: today's hour, or the day. @param {string} timestamp */
export function shortTime(timestamp) {
  const date = new Date(timestamp);
  const name = dayName(date, new Date());
  if (name === 'Today') return time.format(date);
  return name === 'Yesterday' ? name : date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

export class LogView {
  #log = $('.log');
  #list = $('.messages');
  #jump = $('.jump');
  /** @type {Map<string, HTMLElement>} */ #shown = new Map();
  /** @type {unknown} */ #subject;
  #atBottom = true;
  #newBelow = 0;
  #onResend;

  /** @param {(item: Item) => void} onResend */
  constructor(onResend) {
    this.#onResend = onResend;
    this.#log.addEventListener('scroll', () => {
      this.#atBottom = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR_BOTTOM;
      if (this.#atBottom) this.#newBelow = 0;
      this.#showJump();
    }, { passive: true });
    this.#jump.addEventListener('click', () => {
      this.scrollDown();
      this.#log.focus({ preventScroll: true });
    });
    // A picture has no height until it is there.
    this.#list.addEventListener('load', () => this.#atBottom && this.scrollDown(), { capture: true });
    // The keyboard of a phone, or a longer draft, takes height away: who read the end goes on reading it.
    new ResizeObserver(() => this.#atBottom && this.scrollDown()).observe(this.#log);
  }

  get atBottom() {
    return this.#atBottom;
  }

  scrollDown() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#atBottom = true;
    this.#newBelow = 0;
    this.#showJump();
  }

  /**
   * @param {{ items: Item[], me: number, nameOf: (id: number) => string, subject: unknown, notice?: string }} view
   *   `subject` is the room: another one starts at its end, and is not read out as news. `notice` stands in for no messages.
   */
  render({ items, me, nameOf, subject, notice }) {
    const fresh = subject !== this.#subject;
    if (fresh) {
      this.#subject = subject;
      this.#shown.clear();
      this.#list.replaceChildren();
      this.#atBottom = true;
    }
    this.#log.setAttribute('aria-live', fresh ? 'off' : 'polite');
    const wasAtBottom = this.#atBottom;
    const rows = this.#rows(items, me, nameOf);
    if (!rows.length && notice) rows.push(this.#row('notice', notice, () => h('li', { class: 'notice' }, notice)));
    this.#place(rows);
    for (const item of items) if (item.upload && item.state === 'sending') showProgress(/** @type {Element} */ (this.#shown.get(item.key)), item);
    if (wasAtBottom) this.scrollDown();
    this.#showJump();
  }

  /** How many came while the end was out of sight. @param {number} count */
  cameBelow(count) {
    if (!this.#atBottom) this.#newBelow += count;
  }

  /** @param {Item[]} items @param {number} me @param {(id: number) => string} nameOf */
  #rows(items, me, nameOf) {
    const now = new Date();
    const rows = [];
    /** @type {{ item: Item, date: Date } | undefined} */
    let before;
    for (const item of items) {
      const date = new Date(item.timestamp);
      const newDay = before?.date.toDateString() !== date.toDateString();
      if (newDay) {
        const name = dayName(date, now);
        rows.push(this.#row(`day ${date.toDateString()}`, name, () => h('li', { class: 'day' }, h('span', {}, name))));
      }
      const continues = !newDay && before?.item.from === item.from && date.getTime() - before.date.getTime() < GROUPED_WITHIN;
      const name = nameOf(item.from);
      const version = [item.state, item.body, item.file?.url, item.timestamp, item.error, continues, name].join('\u0000');
      rows.push(this.#row(item.key, version, () => this.#message(item, date, name, item.from === me, continues)));
      before = { item, date };
    }
    return rows;
  }

  /** The row that is shown already, if it still says the same. @param {string} key @param {string} version @param {() => HTMLElement} make */
  #row(key, version, make) {
    const shown = this.#shown.get(key);
    if (shown?.dataset.version === version) return { key, row: shown };
    const row = make();
    row.dataset.version = version;
    return { key, row };
  }

  /** @param {{ key: string, row: HTMLElement }[]} rows */
  #place(rows) {
    const stay = new Set(rows.map(({ row }) => row));
    for (const row of [...this.#list.children]) if (!stay.has(/** @type {HTMLElement} */ (row))) row.remove();
    rows.forEach(({ row }, index) => {
      if (this.#list.children[index] !== row) this.#list.insertBefore(row, this.#list.children[index] ?? null);
    });
    this.#shown = new Map(rows.map(({ key, row }) => [key, row]));
  }

  /** @param {Item} item @param {Date} date @param {string} name @param {boolean} own @param {boolean} continues */
  #message(item, date, name, own, continues) {
    const attributes = {
      class: `message${own ? ' own' : ''}${continues ? ' continues' : ''}${this.#shown.has(item.key) ? '' : ' new'}`,
      'data-testid': 'message', 'data-identifier': item.identifier ?? '', 'data-state': item.state ?? null, 'data-own': own,
    };
    const clock = h('time', { datetime: item.timestamp, title: dateAndTime.format(date) }, time.format(date));
    const meta = h('span', { class: 'meta' }, clock);
    if (item.state) {
      meta.append(h('span', { class: 'state', 'data-testid': 'delivery', 'data-state': item.state, title: STATES[item.state] },
        icon(item.state), unseen(STATES[item.state])));
    }
    const bubble = h('div', { class: 'bubble' },
      h('span', { class: own || continues ? 'author unseen' : 'author', 'data-testid': 'author' }, own ? 'You' : name),
      item.file ? attachment(item, () => item.upload?.cancel()) : h('p', { class: 'body', dir: 'auto', 'data-testid': 'body' }, item.body), meta);
    const row = h('li', attributes, own || continues ? '' : avatar(name), bubble);
    if (item.state === 'refused') {
      row.append(h('p', { class: 'refusal', 'data-testid': 'refusal' }, `Not saved: ${item.error ?? 'the server refused it.'} `,
        h('button', { type: 'button', class: 'resend', 'data-testid': 'resend', onclick: () => this.#onResend(item) }, 'Send again')));
    }
    return row;
  }

  #showJump() {
    this.#jump.hidden = this.#atBottom;
    $('.jump-text', this.#jump).textContent = this.#newBelow ? `${this.#newBelow} new` : 'Newest';
  }
}
