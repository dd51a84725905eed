// Small helpers around the DOM. Text only ever goes in as text: nothing here parses HTML.

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `on…` listens, `data`/`class`… are attributes; null and false leave one out.
 * @param {...(Node | string)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

/** An icon of the sprite in index.html. @param {string} name */
export function icon(name) {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const use = document.createElementNS(namespace, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

/** A round picture with the name's initials, in a colour that stays with the name. @param {string} name */
export function avatar(name) {
  const words = name.trim().split(/\s+/);
  const initials = [words[0], words.length > 1 ? words[words.length - 1] : ''].map((word) => [...word][0] ?? '').join('');
  let hash = 7;
  for (const character of name.toLowerCase()) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  const element = h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials.toUpperCase());
  element.style.setProperty('--hue', String((hash * 47) % 360)); // The CSSOM, which a strict style-src allows.
  return element;
}

/** Text that only screen readers get. @param {string} text */
export const unseen = (text) => h('span', { class: 'unseen' }, text);

/** @template {Element} [E=HTMLElement] @param {string} selector @param {ParentNode} [root] @returns {E} */
export function $(selector, root = document) {
  return /** @type {E} */ (root.querySelector(selector));
}
