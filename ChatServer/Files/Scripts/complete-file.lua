-- Says what a file is, if all of it is there. KEYS: file. ARGV: number of chunks, seconds until it expires, name, content type, size,
-- SHA-256. Answer: 1 if it is complete.
if redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'name', ARGV[3], 'type', ARGV[4], 'size', ARGV[5], 'sha256', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
