// The chat behind the sign-in: rooms, what happens in them, and the views that show it.

import * as api from './api.js';
import { takeFiles } from './attach.js';
import { ChatClient } from './chat-client.js';
import { Composer } from './composer.js';
import { $, avatar } from './dom.js';
import { LogView } from './log-view.js';
import { renderMembers, renderRooms } from './room-list.js';
import { StatusView } from './status-view.js';
import { Timeline } from './timeline.js';

/**
 * @typedef {object} Room
 * @property {number} id
 * @property {string} name
 * @property {boolean} private
 * @property {Timeline} timeline
 * @property {Map<number, api.User>} members
 * @property {(id: number) => string} nameOf
 * @property {Set<number>} [online] Unknown until the server tells.
 * @property {Map<number, ReturnType<typeof setTimeout>>} typing
 * @property {number} unread
 * @property {string} draft
 * @property {string} notice Shown in place of messages.
 * @property {ReturnType<typeof setTimeout>} [loading]
 */

const TYPING_EVERY = 3000, TYPING_FADES = 6000;

export class Chat {
  #session;
  #client;
  /** @type {Map<number, Room>} */ #rooms = new Map();
  /** @type {Room | undefined} */ #current;
  #log = new LogView((item) => this.#resend(item));
  #composer = new Composer((text) => this.#send(text), (typing) => this.#typing(typing));
  #root = $('#chat');
  #typedAt = 0;
  #pending = false;

  /** @param {api.Session} session @param {{ signOut: () => void, signInAgain: () => Promise<api.Session> }} actions */
  constructor(session, { signOut, signInAgain }) {
    this.#session = session;
    for (const room of session.rooms) this.#rooms.set(room.id, this.#newRoom(room));
    const client = (this.#client = new ChatClient({ getToken: () => this.#session.token, rooms: [...this.#rooms.keys()] }));
    const status = new StatusView({
      retry: () => client.connect(),
      signIn: async () => {
        this.#session = await signInAgain();
        client.connect();
      },
    });
    client.on('status', (s) => status.show(s));
    client.on('message', (message) => this.#arrived(message));
    client.on('delivery', (message) => this.#in(message.room_id, (room) => this.#delivered(room, message)));
    client.on('progress', (file) => this.#in(file.room_id, (room) => room.timeline.own(file, session.user.id)));
    client.on('joined', (frame) => this.#joined(frame));
    client.on('reload', ({ room_id }) => this.#in(room_id, (room) => room.timeline.reset(session.user.id)));
    client.on('left', (frame) => frame.code && this.#removed(frame.room_id));
    client.on('saved', ({ room_id, saved }) => this.#saved(room_id, saved));
    client.on('info_chat', ({ room_id, seq, identifier, id }) => this.#saved(room_id, [{ seq, identifier, id }]));
    client.on('presence', (frame) => this.#presence(frame));
    client.on('typing', ({ room_id, user_id, typing }) => this.#in(room_id, (room) => this.#typist(room, user_id, typing)));
    this.#wire(signOut);
    this.#open([...this.#rooms.values()][0]);
    this.#root.dataset.pane = matchMedia('(max-width: 720px)').matches ? 'rooms' : 'room';
    client.connect();
  }

  /** @param {() => void} signOut */
  #wire(signOut) {
    $('.company').textContent = this.#session.company.name;
    $('.me-name').textContent = this.#session.user.name;
    $('.me-avatar').replaceChildren(avatar(this.#session.user.name));
    $('[data-testid=sign-out]').addEventListener('click', () => {
      this.#client.close();
      signOut();
    });
    $('.back').addEventListener('click', () => this.#show('rooms'));
    $('.people').addEventListener('click', () => this.#show(this.#root.dataset.pane === 'members' ? 'room' : 'members'));
    $('.close-members').addEventListener('click', () => this.#show('room'));
    $('.room').addEventListener('click', ({ target }) => {
      const elsewhere = !(target instanceof Element && target.closest('.people'));
      if (elsewhere && this.#root.dataset.pane === 'members') this.#show('room');
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#root.dataset.pane === 'members') this.#show('room');
    });
    document.addEventListener('visibilitychange', () => this.#read());
    takeFiles((files) => files.forEach((file) => this.#sendFile(file)));
  }

  /** @param {{ id: number, name: string, private: boolean }} room @returns {Room} */
  #newRoom(room) {
    const members = new Map([[this.#session.user.id, this.#session.user]]);
    return {
      ...room, members, timeline: new Timeline(), typing: new Map(), unread: 0, draft: '', notice: 'Loading…',
      nameOf: (id) => members.get(id)?.name ?? `User ${id}`,
    };
  }

  // ---- What the person does -------------------------------------------------------------------------------------

  /** @param {Room} room */
  #open(room) {
    if (this.#current) this.#current.draft = this.#composer.draft;
    this.#current = room;
    this.#typedAt = 0;
    this.#composer.draft = room.draft;
    this.#composer.label(room.name);
    $('.room-name').textContent = room.name;
    this.#show('room');
    this.#read();
    this.#composer.focus();
    this.#render();
  }

  /** On a phone one pane fills the screen; on a wide one 'members' puts the list beside the room. @param {'rooms' | 'room' | 'members'} pane */
  #show(pane) {
    this.#root.dataset.pane = pane;
    $('.people').setAttribute('aria-expanded', String(pane === 'members'));
    this.#read();
  }

  #read() {
    if (this.#current && document.visibilityState === 'visible' && this.#root.dataset.pane !== 'rooms') this.#current.unread = 0;
    this.#render();
  }

  /** @param {string} text */
  #send(text) {
    const room = /** @type {Room} */ (this.#current);
    this.#typedAt = 0;
    room.timeline.own(this.#client.send(room.id, text), this.#session.user.id);
    room.timeline.arrange();
    this.#log.scrollDown();
    this.#render();
  }

  /** @param {File} content */
  #sendFile(content) {
    const room = /** @type {Room} */ (this.#current);
    const upload = this.#client.sendFile(room.id, content);
    const item = room.timeline.own(upload, this.#session.user.id);
    // What we sent ourselves is here already: shown from memory, as long as the page lives.
    Object.assign(item, { file: { ...upload.file, url: URL.createObjectURL(content) }, content });
    room.timeline.arrange();
    this.#log.scrollDown();
    this.#render();
  }

  /** @param {import('./timeline.js').Item} item */
  #resend(item) {
    this.#current?.timeline.remove(item);
    if (item.content) this.#sendFile(item.content);
    else this.#send(item.body);
  }

  /** @param {Room} room @param {any} message */
  #delivered(room, message) {
    const item = room.timeline.own(message, this.#session.user.id);
    if (message.error?.code !== 'cancelled') return;
    room.timeline.remove(item);
    if (item.file?.url) URL.revokeObjectURL(item.file.url);
  }

  /** @param {boolean} typing */
  #typing(typing) {
    if (typing && performance.now() - this.#typedAt < TYPING_EVERY) return;
    if (!typing && !this.#typedAt) return;
    this.#typedAt = typing ? performance.now() : 0;
    if (this.#current) this.#client.sendFrame({ type: 'typing', room_id: this.#current.id, typing });
  }

  // ---- What the server tells ------------------------------------------------------------------------------------

  /** @param {number} roomId @param {(room: Room) => void} change */
  #in(roomId, change) {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    change(room);
    room.timeline.arrange();
    this.#render();
  }

  /** @param {import('./chat-client.js').ChatMessage} message */
  #arrived(message) {
    this.#in(message.room_id, (room) => {
      const item = room.timeline.add(message, this.#session.user.id);
      if (item.state) return;
      if (!room.members.has(item.from)) this.#load(room);
      this.#typist(room, item.from, false);
      const seen = room === this.#current && document.visibilityState === 'visible' && this.#root.dataset.pane !== 'rooms';
      if (!seen) room.unread++;
      if (room === this.#current) this.#log.cameBelow(1);
    });
  }

  /** @param {{ room_id: number, recovered: boolean }} frame */
  #joined({ room_id, recovered }) {
    this.#in(room_id, (room) => {
      // After a replay only the news of what was saved meanwhile is missing, and only to who waits for it.
      if (!recovered || room.timeline.unsettled) this.#load(room);
      this.#client.sendFrame({ type: 'presence', room_id });
    });
  }

  /** @param {number} roomId */
  #removed(roomId) {
    this.#rooms.delete(roomId);
    if (this.#current?.id === roomId) this.#open([...this.#rooms.values()][0]);
    this.#render();
  }

  /** @param {number} roomId @param {{ seq: number, identifier: string, id: number }[]} saved */
  #saved(roomId, saved) {
    this.#in(roomId, (room) => {
      // What was on its way to Quantum when we came was neither in the history nor in the stream. Now it is in the history.
      if (!room.timeline.saved(saved)) this.#load(room);
    });
  }

  /** @param {{ room_id: number, user_ids?: number[], joined?: number[], left?: number[] }} frame */
  #presence({ room_id, user_ids, joined = [], left = [] }) {
    this.#in(room_id, (room) => {
      if (user_ids) room.online = new Set(user_ids);
      for (const id of joined) room.online?.add(id);
      for (const id of left) room.online?.delete(id);
      if ([...(room.online ?? [])].some((id) => !room.members.has(id))) this.#load(room);
    });
  }

  /** @param {Room} room @param {number} userId @param {boolean} typing */
  #typist(room, userId, typing) {
    clearTimeout(room.typing.get(userId));
    room.typing.delete(userId);
    if (typing) {
      room.typing.set(userId, setTimeout(() => {
        room.typing.delete(userId);
        this.#render();
      }, TYPING_FADES));
    }
  }

  /** Loads members and history, once for what comes in a bunch. @param {Room} room */
  #load(room) {
    room.loading ??= setTimeout(async () => {
      room.loading = undefined;
      try {
        const { token } = this.#session;
        const [members, messages] = await Promise.all([api.members(token, room.id), api.messages(token, room.id)]);
        for (const member of members) room.members.set(member.id, member);
        for (const message of messages) room.timeline.add(message, this.#session.user.id);
        room.notice = 'Nothing here yet. Say hello!';
      } catch {
        room.notice = 'The earlier messages could not be loaded.'; // The next join, or the next news of a saving, tries again.
      }
      this.#in(room.id, () => {});
    }, 50);
  }

  // ---- On the screen --------------------------------------------------------------------------------------------

  /** Many frames may come at once: drawn once. A hidden page gets no animation frames, but its title tells the unread. */
  #render() {
    if (this.#pending) return;
    this.#pending = true;
    const draw = () => {
      this.#pending = false;
      this.#draw();
    };
    if (document.visibilityState === 'hidden') setTimeout(draw);
    else requestAnimationFrame(draw);
  }

  #draw() {
    const room = this.#current;
    if (!room) return;
    const me = this.#session.user.id;
    renderRooms(this.#rooms.values(), room, (other) => this.#open(other));
    renderMembers(room, me);
    this.#log.render({ items: room.timeline.items, me, nameOf: room.nameOf, subject: room, notice: room.notice });
    const there = room.online ? `, ${room.online.size} online` : '';
    $('.room-about').textContent = `${room.members.size} ${room.members.size === 1 ? 'member' : 'members'}${there}`;
    const typists = [...room.typing.keys()].map(room.nameOf);
    $('.typing').textContent = typists.length === 0 ? ''
      : typists.length > 2 ? 'Several people are typing…' : `${typists.join(' and ')} ${typists.length === 1 ? 'is' : 'are'} typing…`;
    const unread = [...this.#rooms.values()].reduce((sum, { unread: count }) => sum + count, 0);
    document.title = `${unread ? `(${unread}) ` : ''}${room.name} · ${this.#session.company.name}`;
    const badge = $('.back .badge');
    badge.textContent = String(unread);
    badge.hidden = !unread;
  }
}
