-- Accepts messages of one partition, all or nothing each: dedupe, seq, log, outbox, publication. In order.
-- KEYS: outbox; then for each message: room, log, identifier; then the files that messages bring, in the order of the messages.
-- ARGV: epoch for a room that has none, log length, log seconds, identifier seconds, publish command, channel for "outbox filled", partition;
--       then for each message: channel, head, tail, origin, timestamp, token, epoch and seq that the node has seen of the room, seconds that its
--       file is to stay (0: it brings none).
-- Answer, for each message: "seq epoch timestamp", with " repeat" behind it where the identifier was known; "gone" where its file is held no more.
local answers = {}
local messages = (#ARGV - 7) / 9
local nextFile = 3 * messages + 2
-- A stream whose entries have all been deleted still exists.
local wasEmpty = redis.call('XLEN', KEYS[1]) == 0
for message = 0, messages - 1 do
  local room, log, identifier = KEYS[message * 3 + 2], KEYS[message * 3 + 3], KEYS[message * 3 + 4]
  local first = 8 + message * 9
  local channel, head, tail, origin, timestamp, token, seenEpoch, seenSeq, fileSeconds = unpack(ARGV, first, first + 8)
  local file
  if fileSeconds ~= '0' then
    file = KEYS[nextFile]
    nextFile = nextFile + 1
  end
  local known = redis.call('GET', identifier)
  if known then
    answers[message + 1] = known .. ' repeat'
  elseif file and redis.call('EXPIRE', file, fileSeconds) == 0 then
    answers[message + 1] = 'gone'
  else
    local mark = redis.call('HMGET', room, 'epoch', 'seq')
    if mark[1] == seenEpoch and tonumber(mark[2] or '0') < tonumber(seenSeq) then
      -- Redis has forgotten messages that were delivered: their seqs must not be given again in this epoch.
      redis.call('DEL', room, log)
      mark[1] = false
    end
    local seq = redis.call('HINCRBY', room, 'seq', 1)
    if seq == 1 then
      -- The numbering begins: a log that outlived its room's hash belongs to another epoch.
      redis.call('DEL', log)
      if not mark[1] then
        mark[1] = ARGV[1]
        redis.call('HSET', room, 'epoch', mark[1])
      end
    end
    local digits = string.format('%.0f', seq)
    local json = head .. digits .. tail
    redis.call('XADD', log, 'MAXLEN', '~', ARGV[2], digits .. '-0', 'm', json, 'o', origin)
    redis.call('EXPIRE', log, ARGV[3])
    redis.call('XADD', KEYS[1], '*', 'm', json, 't', token)
    local answer = digits .. ' ' .. mark[1] .. ' ' .. timestamp
    redis.call('SET', identifier, answer, 'EX', ARGV[4])
    redis.call(ARGV[5], channel, 'm ' .. digits .. ' ' .. mark[1] .. ' ' .. origin .. '\n' .. json)
    answers[message + 1] = answer
  end
end
if wasEmpty then
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
return answers
