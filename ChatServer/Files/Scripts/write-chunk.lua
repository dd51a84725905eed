-- Holds a chunk of a file that is being uploaded. KEYS: file. ARGV: chunk number, bytes, seconds until it expires.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
