-- Reads a room's log. KEYS: room, log.
-- ARGV: seq to read after, how many messages (0: none), epoch for a room that has none, epoch in which the reader has seen that seq (empty:
-- it has not), bytes after which enough is read, seconds that the epoch of a room without messages is kept.
-- Answer: epoch, newest seq, entries, past epochs and where each ended. The first entry may begin before what was asked for, and the last
-- one may hold more.
local epoch, seq, past = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'past'))
if not epoch then
  -- Only then: a Redis out of memory refuses every write, and a room that has its epoch can still be read.
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'gen', generation)
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  epoch = ARGV[3]
elseif epoch == ARGV[4] and tonumber(seq or '0') < tonumber(ARGV[1]) then
  -- Redis has forgotten messages that were delivered: their seqs must not be given again in this epoch.
  past = endEpoch(epoch, tonumber(seq or '0'), past)
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'past', past, 'gen', generation)
  epoch = ARGV[3]
end
-- A log does not tell sizes before it is read, therefore slice by slice.
local entries, bytes, after, left = {}, 0, tonumber(ARGV[1]), tonumber(ARGV[2])
while left > 0 and bytes < tonumber(ARGV[5]) do
  local count = math.min(left, 4)
  local slice = redis.call('XRANGE', KEYS[2], string.format('(%d-0', after), '+', 'COUNT', count)
  for _, entry in ipairs(slice) do
    entries[#entries + 1] = entry
    local last = tonumber(string.match(entry[1], '^%d+'))
    after, bytes, left = last, bytes + #entry[2][2], left - (last - after)
  end
  left = #slice < count and 0 or left
end
return { epoch, seq or '0', entries, past or '' }
