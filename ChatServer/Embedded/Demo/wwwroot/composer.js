// The field to write in: grows with the text, Enter sends, an input method's Enter does not.

import { $ } from './dom.js';

export class Composer {
  #form = $('.composer');
  /** @type {HTMLTextAreaElement} */ #field = $('.composer textarea');
  #button = /** @type {HTMLButtonElement} */ ($('.send'));
  #onSend;

  /** @param {(text: string) => void} onSend @param {(typing: boolean) => void} onTyping */
  constructor(onSend, onTyping) {
    this.#onSend = onSend;
    this.#field.addEventListener('input', () => {
      this.#fit();
      onTyping(this.#field.value.trim() !== '');
    });
    this.#field.addEventListener('keydown', (event) => {
      // keyCode 229: Safari ends the composition before the keydown of the Enter that ended it.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#send();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
      this.#field.focus();
    });
  }

  get draft() {
    return this.#field.value;
  }

  set draft(text) {
    this.#field.value = text;
    this.#fit();
  }

  /** @param {string} roomName */
  label(roomName) {
    this.#field.placeholder = `Write to ${roomName}`;
    this.#field.setAttribute('aria-label', `Message to ${roomName}`);
  }

  focus() {
    if (matchMedia('(pointer: fine)').matches) this.#field.focus(); // On a phone it would call the keyboard up.
  }

  #send() {
    const text = this.#field.value.trim();
    if (!text) return;
    this.draft = '';
    this.#onSend(text);
  }

  #fit() {
    this.#button.disabled = this.#field.value.trim() === '';
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
