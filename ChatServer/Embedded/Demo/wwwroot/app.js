// The demo page: signs in under any name, then hands over to the chat. `/?name=Ada` signs in by itself.

import * as api from './api.js';
import { Chat } from './chat.js';
import { $, avatar, h } from './dom.js';

const KEPT = 'chatserver-demo-session'; // In this tab only: another tab may be somebody else.

/** @returns {api.Session | null} */
const keptSession = () => JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');

/** @param {api.Session} session */
function start(session) {
  sessionStorage.setItem(KEPT, JSON.stringify(session));
  $('#sign-in').hidden = true;
  $('#chat').hidden = false;
  new Chat(session, { signOut: () => void signOut(session), signInAgain: () => signInAgain(session) });
}

/** @param {string} name */
async function enter(name) {
  const error = $('#sign-in-error');
  error.textContent = '';
  try {
    start(await api.login(name));
  } catch (reason) {
    error.textContent = reason instanceof api.ApiError ? reason.message : 'The server cannot be reached. Try again in a moment.';
    showSignIn();
  }
}

/** @param {api.Session} session */
async function signOut(session) {
  const { token } = keptSession() ?? session; // Another one than at the start, if it was renewed meanwhile.
  sessionStorage.removeItem(KEPT);
  await api.logout(token).catch(() => {}); // Signed out on this side in any case.
  location.replace(location.pathname);
}

/** Under the same name; a restarted demo may give it another id, and then nothing of before holds. @param {api.Session} session */
async function signInAgain(session) {
  const fresh = await api.login(session.user.name);
  sessionStorage.setItem(KEPT, JSON.stringify(fresh));
  if (fresh.user.id !== session.user.id) location.reload();
  return fresh;
}

async function showSignIn() {
  $('#sign-in').hidden = false;
  if (matchMedia('(pointer: fine)').matches) $('#name').focus(); // On a phone it would call the keyboard up.
  const names = $('.ready-names');
  if (names.childElementCount) return;
  const users = await api.readyUsers().catch(() => []);
  names.replaceChildren(...users.map(({ name }) =>
    h('button', { type: 'button', class: 'ready-name', 'data-testid': 'ready-name', onclick: () => enter(name) }, avatar(name), name)));
}

$('#sign-in form').addEventListener('submit', (event) => {
  event.preventDefault();
  void enter(/** @type {HTMLInputElement} */ ($('#name')).value);
});

const asked = new URLSearchParams(location.search).get('name');
const kept = keptSession();
if (kept && (asked === null || asked.trim().toLowerCase() === kept.user.name.toLowerCase())) start(kept);
else if (asked !== null) void enter(asked);
else void showSignIn();
