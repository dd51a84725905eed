// How the connection stands: a chip in the header, and a banner with something to do when it is not there.

import { $ } from './dom.js';

/** @typedef {import('./chat-client.js').ChatStatus} ChatStatus */

const WORDS = {
  idle: 'Connecting', connecting: 'Connecting', connected: 'Connected', waiting: 'Reconnecting', offline: 'Offline',
  ended: 'Signed out', closed: 'Disconnected',
};
const ENDED = {
  4500: 'The server does not know this session any more.',
  4503: 'This session has ended.',
  4504: 'You are connected in too many places at once.',
};

export class StatusView {
  #chip = $('.status');
  #banner = $('.banner');
  #button = $('.banner-button');
  /** @type {ChatStatus} */ #status = { state: 'idle' };
  #wasConnected = false;
  /** @type {() => void} */ #action = () => {};

  /** @param {{ retry: () => void, signIn: () => void }} actions */
  constructor({ retry, signIn }) {
    this.#button.addEventListener('click', () => this.#action());
    this.retry = retry;
    this.signIn = signIn;
    setInterval(() => this.#status.state === 'waiting' && this.#render(), 500);
    addEventListener('online', () => this.#render());
    addEventListener('offline', () => this.#render());
  }

  /** @param {ChatStatus} status */
  show(status) {
    this.#status = status;
    if (status.state === 'connected') this.#wasConnected = true;
    this.#render();
  }

  #render() {
    const { state, retryAt = 0, code = 0 } = this.#status;
    const offline = state === 'waiting' && !navigator.onLine;
    const shown = offline ? 'offline' : state;
    if (this.#chip.dataset.state !== shown) {
      this.#chip.dataset.state = shown;
      $('.status-text', this.#chip).textContent = $('.me-status').textContent = WORDS[shown];
    }
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    if (state === 'ended') {
      this.#say(ENDED[/** @type {keyof typeof ENDED} */ (code)] ?? 'The server ended the connection.', 'Sign in again', this.signIn);
    } else if (offline) this.#say('You are offline. What you write is sent when you are back.', 'Try now', this.retry);
    else if (state === 'waiting' && seconds > 0) this.#say(`Connection lost. Retrying in ${seconds}\u00a0s.`, 'Try now', this.retry);
    else if (state === 'waiting' || (state === 'connecting' && this.#wasConnected)) this.#say('Connection lost. Retrying…');
    else this.#banner.hidden = true;
  }

  /** @param {string} text @param {string} [label] @param {() => void} [action] */
  #say(text, label = '', action = () => {}) {
    const words = $('.banner-text', this.#banner);
    if (words.textContent !== text) words.textContent = text;
    this.#button.textContent = label;
    this.#button.hidden = !label;
    this.#action = action;
    this.#banner.dataset.state = this.#status.state;
    this.#banner.hidden = false;
  }
}
