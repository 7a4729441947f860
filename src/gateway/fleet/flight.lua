--[[
A flight that a fleet of hosts shares: one host makes the call of an upload, the
others get its answer.

KEYS[1]  PREFIX:{flight}:NAME; for claim, the name of the same flight under
         another key of the fleet may follow, and "names" is 2
KEYS     behind them, PREFIX:{flight}:image:TAG, PREFIX:{flight}:hmac:TAG, sets
         of the flights of an image, for forget.lua
reply    status owner name number answer; "name" is the number of the key that
         was found, or 0

claim    names token call_ms age_ms keep_ms waited channel
         claimed, the caller makes the call within call_ms; stored, an answer of
         number milliseconds, at most age_ms; busy, "owner" makes the call, and
         the channel gets a message when that has ended; ended or full, so it
         did, if "waited" is its owner
land     token how keep_ms linger_ms answer
         how: stored, for later claims; ended, for those that wait, who get "" if
         nothing is known; full, ended, but the answer is too large; repeat,
         ended, but one of those that wait may make the call again; idle, there
         was no call.  ok; or late, and nothing is changed: the flight is not of
         that owner any more

A token is ID-N: ID is that of the flight on its host, and N the number of the
call there.  A host knows when its former call has ended: N + 1 takes the
flight from N.

A flight is a hash with the fields state, owner, calls, keep, at, answer, waiters
(channels), and erase.  It expires: while a call is made, when that must have
ended, by the caller's word; a stored answer by the longest keep_ms.  The only
clock is that of Redis.
]]

local CALLS = 2 -- calls that fail without being billed until that is the end
local op = table.remove(ARGV, 1)
local a = ARGV

local function number(i)
    local n = a[i] and a[i]:find('^%d+$') and tonumber(a[i])
    return n and n <= 2 ^ 50 and n or error('ERR flight: invalid number', 0)
end

local function time()
    local t = redis.call('TIME')
    return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function later(key, ms)
    if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

local function read(key)
    local v = redis.call('HMGET', key, 'state', 'owner', 'at', 'waiters',
                         'calls', 'keep')
    return {key = key, state = v[1], owner = v[2] or '', at = tonumber(v[3]),
            waiters = v[4] or '', calls = tonumber(v[5]) or 0,
            keep = tonumber(v[6]) or 0}
end

local function answer(key)
    return redis.call('HGET', key, 'answer') or ''
end

local function wake(f)
    for channel in f.waiters:gmatch('%S+') do
        redis.call('PUBLISH', channel, f.key:match('[^:]*$'))
    end
end

local function claim()
    local names, token, ms, age, keep = number(1), a[2], number(3), number(4),
                                        number(5)
    local waited, channel, now = a[6], a[7], time()
    local id = token:match('^%x+%-')
    local calls, waiters, former = 0, '', {}

    local function index(key)
        for i = names + 1, #KEYS do
            redis.call('SADD', KEYS[i], key)
            later(KEYS[i], ms + keep)
        end
    end

    for i = 1, names do
        local f = read(KEYS[i])
        if f.state == 'stored' and now - f.at <= age then
            return {'stored', f.owner, i, math.max(0, now - f.at),
                    answer(f.key)}
        elseif (f.state == 'ended' or f.state == 'full')
               and f.owner == waited then
            return {f.state, f.owner, i, 0, answer(f.key)}
        elseif f.state == 'calling' and f.owner == token then
            return {'claimed', token, i, 0, ''}
        elseif f.state == 'calling' and f.owner:sub(1, #id) ~= id then
            if channel ~= ''
               and not (' ' .. f.waiters .. ' '):find(' ' .. channel .. ' ', 1,
                                                      true) then
                redis.call('HSET', f.key, 'waiters',
                           f.waiters .. ' ' .. channel)
            end
            if keep > f.keep then redis.call('HSET', f.key, 'keep', keep) end
            index(f.key)
            return {'busy', f.owner, i, 0, ''}
        elseif f.state == 'calling' or f.state == 'idle' then
            calls, waiters = f.calls, f.waiters
        end
        if f.state then former[#former + 1] = f.key end
    end

    -- Redis looks for memory at the first command that writes
    if #former > 0 then redis.call('DEL', unpack(former)) end
    redis.call('HSET', KEYS[1], 'state', 'calling', 'owner', token, 'calls',
               calls + 1, 'keep', keep, 'waiters', waiters)
    redis.call('PEXPIRE', KEYS[1], ms)
    index(KEYS[1])
    return {'claimed', token, 1, 0, ''}
end

local function land()
    local how, keep, linger, f = a[2], number(3), number(4), read(KEYS[1])
    if f.state ~= 'calling' or f.owner ~= a[1] then
        return {'late', '', 0, 0, ''}
    end

    if (how == 'idle' or how == 'repeat') and f.waiters == '' then
        redis.call('DEL', f.key)
        return {'ok', '', 1, 0, ''}
    end

    if how == 'repeat' then how = f.calls < CALLS and 'idle' or 'ended' end

    local erase = redis.call('HGET', f.key, 'erase')
    if how == 'stored' and erase then how = 'ended' end

    -- those that wait do not wait for memory
    local stored = redis.pcall('HSET', f.key, 'state', how, 'at', time(),
                               'answer', how ~= 'idle' and a[5] or '')
    if type(stored) == 'table' then
        redis.call('DEL', f.key)
    else
        redis.call('PEXPIRE', f.key, how == 'stored' and math.max(keep, f.keep)
                                     or linger)
        redis.call('HDEL', f.key, 'waiters')
    end
    wake(f)
    return type(stored) == 'table' and stored or {'ok', '', 1, 0, ''}
end

local run = ({claim = claim, land = land})[op]
if not run or #KEYS == 0 then
    return redis.error_reply('ERR flight: invalid operation')
end
local ok, reply = pcall(run)
if not ok then
    return type(reply) == 'table' and reply
           or redis.error_reply(tostring(reply))
end
return reply
