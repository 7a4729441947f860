--[[
A rate that a fleet of hosts shares: a leaky bucket, from which hosts lease.

KEYS[1]  PREFIX:{CLIENT}:rate
ARGV     host interval_us burst want window_us
reply    granted wait_us hosts

A unit is one request; it fills the bucket, which runs empty at one unit per
"interval_us".  "granted" is at most "want", what there is room for, and the
units of one "window_us" divided by "hosts": those that have asked in the last
minute.  It is 1 at least if there is room for one.  "wait_us" is 0 if there is
room for another unit then, else the time until it is of use to ask again: for
a unit, or those of a fifth of the window.  The only clock is that of Redis.

The hash KEYS[1] has the time when the bucket will be empty in the field "*",
and the time when it last asked in one for each host, in microseconds.

Invariant: in any time T, T / interval_us + burst units are granted at most;
"burst" is not less than those of one window, since several are leased at a
time.  It holds for each step of the clock of Redis: if that is set back, a
bucket is full at most; if it is set forward, the time that was skipped counts.

Units are not given back.  A host that has not used what was granted has kept
the room for it from others, but for no longer than the bucket takes to run
empty by as much; that is how long units are valid.  A unit that came back after
that time would be one too many.
]]

local MAX, SEEN = 9007199254740992, 60000000

if #KEYS ~= 1 or not KEYS[1]:match('^[^{]*{[^}]+}:rate$') then
    return redis.error_reply('ERR rate: KEYS[1] is not PREFIX:{CLIENT}:rate')
end

local a = {}
for i, rule in ipairs({{'host', '^[!-~]+$'}, {'interval_us', 1, 60000000},
                       {'burst', 1, 1000000}, {'want', 1, 1000000},
                       {'window_us', 5, 60000000}}) do
    local s, name, least, most = ARGV[i] or '', rule[1], rule[2], rule[3]
    local n = most and s:find('^%d+$') and tonumber(s)
    if not (n and n >= least and n <= most and ('%.0f'):format(n) == s
            or not most and s:find(least) and #s < 256 and s ~= '*') then
        return redis.error_reply('ERR rate: ARGV[' .. i .. '] "' .. name
                    .. (ARGV[i] and '" is invalid' or '" is missing'))
    end
    a[name] = n or s
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, hosts, gone = 0, 1, {}

local fields = redis.pcall('HGETALL', KEYS[1])
local damaged = fields.err
for i = 1, #fields, 2 do
    local at = tonumber(fields[i + 1])
    if not at or at < 0 or at > MAX then
        damaged = 'damaged entry'
    elseif fields[i] == '*' then
        full = math.max(0, at - now)
    elseif fields[i] ~= a.host then
        if math.abs(now - at) < SEEN then
            hosts = hosts + 1
        else
            gone[#gone + 1] = fields[i]
        end
    end
end

if damaged then
    return redis.error_reply('ERR rate: KEYS[1]: ' .. damaged)
end

-- the bucket in microseconds: its depth, and how full it is
local unit = a.interval_us
local depth = math.max(a.burst * unit, a.window_us)
full = math.min(full, depth)

local room = math.floor((depth - full) / unit)
local share = math.max(1, math.floor(a.window_us / (unit * hosts)))
local granted = math.min(a.want, room, share)
full = full + granted * unit

local wait = 0
if depth - full < unit then
    wait = math.max(1, math.floor(a.window_us / 5 / unit)) * unit
           - (depth - full)
end

redis.call('HSET', KEYS[1], '*', ('%.0f'):format(now + full), a.host,
           ('%.0f'):format(now))
for _, name in ipairs(gone) do
    redis.call('HDEL', KEYS[1], name)
end
redis.call('PEXPIREAT', KEYS[1],
           ('%.0f'):format(math.ceil((now + math.max(full, SEEN)) / 1000)))

return {granted, wait, hosts}
