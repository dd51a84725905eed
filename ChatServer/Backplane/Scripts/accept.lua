-- Accepts messages, each of them completely or not at all: dedupe, seq, log, outbox, publication. They come room by room, a room's in
-- their order, and share what is done once for a room.
-- KEYS: for each room: its state, its log, its outbox, then an identifier for each of its messages; after all rooms the files that
--       messages bring.
-- ARGV: epoch for a room that has none, log length, log seconds, identifier seconds, publish command, channel for "outbox filled", hours
--       of the clock; then for each room: its number of messages, channel, epoch and seq that the node has seen of it; and for each of its
--       messages: JSON before and after the seq, origin, timestamp, token, its file (empty, or the place of its key and the seconds that
--       it is to stay).
-- Answer: a line for each message: "seq epoch"; "seq epoch timestamp repeat" if the identifier was known; "! why" if it was not accepted.
local call = redis.call
local KEYS, ARGV = KEYS, ARGV

-- Redis trims a log by whole nodes of 100 entries: to ask for it more often changes nothing.
local trimEvery = 64
local valuesBeforeRooms, valuesOfRoom, valuesOfMessage = 7, 4, 6
local keysOfRoom = 3

local answers, wasEmpty = {}, {}

local function open(room, seenEpoch, seenSeq)
  local state = call('HMGET', room.name, 'epoch', 'seq', 'hour')
  room.epoch, room.seq, room.hour = state[1], tonumber(state[2] or '0'), state[3]
  if not room.epoch or (room.epoch == seenEpoch and room.seq < tonumber(seenSeq)) then
    -- There is no epoch, or Redis has forgotten messages that were delivered: their seqs must not be given again in their epoch.
    room.epoch, room.seq = ARGV[1], 0
  end
  if wasEmpty[room.outbox] == nil then
    -- A stream whose entries have all been deleted still exists.
    wasEmpty[room.outbox] = call('XLEN', room.outbox) == 0
  end
end

local function accept(room, identifier, head, tail, origin, timestamp, token, file)
  local digits = string.format('%d', room.seq + 1)
  local answer = digits .. ' ' .. room.epoch
  if not call('SET', identifier, answer .. ' ' .. timestamp, 'EX', ARGV[4], 'NX') then
    return call('GET', identifier) .. ' repeat'
  end
  room.claimed = identifier
  if file ~= '' then
    local key, seconds = string.match(file, '(%d+) (%d+)')
    if call('EXPIRE', KEYS[tonumber(key)], seconds) == 0 then
      call('DEL', identifier)
      return '! its file is no longer held'
    end
  end
  if room.seq == 0 then
    -- The numbering begins: a log that is there belongs to another epoch.
    call('DEL', room.log)
    room.hour = false
  end
  local json = head .. digits .. tail
  if room.seq % trimEvery == 0 then
    call('XADD', room.log, 'MAXLEN', '~', ARGV[2], digits .. '-0', 'm', json, 'o', origin)
  else
    call('XADD', room.log, digits .. '-0', 'm', json, 'o', origin)
  end
  call('XADD', room.outbox, '*', 'm', json, 't', token)
  room.seq, room.digits, room.claimed = room.seq + 1, digits, nil
  room[#room + 1] = 'm ' .. answer .. ' ' .. origin .. ' ' .. #json .. '\n'
  room[#room + 1] = json
  return answer
end

local function acceptAll(room, messages, key, value)
  open(room, ARGV[value + 3], ARGV[value + 4])
  value = value + valuesOfRoom
  for message = 1, messages do
    answers[#answers + 1] = accept(room, KEYS[key + message], unpack(ARGV, value + 1, value + valuesOfMessage))
    value = value + valuesOfMessage
  end
end

local key, value = 0, valuesBeforeRooms
while value < #ARGV do
  local messages = tonumber(ARGV[value + 1])
  local last = #answers + messages
  local room = { name = KEYS[key + 1], log = KEYS[key + 2], outbox = KEYS[key + 3] }
  local good, why = pcall(acceptAll, room, messages, key + keysOfRoom, value)
  if not good then
    if room.claimed then
      call('DEL', room.claimed)
    end
    -- A failure in one room is no failure of the others; but later messages of the same room must not overtake the failed one.
    local line = '! ' .. string.gsub(type(why) == 'table' and why.err or tostring(why), '\n', ' ')
    while #answers < last do
      answers[#answers + 1] = line
    end
  end
  if room.digits then
    if room.hour == ARGV[7] then
      call('HSET', room.name, 'seq', room.digits)
    else
      call('HSET', room.name, 'seq', room.digits, 'epoch', room.epoch, 'hour', ARGV[7])
      -- Once an hour is enough: the log is kept an hour longer than promised.
      call('EXPIRE', room.log, ARGV[3])
    end
    call(ARGV[5], ARGV[value + 2], table.concat(room))
  end
  key, value = key + keysOfRoom + messages, value + valuesOfRoom + valuesOfMessage * messages
end
for outbox, empty in pairs(wasEmpty) do
  if empty then
    call('PUBLISH', ARGV[6], string.match(outbox, '{(%d+)}'))
  end
end
return table.concat(answers, '\n')
