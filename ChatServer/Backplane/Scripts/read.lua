-- Reads a room's log. KEYS: room, log.
-- ARGV: seq to read after, how many (0: none), epoch for a room that has none,
--       epoch in which the reader has seen that seq (empty: it has not).
local room = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if room[1] == ARGV[4] and tonumber(room[2] or '0') < tonumber(ARGV[1]) then
  -- Redis has forgotten messages that were delivered: their seqs must not be given again in this epoch.
  redis.call('DEL', KEYS[1], KEYS[2])
  room = { false, false }
end
if not room[1] then
  -- Only then: a Redis out of memory refuses every write, and a room that has its epoch can still be read.
  redis.call('HSET', KEYS[1], 'epoch', ARGV[3])
  room[1] = ARGV[3]
end
local entries = {}
if tonumber(ARGV[2]) > 0 then
  entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])
end
return { room[1], room[2] or '0', entries }
