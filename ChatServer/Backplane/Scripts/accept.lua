-- Accepts messages, each of them completely or not at all: dedupe, seq, log, publication. They come room by room, a room's in their order,
-- and what is new of a room becomes one entry of its log and one publication.
-- KEYS: for each room: its state, its log, its partition's rooms with unsaved messages, then an identifier for each of its messages; after
--       all rooms the files that messages bring.
-- ARGV: epoch for a room that has none, identifier seconds, publish command, channel for "something to save"; then for each room: its
--       number of messages, channel, epoch and seq that the node has seen of it, its name among the unsaved rooms; and for each of its
--       messages: its record, timestamp, its file (empty, or the place of its key and the seconds that it is to stay).
-- Answer: for each room a line "= epoch", then a line for each of its messages: "seq"; "seq epoch timestamp repeat" if the identifier was
--       known; "! why" if it was not accepted.
local call, format = redis.call, string.format
local KEYS, ARGV = KEYS, ARGV

local keysOfRoom = 3
local valuesBeforeRooms, valuesOfRoom, valuesOfMessage = 4, 5, 3

local answers = {}
local now

local function milliseconds()
  if not now then
    local time = call('TIME')
    now = format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
  end
  return now
end

-- Makes a file stay. Answer: whether it is still held.
local function keep(file)
  local key, seconds = string.match(file, '(%d+) (%d+)')
  return call('EXPIRE', KEYS[tonumber(key)], seconds) == 1
end

-- Accepts a room's messages; its answers stand behind a place. Identifiers are noted that are to be forgotten if this fails.
-- Answer: the publication, if anything is new.
local function accept(key, value, messages, place, claimed)
  local room, log = KEYS[key + 1], KEYS[key + 2]
  local state = call('HMGET', room, 'seq', 'epoch', 'gen', 'saved')
  local seq, epoch = tonumber(state[1] or '0'), state[2]
  -- The version before this one did not count what is saved: what it accepted is in its outbox.
  local saved = tonumber(state[4] or seq)
  local isSame, past = state[4], nil
  if not epoch then
    epoch, seq, saved, isSame = ARGV[1], 0, 0, false
  elseif state[3] ~= generation or (epoch == ARGV[value + 3] and seq < tonumber(ARGV[value + 4])) then
    -- Another process may have given seqs beyond these, and a node has seen some that are not here: what is here is a true beginning, and
    -- goes on under another epoch, so that no seq is given twice in one.
    past = endEpoch(epoch, seq, call('HGET', room, 'past'))
    epoch, isSame = ARGV[1], false
  end
  answers[place] = '= ' .. epoch
  local first, records, new = seq + 1, {}, 0
  local between = ' ' .. epoch .. ' '
  local at = value + valuesOfRoom
  for message = 1, messages do
    local identifier, file = KEYS[key + keysOfRoom + message], ARGV[at + 3]
    local digits = format('%d', seq + 1)
    if not call('SET', identifier, digits .. between .. ARGV[at + 2], 'EX', ARGV[2], 'NX') then
      answers[place + message] = call('GET', identifier) .. ' repeat'
    elseif file ~= '' and not keep(file) then
      call('DEL', identifier)
      answers[place + message] = '! its file is no longer held'
    else
      new, seq = new + 1, seq + 1
      claimed[new], records[new] = identifier, ARGV[at + 1]
      answers[place + message] = digits
    end
    at = at + valuesOfMessage
  end
  if new == 0 then
    return nil
  end
  if first == 1 then
    -- The numbering begins: a log that is there belongs to another epoch, and the room's state stays from now on.
    call('DEL', log)
    call('PERSIST', room)
  end
  if saved == first - 1 or not isSame or math.floor(seq / 64) ~= math.floor((first - 1) / 64) then
    -- What is not saved does not expire. The set is in the order in which rooms came to have something to save; now and then a room enters
    -- it that should be there already, in case that somebody has removed it.
    call('PERSIST', log)
    local unsaved, name = KEYS[key + 3], ARGV[value + 5]
    if call('ZADD', unsaved, 'NX', milliseconds(), name) == 1 then
      call('PUBLISH', ARGV[4], string.match(unsaved, '{(%d+)}') .. ' ' .. name)
    end
  end
  local body = new == 1 and records[1] or table.concat(records)
  local head = format('%d', seq)
  call('XADD', log, head .. '-0', 'b', body)
  if isSame then
    call('HSET', room, 'seq', head)
  else
    call('HSET', room, 'seq', head, 'epoch', epoch, 'gen', generation, 'saved', format('%d', saved))
    if past then
      call('HSET', room, 'past', past)
    end
  end
  return 'm ' .. format('%d', first) .. ' ' .. epoch .. '\n' .. body
end

-- A failure in one room is no failure of the others. None of the room's messages is accepted: not those before it, which would have shared
-- its entry, nor later ones, which must not overtake it. Identifiers that were known before are known still.
local function takeBack(messages, place, claimed, why)
  for _, identifier in ipairs(claimed) do
    call('DEL', identifier)
  end
  answers[place] = answers[place] or '= -'
  local line = '! ' .. string.gsub(type(why) == 'table' and why.err or tostring(why), '\n', ' ')
  for message = place + 1, place + messages do
    if not string.find(answers[message] or '', ' repeat', 1, true) then
      answers[message] = line
    end
  end
end

local key, value, values, place = 0, valuesBeforeRooms, #ARGV, 1
while value < values do
  local messages, claimed = tonumber(ARGV[value + 1]), {}
  local good, publication = pcall(accept, key, value, messages, place, claimed)
  if not good then
    takeBack(messages, place, claimed, publication)
  elseif publication then
    call(ARGV[3], ARGV[value + 2], publication)
  end
  key, value = key + keysOfRoom + messages, value + valuesOfRoom + valuesOfMessage * messages
  place = place + 1 + messages
end
return table.concat(answers, '\n')
