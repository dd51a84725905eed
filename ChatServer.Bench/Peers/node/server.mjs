// The relay as one writes it for Node.js: the package ws, a map of rooms, and Redis's publish and subscribe between nodes.
// Nothing is checked, kept or acknowledged. Options: --port N --redis N [--cert FILE --key FILE] [--deflate true]

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const text = { type: 'string' };
const { values: options } = parseArgs({ options: { port: text, redis: text, cert: text, key: text, deflate: text } });

const publisher = createClient({ url: `redis://127.0.0.1:${options.redis}` });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

// A room's members on this node, and the promise that its channel is subscribed.
const rooms = new Map();
const idLength = randomUUID().length;

function deliver(room, message) {
  // The sender's id comes first, then the text as the sender wrote it.
  const sender = message.toString('latin1', 0, idLength);
  const body = message.subarray(idLength);
  for (const socket of room.members) {
    if (socket.id !== sender) {
      socket.send(body, { binary: false });
    }
  }
}

function enter(name, socket) {
  let room = rooms.get(name);
  if (!room) {
    room = { members: new Set() };
    room.subscribed = subscriber.subscribe(name, message => deliver(room, message), true);
    rooms.set(name, room);
  }

  room.members.add(socket);
  return room;
}

function leave(name, room, socket) {
  room.members.delete(socket);
  if (room.members.size === 0 && rooms.get(name) === room) {
    rooms.delete(name);
    subscriber.unsubscribe(name);
  }
}

const server = options.cert
  ? https.createServer({ cert: readFileSync(options.cert), key: readFileSync(options.key) })
  : http.createServer();
const perMessageDeflate = options.deflate ? { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true } : false;
const sockets = new WebSocketServer({ server, perMessageDeflate });

sockets.on('connection', async (socket, request) => {
  const name = request.url;
  socket.id = randomUUID();
  const room = enter(name, socket);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => leave(name, room, socket));
  socket.on('message', data => publisher.publish(name, Buffer.concat([Buffer.from(socket.id, 'latin1'), data])));
  await room.subscribed;
  socket.send('joined');
});

// Ends with the one that started it.
process.stdin.on('end', () => process.exit()).resume();
server.listen(Number(options.port), '127.0.0.1');
