-- Notes what of a room is saved or will never be, tells the senders, and reads what comes next.
-- KEYS: room, log, rooms with unsaved messages, messages set aside, dead letters.
-- ARGV: the room's name among the unsaved, epoch in which it was read, seq up to which it is settled (0: nothing of the log), bytes after
--       which enough is read (0: nothing), seconds that a saved log is kept, messages that a log keeps at least, time for dead letters,
--       number of entries set aside that are settled, number of dead letters, their ids; for each dead letter: its place (seq or id), JSON,
--       reason; then for each that is to be told something: the user's channel, JSON.
-- Answer: epoch, seq up to which the room is saved, where the entries are from ("aside" or "log"; "more" if none were asked for and there
--       are some; empty if there are none), entries, messages that the log should hold and does not.
local call, format = redis.call, string.format
local room, log, unsaved, aside, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local state = call('HMGET', room, 'epoch', 'seq', 'saved', 'past')
local epoch, seq = state[1], tonumber(state[2] or '0')
local saved = tonumber(state[3] or seq)

-- Up to where what was read in an epoch is what is here: Redis may have fallen back since.
local function lastOf(read)
  if read == epoch then
    return seq
  end
  for past, last in string.gmatch(state[4] or '', '(%w+):(%d+)') do
    if past == read then
      return tonumber(last)
    end
  end
  return 0
end

local upTo = math.min(tonumber(ARGV[3]), lastOf(ARGV[2]))
local asideCount, deadCount = tonumber(ARGV[8]), tonumber(ARGV[9])
local isGone = {}
if upTo > saved or asideCount > 0 then
  -- Removing what is not there needs no memory, and once a script has written, a full Redis refuses it nothing: this step frees memory.
  call('HDEL', room, '-')
end
local firstDead = 10 + asideCount
local firstTold = firstDead + 3 * deadCount
for place = 10, firstDead - 1 do
  isGone[ARGV[place]] = call('XDEL', aside, ARGV[place]) == 1
end
for place = firstDead, firstTold - 1, 3 do
  local which = ARGV[place]
  local number = tonumber(which)
  if isGone[which] or (number and number > saved and number <= upTo) then
    call('XADD', dead, '*', 'm', ARGV[place + 1], 'r', ARGV[place + 2], 'at', ARGV[7])
  end
end

local function moveTo(new)
  call('HSET', room, 'saved', format('%d', new))
  -- Redis trims whole blocks of entries: to ask each time would change nothing.
  local keptFrom = math.min(new, seq - tonumber(ARGV[6]))
  if keptFrom > 0 and math.floor(new / 64) ~= math.floor(saved / 64) then
    call('XTRIM', log, 'MINID', '~', format('%d', keptFrom))
  end
  saved = new
end

if upTo > saved then
  moveTo(upTo)
  if saved < seq then
    -- The set tells which room has waited longest without getting anywhere.
    local time = call('TIME')
    call('ZADD', unsaved, 'XX', format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
  end
end
-- Also where all was noted before: then the answer got lost, and whether anybody was told is not known.
for place = firstTold, #ARGV, 2 do
  call('PUBLISH', ARGV[place], ARGV[place + 1])
end

local enough = tonumber(ARGV[4])
local function read(stream, start)
  local entries, bytes, isLast = {}, 0, false
  while bytes < enough and not isLast do
    local slice = call('XRANGE', stream, start, '+', 'COUNT', 4)
    for _, entry in ipairs(slice) do
      entries[#entries + 1] = entry
      bytes, start = bytes + #(entry[2][2] or ''), '(' .. entry[1]
    end
    isLast = #slice < 4
  end
  return entries
end

local hasAside = call('XLEN', aside) > 0
if not hasAside and saved >= seq then
  if call('ZREM', unsaved, ARGV[1]) == 1 then
    call('EXPIRE', log, ARGV[5])
    call('DEL', aside)
  end
  return { epoch or '', format('%d', saved), '', {}, 0 }
end
if enough == 0 then
  return { epoch or '', format('%d', saved), 'more', {}, 0 }
end
if hasAside then
  return { epoch or '', format('%d', saved), 'aside', read(aside, '-'), 0 }
end
local entries, lost = read(log, format('(%d-0', saved)), 0
if #entries == 0 then
  -- Somebody has removed them: there is nothing left to save.
  lost = seq - saved
  call('HDEL', room, '-')
  moveTo(seq)
  call('ZREM', unsaved, ARGV[1])
  call('EXPIRE', log, ARGV[5])
end
return { epoch, format('%d', saved), 'log', entries, lost }
