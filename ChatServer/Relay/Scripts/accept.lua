-- Accepts messages of one partition, all or nothing each: dedupe, seq, log, outbox, publication. In order.
-- KEYS: outbox; then for each message: room, log, identifier.
-- ARGV: epoch for a room that has none, log length, log seconds, identifier seconds, publish command, channel for "outbox filled", partition;
--       then for each message: channel, head, tail, origin, timestamp, token.
-- Answer, for each message: "seq epoch timestamp", with " repeat" behind it where the identifier was known.
local answers = {}
-- A stream whose entries have all been deleted still exists.
local wasEmpty = redis.call('XLEN', KEYS[1]) == 0
for message = 0, (#KEYS - 1) / 3 - 1 do
  local room, log, identifier = KEYS[message * 3 + 2], KEYS[message * 3 + 3], KEYS[message * 3 + 4]
  local known = redis.call('GET', identifier)
  if known then
    answers[message + 1] = known .. ' repeat'
  else
    local first = 8 + message * 6
    local channel, head, tail, origin, timestamp, token = unpack(ARGV, first, first + 5)
    local seq = redis.call('HINCRBY', room, 'seq', 1)
    if seq == 1 then
      -- The numbering begins: a log that outlived its room's hash belongs to another epoch.
      redis.call('DEL', log)
      redis.call('HSETNX', room, 'epoch', ARGV[1])
    end
    local epoch = redis.call('HGET', room, 'epoch')
    local digits = string.format('%.0f', seq)
    local json = head .. digits .. tail
    redis.call('XADD', log, 'MAXLEN', '~', ARGV[2], digits .. '-0', 'm', json, 'o', origin)
    redis.call('EXPIRE', log, ARGV[3])
    redis.call('XADD', KEYS[1], '*', 'm', json, 't', token)
    local answer = digits .. ' ' .. epoch .. ' ' .. timestamp
    redis.call('SET', identifier, answer, 'EX', ARGV[4])
    redis.call(ARGV[5], channel, 'm ' .. digits .. ' ' .. epoch .. ' ' .. origin .. '\n' .. json)
    answers[message + 1] = answer
  end
end
if wasEmpty then
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
return answers
