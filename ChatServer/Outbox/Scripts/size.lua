-- How many messages of rooms are not saved. KEYS: for each room its state and its messages set aside.
local count = 0
for place = 1, #KEYS, 2 do
  local state = redis.call('HMGET', KEYS[place], 'seq', 'saved')
  count = count + tonumber(state[1] or '0') - tonumber(state[2] or state[1] or '0') + redis.call('XLEN', KEYS[place + 1])
end
return string.format('%d', count)
