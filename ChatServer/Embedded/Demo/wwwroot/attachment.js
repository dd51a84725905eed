// A file in the conversation: a picture where a browser shows one, its name and size, and how far it is on its way.

import { h, icon } from './dom.js';

/** @typedef {import('./timeline.js').Item} Item */

const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']);
const UNITS = ['bytes', 'KB', 'MB', 'GB'];

/** @param {number} bytes */
function sizeOf(bytes) {
  let unit = 0;
  for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return `${unit ? bytes.toFixed(bytes < 10 ? 1 : 0) : bytes} ${UNITS[unit]}`;
}

/** @param {Item} item @param {() => void} onCancel */
export function attachment(item, onCancel) {
  const { name, content_type: type, size, url } = /** @type {NonNullable<Item['file']>} */ (item.file);
  const text = [h('span', { class: 'file-name', dir: 'auto', 'data-testid': 'file-name' }, name), h('span', { class: 'file-size' }, sizeOf(size))];
  const card = url
    ? h('a', { class: 'file-card', href: url, download: name, 'data-testid': 'file-link' }, icon('file'), h('span', { class: 'file-text' }, ...text))
    : h('span', { class: 'file-card' }, icon('file'), h('span', { class: 'file-text' }, ...text));
  const box = h('div', { class: 'file', 'data-testid': 'file' });
  if (url && PICTURES.has(type)) {
    box.append(h('a', { class: 'picture', href: url, download: name },
      h('img', { src: url, alt: name, loading: 'lazy', 'data-testid': 'picture', onerror: (/** @type {Event} */ { target }) =>
        /** @type {Element} */ (target).closest('.picture')?.remove() })));
  }
  box.append(card);
  if (item.state === 'sending') {
    box.append(h('div', { class: 'upload' },
      h('progress', { max: String(Math.max(1, size)), value: String(item.received ?? 0), 'aria-label': `Sending ${name}`, 'data-testid': 'progress' }),
      h('button', { type: 'button', class: 'cancel', 'data-testid': 'cancel', onclick: onCancel }, 'Cancel')));
  }
  return box;
}

/** Moves the bar of a row that is shown already. @param {Element} row @param {Item} item */
export function showProgress(row, item) {
  const bar = row.querySelector('progress');
  if (bar) bar.value = item.received ?? 0;
}
