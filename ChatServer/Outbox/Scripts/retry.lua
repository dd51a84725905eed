-- Puts a dead letter back into the outbox. KEYS: dead letters, outbox. ARGV: entry, channel for "outbox filled", partition.
-- Answer: 1 if it was there.
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then
  return 0
end
local fields = found[1][2]
redis.call('XADD', KEYS[2], '*', fields[1], fields[2], fields[3], fields[4])
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
