-- Counts what a user sends. KEYS: quota. ARGV: bytes (less than 0: given back), limit, seconds. Answer: 1 if the limit allows it.
local before = redis.call('GET', KEYS[1])
if not before and tonumber(ARGV[1]) < 0 then
  return 1 -- Its hour is over.
end
local sum = math.max(0, tonumber(before or '0') + tonumber(ARGV[1]))
if sum > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], string.format('%.0f', sum), 'EX', ARGV[3])
return 1
