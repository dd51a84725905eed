-- Accepts messages, all or nothing each: dedupe, seq, log, outbox, publication. In order; those of one room share what is done once for a room.
-- KEYS: for each message: room, log, identifier, outbox; then the files that messages bring.
-- ARGV: epoch for a room that has none, log length, log seconds, identifier seconds, publish command, channel for "outbox filled", hours of the clock;
--       then for each message: channel, head, tail, origin, timestamp, token, epoch and seq that the node has seen of the room, its file (empty, or
--       the place of its key and the seconds that it is to stay).
-- Answer: a line for each message: "seq epoch"; "seq epoch timestamp repeat" where the identifier was known; "! why" where it was not accepted.
local call = redis.call
local answers, order, rooms, outboxes = {}, {}, {}, {}

-- Redis trims a log by whole nodes of 100 entries: to ask for it more often changes nothing.
local trimEvery = 64

local claimed

local function open(name, log, seenEpoch, seenSeq)
  local epoch, seq, hour = unpack(call('HMGET', name, 'epoch', 'seq', 'hour'))
  local room = { name = name, log = log, epoch = epoch, seq = tonumber(seq or '0'), hour = hour, payload = {} }
  if not epoch or (epoch == seenEpoch and room.seq < tonumber(seenSeq)) then
    -- There is none, or Redis has forgotten messages that were delivered: their seqs must not be given again in their epoch.
    room.epoch, room.seq = ARGV[1], 0
  end
  rooms[name] = room
  order[#order + 1] = room
  return room
end

local function accept(message, name)
  local _, log, identifier, outbox = unpack(KEYS, message * 4 + 1, message * 4 + 4)
  local channel, head, tail, origin, timestamp, token, seenEpoch, seenSeq, file = unpack(ARGV, message * 9 + 8, message * 9 + 16)
  local room = rooms[name] or open(name, log, seenEpoch, seenSeq)
  local digits = string.format('%d', room.seq + 1)
  local answer = digits .. ' ' .. room.epoch
  if not call('SET', identifier, answer .. ' ' .. timestamp, 'EX', ARGV[4], 'NX') then
    answers[message + 1] = call('GET', identifier) .. ' repeat'
    return
  end
  claimed = identifier
  if file ~= '' then
    local key, seconds = string.match(file, '(%d+) (%d+)')
    if call('EXPIRE', KEYS[tonumber(key)], seconds) == 0 then
      call('DEL', identifier)
      answers[message + 1] = '! its file is held no more'
      return
    end
  end
  if room.seq == 0 then
    -- The numbering begins: a log that is there belongs to another epoch.
    call('DEL', log)
    room.hour = false
  end
  local json = head .. digits .. tail
  if room.seq % trimEvery == 0 then
    call('XADD', log, 'MAXLEN', '~', ARGV[2], digits .. '-0', 'm', json, 'o', origin)
  else
    call('XADD', log, digits .. '-0', 'm', json, 'o', origin)
  end
  if outboxes[outbox] == nil then
    -- A stream whose entries have all been deleted still exists.
    outboxes[outbox] = call('XLEN', outbox) == 0
  end
  call('XADD', outbox, '*', 'm', json, 't', token)
  room.seq, room.digits, room.channel = room.seq + 1, digits, channel
  local payload = room.payload
  payload[#payload + 1] = 'm ' .. answer .. ' ' .. origin .. ' ' .. #json .. '\n'
  payload[#payload + 1] = json
  answers[message + 1] = answer
end

local failed = {}
for message = 0, (#ARGV - 7) / 9 - 1 do
  local name = KEYS[message * 4 + 1]
  local good, why = false, failed[name]
  if not why then
    claimed = nil
    good, why = pcall(accept, message, name)
  end
  if not good then
    if claimed then
      call('DEL', claimed)
    end
    -- One room's trouble is no other's; but what follows in the room must not overtake.
    failed[name] = why
    answers[message + 1] = '! ' .. string.gsub(type(why) == 'table' and why.err or tostring(why), '\n', ' ')
  end
end
for _, room in ipairs(order) do
  if room.channel then
    if room.hour == ARGV[7] then
      call('HSET', room.name, 'seq', room.digits)
    else
      call('HSET', room.name, 'seq', room.digits, 'epoch', room.epoch, 'hour', ARGV[7])
      -- Once an hour is enough: the log's time is an hour longer than is promised.
      call('EXPIRE', room.log, ARGV[3])
    end
    call(ARGV[5], room.channel, table.concat(room.payload))
  end
end
for outbox, wasEmpty in pairs(outboxes) do
  if wasEmpty then
    call('PUBLISH', ARGV[6], string.match(outbox, '{(%d+)}'))
  end
end
return table.concat(answers, '\n')
