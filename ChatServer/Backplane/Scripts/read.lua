-- Reads a room's log. KEYS: room, log.
-- ARGV: seq to read after, how many (0: none), epoch for a room that has none, epoch in which the reader has seen that seq (empty: it has not),
-- bytes after which enough is read.
-- Answer: epoch, newest seq, entries, past epochs and where each ended.
local epoch, seq, past = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'past'))
if not epoch then
  -- Only then: a Redis out of memory refuses every write, and a room that has its epoch can still be read.
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'gen', generation)
  epoch = ARGV[3]
elseif epoch == ARGV[4] and tonumber(seq or '0') < tonumber(ARGV[1]) then
  -- Redis has forgotten messages that were delivered: their seqs must not be given again in this epoch.
  past = endEpoch(epoch, tonumber(seq or '0'), past)
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'past', past, 'gen', generation)
  epoch = ARGV[3]
end
-- A log does not tell sizes before it is read, therefore slice by slice.
local entries, bytes, after, left = {}, 0, ARGV[1] .. '-0', tonumber(ARGV[2])
while left > 0 and bytes < tonumber(ARGV[5]) do
  local slice = redis.call('XRANGE', KEYS[2], '(' .. after, '+', 'COUNT', math.min(left, 16))
  for _, entry in ipairs(slice) do
    entries[#entries + 1] = entry
    after, bytes, left = entry[1], bytes + #entry[2][2], left - 1
  end
  left = #slice < 16 and 0 or left
end
return { epoch, seq or '0', entries, past or '' }
