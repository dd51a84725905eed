-- Says that a node is there. KEYS: nodes, by the time of their last word. ARGV: node, milliseconds after which a silent one is forgotten.
-- Answer: how many nodes there are. Redis's own clock counts: a node's may be ahead, and its name would stay for as long.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%d', now), '+inf')
redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[1])
return redis.call('ZCARD', KEYS[1])
