-- Takes over a message that the version before this one left in its outbox, unless that was done already: it is set aside in its room.
-- KEYS: that outbox, messages of the room set aside, rooms with unsaved messages. ARGV: entry, JSON, the room's name among the unsaved.
-- Or, if it belongs to no room: KEYS: that outbox, dead letters. ARGV: entry, JSON, reason, time.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 1 then
  if KEYS[3] then
    local time = redis.call('TIME')
    redis.call('XADD', KEYS[2], '*', 'm', ARGV[2])
    redis.call('ZADD', KEYS[3], 'NX', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[3])
  else
    redis.call('XADD', KEYS[2], '*', 'm', ARGV[2], 'r', ARGV[3], 'at', ARGV[4])
  end
end
return 1
