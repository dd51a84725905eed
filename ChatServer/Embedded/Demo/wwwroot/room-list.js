// The list of rooms with their last words and unread counts, and the list of a room's members.

import { $, avatar, h, icon, unseen } from './dom.js';
import { shortTime } from './log-view.js';

/** @typedef {import('./chat.js').Room} Room */

/** @param {Iterable<Room>} rooms @param {Room | undefined} current @param {(room: Room) => void} onOpen */
export function renderRooms(rooms, current, onOpen) {
  const list = $('.rooms');
  const focused = document.activeElement?.closest('[data-room]')?.getAttribute('data-room');
  list.replaceChildren(...[...rooms].map((room) => {
    const last = room.timeline.items.at(-1);
    const button = h('button', {
      class: 'room-button', 'data-testid': 'room', 'data-room': String(room.id), 'aria-current': room === current ? 'true' : null,
      onclick: () => onOpen(room),
    },
    h('span', { class: 'room-icon' }, icon(room.private ? 'lock' : 'hash')),
    h('span', { class: 'room-line' },
      h('span', { class: 'room-button-name' }, room.name),
      last ? h('time', { class: 'room-time', datetime: last.timestamp }, shortTime(last.timestamp)) : ''),
    h('span', { class: 'room-line' },
      h('span', { class: 'room-last' }, last ? `${last.state ? 'You' : room.nameOf(last.from)}: ${last.file ? `\u{1F4CE} ${last.file.name}` : last.body}` : 'No messages yet'),
      room.unread ? unreadBadge(room.unread) : ''));
    return h('li', {}, button);
  }));
  if (focused) $(`[data-room="${focused}"]`, list)?.focus();
}

/** @param {number} count */
function unreadBadge(count) {
  return h('span', { class: 'badge', 'data-testid': 'unread' }, count > 99 ? '99+' : String(count), unseen(' unread'));
}

/** @param {Room} room @param {number} me */
export function renderMembers(room, me) {
  const online = room.online;
  const members = [...room.members.values()].sort((a, b) =>
    Number(online?.has(b.id) ?? false) - Number(online?.has(a.id) ?? false) || a.name.localeCompare(b.name));
  $('.member-list').replaceChildren(...members.map((member) => {
    const here = online?.has(member.id) ?? false;
    const picture = avatar(member.name);
    if (here) picture.classList.add('here');
    const attributes = { class: `member${online && !here ? ' away' : ''}`, 'data-testid': 'member', 'data-online': online ? String(here) : null };
    return h('li', attributes, picture, h('span', { class: 'member-name' }, member.name), member.id === me ? h('span', { class: 'you' }, 'you') : '',
      here ? unseen(', online') : '');
  }));
}
