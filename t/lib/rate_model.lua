--[[
Has hosts lease from a rate, as nginx does, in a time of its own:

    lua5.1 t/lib/rate_model.lua SCRIPT NAME=VALUE...

The script is run as it is, with a "redis" whose data are here.  Hosts have
clocks that are off by up to five minutes, and measure only intervals by them.
Requests come to a host at random, at first in a burst; a host asks when one finds
no unit, and when a quarter of the last units is left.  Units are spent as they come, or at the last moment.

    seed=N hosts=N steps=N interval=MICROSECONDS burst=N
    delay=MICROSECONDS   what a message takes at most each way
    lost=1   one answer in twenty is lost
    skip=1   the clock of Redis is set back and forth: a failover to a server
             whose clock is off by five minutes, with the same data

Prints "admitted TIME" for each request that was, and "skip TIME" for each time
that the clock of Redis was set forward, in microseconds of a clock that nobody
has; then "end TIME" of the last request, "asks N" and "refused N".
]]

local WINDOW, MINUTES = 500000, 5 * 60 * 1000000

local set = {seed = 1, hosts = 3, steps = 6000, interval = 20000, burst = 10,
             delay = 2000, lost = 0, skip = 0}

for i = 2, #arg do
    local name, value = arg[i]:match('^(%a+)=(%d+)$')
    assert(set[name], arg[i])
    set[name] = tonumber(value)
end

math.randomseed(set.seed)
local random = math.random

local file = io.open(arg[1])
local script = assert(loadstring(file:read('*a'), '@' .. arg[1]))
local time, off, data = 1000000 * MINUTES, 0, {}
local world = {math = math, tonumber = tonumber, ipairs = ipairs,
               KEYS = {'ktp:{c}:rate'}}

local function call(command, key, ...)
    local args = {...}
    if command == 'TIME' then
        local now = time + off
        return {('%.0f'):format(math.floor(now / 1000000)),
                ('%.0f'):format(now % 1000000)}
    elseif command == 'HGETALL' then
        local all = {}
        for field, value in pairs(data) do
            all[#all + 1] = field
            all[#all + 1] = value
        end
        return all
    elseif command == 'HSET' then
        for i = 1, #args, 2 do data[args[i]] = args[i + 1] end
    elseif command == 'HDEL' then
        data[args[1]] = nil
    elseif command == 'PEXPIREAT' then
        assert(args[1] * 1000 > time + off, 'it expires at once')
    else
        error(command)
    end
end

world.redis = {call = call, pcall = call, error_reply = error}
setfenv(script, world)

local events, n, asks, refused, last = {}, 0, 0, 0, 0

-- events in the order of their times
local function at(when, what)
    n = n + 1
    local i = n
    while i > 1 and events[math.floor(i / 2)][1] > when do
        events[i] = events[math.floor(i / 2)]
        i = math.floor(i / 2)
    end
    events[i] = {when, what}
end

local function next()
    local first, last = events[1], events[n]
    events[n] = nil
    n = n - 1
    local i = 1
    while 2 * i <= n do
        local child = 2 * i
        if child < n and events[child + 1][1] < events[child][1] then
            child = child + 1
        end
        if events[child][1] >= last[1] then break end
        events[i] = events[child]
        i = child
    end
    if n > 0 then events[i] = last end
    return first
end

-- what ngx_http_ktp_rate.c does, by the host's own clock
local function clock(host) return time + host.off end

local function expire(host)
    if clock(host) >= host.expires then host.held = 0 end
end

local function admit(host)
    host.held = host.held - 1
    print(('admitted %.0f'):format(time))
end

local function ask(host)
    local asked, seq = clock(host), asks
    local op = {host.name, ('%d'):format(set.interval),
                ('%d'):format(set.burst),
                ('%d'):format(random(2 * math.max(1, WINDOW / set.interval))),
                ('%d'):format(WINDOW)}

    asks = asks + 1
    host.seq = seq

    local function answer(reply)
        if host.seq ~= seq then return end
        local now = clock(host)
        host.seq = nil
        expire(host)

        if reply and now < asked + WINDOW then
            host.full = reply[2] > 0 and now + reply[2] or 0
            if reply[1] > 0 then
                host.held = host.held + reply[1]
                host.granted = reply[1]
                host.expires = asked + WINDOW
            end
        else
            refused = refused + host.waiting
            host.waiting = 0
        end

        while host.waiting > 0 and host.held > 0 do
            host.waiting = host.waiting - 1
            admit(host)
        end
        if host.waiting > 0 and now < host.full then
            refused = refused + host.waiting
            host.waiting = 0
        elseif host.waiting > 0 then
            ask(host)
        end
    end

    at(time + random(0, set.delay), function()
        world.ARGV = op
        local reply = script()
        assert(type(reply) == 'table', reply)
        assert(reply[1] >= 0 and reply[1] <= tonumber(op[4]), 'granted')
        if set.lost == 0 or random(20) > 1 then
            at(time + random(0, set.delay), function() answer(reply) end)
        end
    end)
    at(time + WINDOW, answer)
end

local function request(host)
    local now = clock(host)
    last = time
    expire(host)
    local none = host.held == 0
    if not none then
        admit(host)
    elseif now < host.full then
        refused = refused + 1
        return
    else
        host.waiting = host.waiting + 1
    end
    if not host.seq and now >= host.full
       and (none or host.held > 0 and host.held <= host.granted / 4) then
        ask(host)
    end
end

for i = 1, set.hosts do
    local host = {name = 'host' .. i, off = random(-MINUTES, MINUTES),
                  held = 0, granted = 0, expires = -math.huge, full = 0,
                  waiting = 0}
    local left = set.steps / set.hosts

    local function arrive()
        request(host)
        left = left - 1
        if left <= 0 then return end
        local kind = random(100)
        if kind == 1 then
            -- a pause, in which the bucket runs empty
            at(time + random(0, 4 * math.max(WINDOW,
                                             set.burst * set.interval)),
               arrive)
        elseif kind == 2 then
            for i = 1, set.burst do request(host) end
            at(time + random(0, set.interval), arrive)
        elseif kind < 50 then
            at(time, arrive)
        elseif kind < 55 and host.held > 0 then
            -- the last moment of what is held
            at(math.max(time, host.expires - host.off - 1), arrive)
        else
            at(time + random(0, 2 * set.interval), arrive)
        end
    end

    at(time, function()
        for i = 1, set.burst do request(host) end
        arrive()
    end)
end

if set.skip == 1 then
    local function skip()
        local before = off
        off = off == 0 and random(-MINUTES, MINUTES) or 0
        if off > before then print(('skip %.0f'):format(time)) end
        at(time + random(20 * WINDOW), n > 0 and skip or function() end)
    end
    at(time + WINDOW, skip)
end

while n > 0 do
    local event = next()
    time = event[1]
    event[2]()
end

print(('end %.0f'):format(last))
print('asks ' .. asks)
print('refused ' .. refused)
