-- Writes down over how many partitions the rooms are spread, unless that is written already. KEYS: the key for it. ARGV: partitions.
-- Answer: what stands there.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
