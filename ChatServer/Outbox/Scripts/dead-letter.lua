-- Makes an outbox entry a dead letter, unless it is one already. KEYS: outbox, dead letters. ARGV: entry, message, token, reason, time.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 1 then
  redis.call('XADD', KEYS[2], '*', 'm', ARGV[2], 't', ARGV[3], 'r', ARGV[4], 'at', ARGV[5])
end
return 1
