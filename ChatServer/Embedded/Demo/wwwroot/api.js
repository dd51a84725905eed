// The demo's own HTTP API: signing in, members, history. A real front end asks Quantum instead.

/** @typedef {{ id: number, name: string }} User */
/** @typedef {{ token: string, user: User, company: User, rooms: { id: number, name: string, private: boolean }[] }} Session */
/** @typedef {{ id: number, room_id: number, identifier: string, from_user_id: number, body: string, timestamp: string }} SavedMessage */

export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {RequestInit} [init] @param {string} [token] */
async function call(path, init = {}, token = undefined) {
  const headers = { ...(init.body ? { 'Content-Type': 'application/json' } : {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(`/demo/${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) });
  if (response.status === 204) return {};
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.message ?? `The server answered ${response.status}.`);
  return answer;
}

/** @returns {Promise<User[]>} */
export const readyUsers = async () => (await call('users')).users;

/** @param {string} name @returns {Promise<Session>} */
export const login = (name) => call('login', { method: 'POST', body: JSON.stringify({ name }) });

/** @param {string} token */
export const logout = (token) => call('logout', { method: 'POST', keepalive: true }, token);

/** @param {string} token @param {number} roomId @returns {Promise<User[]>} */
export const members = async (token, roomId) => (await call(`rooms/${roomId}/members`, {}, token)).members;

/** @param {string} token @param {number} roomId @returns {Promise<SavedMessage[]>} Oldest first. */
export const messages = async (token, roomId) => (await call(`rooms/${roomId}/messages`, {}, token)).messages;
