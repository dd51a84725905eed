-- Has a dead letter saved after all, before what the room's log holds. KEYS: dead letters, messages set aside, rooms with unsaved messages.
-- ARGV: entry, the room's name among the unsaved, channel for "something to save", partition. Answer: 1 if it was there.
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then
  return 0
end
local fields = found[1][2]
redis.call('XADD', KEYS[2], '*', fields[1], fields[2])
redis.call('XDEL', KEYS[1], ARGV[1])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[3], 'NX', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' ' .. ARGV[2])
return 1
