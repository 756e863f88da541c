package valkey

// The scripts. Each names its one key in KEYS, so that a cluster can place it, and
// reads the time once. They run on Redis 7.
//
// A record is a hash with status, owner, epoch and fingerprint, and with result if it
// is stored. lease and expires are milliseconds since 1970 by the clock of the
// process that wrote them. until is the end of the lease by the clock of the server.
// The record expires with its key.

// claimScript takes owner, epoch, the epoch before, the time that the lease and the
// record last in milliseconds, lease, expires and fingerprint. It returns an empty
// list, or the holder of the key: whether its lease has ended, and its fields. An
// empty fingerprint is equal to any other.
const claimScript = `
local held = redis.call('HMGET', KEYS[1], 'status', 'owner', 'epoch', 'until', 'fingerprint', 'lease', 'expires', 'result')
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
if redis.call('EXISTS', KEYS[1]) == 1 then
  local over = 0
  if held[1] == 'INPROGRESS' then
    if held[2] == ARGV[1] and held[3] == ARGV[2] then return {} end
    if tonumber(held[4]) <= now then over = 1 end
  end
  local same = held[5] == ARGV[8] or not held[5] or held[5] == '' or ARGV[8] == ''
  if over == 0 or held[3] ~= ARGV[3] or not same then
    return {over, held[1], held[2], held[3], held[5], held[6], held[7], held[8]}
  end
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'status', 'INPROGRESS', 'owner', ARGV[1], 'epoch', ARGV[2],
  'until', string.format('%.0f', math.ceil(now + ARGV[4])), 'lease', ARGV[6], 'expires', ARGV[7], 'fingerprint', ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {}
`

// completeScript takes owner, epoch, the time that the record lasts, expires, and the
// result if there is one. It returns 1 if the record was the owner's.
const completeScript = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'status', 'COMPLETED', 'expires', ARGV[4])
if ARGV[5] then
  redis.call('HSET', KEYS[1], 'result', ARGV[5])
else
  redis.call('HDEL', KEYS[1], 'result')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`

// releaseScript takes owner and epoch. It returns 1 if the record was the owner's or is
// gone. The record of a second or later attempt stays, without owner and lease.
const releaseScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'status')
if not held[1] and held[2] == ARGV[2] then return 1 end
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] or held[3] ~= 'INPROGRESS' then return 0 end
if held[2] == '1' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'owner')
  redis.call('HSET', KEYS[1], 'until', '0', 'lease', '0')
end
return 1
`
