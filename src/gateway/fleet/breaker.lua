--[[
The breaker of an upstream that a fleet of hosts shares: what a host says about
it, and what all of them know, in one step.

KEYS[1]  PREFIX:{breaker}:HASH; messages go to the channel PREFIX:{breaker}
ARGV     what host opening ms again
reply    state opening ms_left again
message  HASH state opening ms_left again

what   read   nothing is said
       open   the host has opened its breaker for "ms", "again" is how often
              since it was closed
       try    the host is to make the call that tries the upstream, within "ms"
              from now, or from the end of the opening
       close  the call that tried the upstream was answered
state  open, closed, half-open: another host tries; granted: this host does

Each opening has a number, greater than all before, even if Redis has lost them,
as long as its clock is not set back.  "opening" of a host is the last that it
has seen.  A host applies what comes with a greater number; closed also comes
with the same one.  Times are intervals, the only clock is that of Redis.

- "open" with the last number makes the next one; with a lower one another host
  was first, and nothing changes.  So a doubled or late one changes nothing.
- "close" with a lower number than the last changes nothing.
- One host at a time holds the right to try.  If it has not said how the call
  ended within "ms", any other may have it.
- A record is of no meaning once its opening is over, and is removed a day later.
  A try without a record makes one.
]]

local MAX, DAY = 9007199254740991, 86400000
local WHATS = {read = true, open = true, try = true, close = true}

local channel, hash = (#KEYS == 1 and KEYS[1] or ''):match(
    '^([^{]*{breaker}):(%x+)$')
if not hash then
    return redis.error_reply(
        'ERR breaker: KEYS[1] is not PREFIX:{breaker}:HASH')
end

local what, host = ARGV[1], ARGV[2] or ''
if not WHATS[what] or not host:find('^[!-~]+$') or #host > 255 then
    return redis.error_reply('ERR breaker: ARGV[1] or ARGV[2] is invalid')
end

local numbers = {}
for i, most in ipairs({MAX, DAY, MAX}) do
    local s = ARGV[i + 2] or ''
    local n = s:find('^%d+$') and tonumber(s)
    if not n or n > most then
        return redis.error_reply('ERR breaker: ARGV[' .. i + 2
                                 .. '] is invalid')
    end
    numbers[i] = n
end
local opening, ms, again = numbers[1], numbers[2], numbers[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- ends: when it may be tried, 0: closed; held: until when the holder tries
local r = {n = 0, ends = 0, again = 0, held = 0, holder = '-'}
local text = redis.pcall('GET', KEYS[1])
if type(text) == 'table' then
    return redis.error_reply('ERR breaker: KEYS[1]: ' .. text.err)
end
local n, ends, count, held, holder = (text or ''):match(
    '^(%d+) (%d+) (%d+) (%d+) (%S+)$')
if n then
    r = {n = tonumber(n), ends = tonumber(ends), again = tonumber(count),
         held = tonumber(held), holder = holder}
end

local function reply()
    if r.ends == 0 then
        return {'closed', r.n, 0, 0}
    elseif r.ends <= now and r.held > now then
        return {'half-open', r.n, r.held - now, r.again}
    end
    return {'open', r.n, math.max(0, r.ends - now), r.again}
end

local function store()
    redis.call('SET', KEYS[1], ('%.0f %.0f %.0f %.0f %s'):format(r.n, r.ends,
               r.again, r.held, r.holder), 'PX',
               ('%.0f'):format(math.max(r.ends, r.held, now) - now + DAY))
end

local function publish()
    local said = reply()
    redis.call('PUBLISH', channel, ('%s %s %.0f %.0f %.0f'):format(hash,
               said[1], said[2], said[3], said[4]))
end

local function begin(ms)
    r = {n = math.max(now, opening + 1), ends = now + ms, again = again,
         held = 0, holder = '-'}
end

if what == 'open' and opening >= r.n and opening < MAX then
    begin(ms)
    store()
    publish()

elseif what == 'close' and opening >= r.n and (opening > r.n or r.ends > 0)
then
    r = {n = opening, ends = 0, again = 0, held = 0, holder = '-'}
    store()
    publish()

elseif what == 'try' then
    if not n and opening < MAX then
        begin(0)
    elseif r.ends == 0 or opening ~= r.n then
        return reply()
    elseif r.holder ~= host and r.held > now then
        return {'half-open', r.n, r.held - now, r.again}
    end
    r.held, r.holder = math.max(now, r.ends) + ms, host
    store()
    return {'granted', r.n, r.held - now, r.again}
end

return reply()
