--[[
A quota that a fleet of hosts shares: report, give-back and lease in one step.

KEYS[1]  PREFIX:{CLIENT}:KIND; KIND is "day", "month" or "total"
ARGV     host incarnation seq utc_offset_s limit want lease_ms period spent
         held leaving
reply    status period granted lease_ms_left fleet_spent fleet_leased end_ms

"spent" is the absolute number of units that the host has spent in "period",
"held" what it has left of its leases there, "want" how many more it asks for.
"period" is that of the last reply, "" before the first one.  A host accepts
only the reply to the last seq it has sent, and then holds "granted" units
more; a reply with another period ends what it holds.  If that reply is
"stale", it begins another incarnation.  The only clock is that of Redis.

A period has a record, the hash KEYS[1]:PERIOD with a field for each host:
deadline, used, leased, base, incarnation, seq, status, granted, former.

Invariants, for each period:

- The sum of used and leased is at most the limit, unless the limit was
  lowered, Redis has lost data, or a host has spent what it was not granted.
- A unit that was granted is in "leased" of its host until a later operation
  of that host reports it as spent, or no longer reports it.  An expired lease
  is shown as spent and not granted again; its host is no longer counted when
  what is left is divided.
- A lower seq of an incarnation, and any seq of a former one, is "stale" and
  changes nothing.  An equal seq repeats status, period and granted; times and
  figures of the fleet are those of now.
- A report counts in the record of its own period, if that still exists; what
  the host held then is not given back, since the clock may be set back.

Another incarnation under the name of a host: with period "" it has no figures
of the former one, whose used and leased units become its "base", part of its
"used".  With a period, its figures continue those of the former one, and
replace them; they must be as new as its last unit, such as those of a file
written at exit.  The field of a host that has left stays, since its spent
units count.
]]

local MAX, DAY, KEEP = 9007199254740992, 86400, 7 * 86400000
local FORMAT = {day = '%04d-%02d-%02d', month = '%04d-%02d', total = 'total'}
local FORM = {day = '^%d%d%d%d%-%d%d%-%d%d$', month = '^%d%d%d%d%-%d%d$',
              total = '^total$'}

local kind = #KEYS == 1 and KEYS[1]:match('^[^{]*{[^}]+}.*:(%a+)$')
if not FORM[kind] then
    return redis.error_reply('ERR lease: KEYS[1] is not PREFIX:{CLIENT}:KIND')
end

-- the arguments by name: texts by a pattern, numbers by their range
local a = {}
for i, rule in ipairs({
        {'host', '^[!-~]+$'}, {'incarnation', '^[%w_-]+$'}, {'seq', 0, MAX},
        {'utc_offset_s', 1 - DAY, DAY - 1}, {'limit', 0, MAX},
        {'want', 0, MAX}, {'lease_ms', 1, MAX}, {'period', FORM[kind]},
        {'spent', 0, MAX}, {'held', 0, MAX}, {'leaving', 0, 1}}) do
    local s, name, least, most = ARGV[i] or '', rule[1], rule[2], rule[3]
    local n = most and s:find(least < 0 and '^-?%d+$' or '^%d+$')
              and tonumber(s)
    if not (n and n >= least and n <= most and ('%.0f'):format(n) == s
            or not most and s:find(least) and #s < 256
            or name == 'period' and ARGV[i] == '') then
        return redis.error_reply('ERR lease: ARGV[' .. i .. '] "' .. name
                    .. (ARGV[i] and '" is invalid' or '" is missing'))
    end
    a[name] = n or s
end

-- year, month, day of a number of days since 1970, by years from March on
local function civil(days)
    local d, floor = (days + 719468) % 146097, math.floor
    local y = floor((d - floor(d / 1460) + floor(d / 36524)
                     - floor(d / 146096)) / 365)
    d = d - 365 * y - floor(y / 4) + floor(y / 100)
    local m = floor((5 * d + 2) / 153)
    y = y + 400 * floor((days + 719468) / 146097)
    d = d - floor((153 * m + 2) / 5) + 1
    return m > 9 and y + 1 or y, m > 9 and m - 9 or m + 3, d
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = math.floor((time[1] + a.utc_offset_s) / DAY)
local year, month, day = civil(last)
local period = FORMAT[kind]:format(year, month, day)
if kind == 'month' then -- its last day, from some day of the next one
    last = last + 32 - day
    last = last - select(3, civil(last))
end
local ends = ((last + 1) * DAY - a.utc_offset_s) * 1000

-- the record of a period: the entry of the host, and the sums of all others
local function record(name)
    local own = {deadline = 0, used = 0, leased = 0, base = 0, former = ','}
    local r = {period = name, key = KEYS[1] .. ':' .. name, own = own,
               used = 0, leased = 0, hosts = 0}
    local fields = redis.pcall('HGETALL', r.key)
    r.error, r.exists = fields.err, #fields > 0
    for i = 1, #fields, 2 do
        local deadline, used, leased, rest
            = fields[i + 1]:match('^(%d+) (%d+) (%d+) ()')
        if fields[i] == a.host and rest then
            local base, inc, seq, status, granted, former = fields[i + 1]:match(
                '^(%d+) (%S+) (%d+) (%a+) (%d+) (%S+)$', rest)
            own.deadline, own.used = tonumber(deadline), tonumber(used)
            own.leased, own.base = tonumber(leased), tonumber(base)
            own.inc, own.seq, own.status = inc, tonumber(seq), status
            own.granted, own.former = tonumber(granted), former
            rest = inc
        elseif rest and tonumber(deadline) > now then
            r.used, r.leased = r.used + used, r.leased + leased
            r.hosts = r.hosts + 1
        elseif rest then
            r.used = r.used + used + leased
        end
        if not rest then r.error = 'damaged entry' end
    end
    return r
end

local function reply(r, status, granted)
    local e, left = r.own, math.max(0, r.own.deadline - now)
    local lost = left > 0 and 0 or e.leased
    return {status, r.period, granted, left,
            math.min(MAX, r.used + e.used + lost),
            math.min(MAX, r.leased + e.leased - lost), kind == 'total' and -1
            or r.period == period and ends - now or 0}
end

local here = record(period)
local there = a.period ~= '' and a.period ~= period and record(a.period)
for _, r in ipairs({here, there or nil}) do
    local e = r.own
    if r.error then
        return redis.error_reply('ERR lease: KEYS[1]: ' .. r.key .. ': '
                                 .. r.error)
    elseif e.former:find(',' .. a.incarnation .. ',', 1, true)
           or e.inc == a.incarnation and a.seq < e.seq then
        return reply(r, 'stale', 0)
    elseif e.inc == a.incarnation and a.seq == e.seq then
        return reply(r, e.status, e.granted)
    end
end

-- the figures of the host take the place of those of its last operation
local function report(r, spent, held)
    local e = r.own
    local same = e.inc == a.incarnation
    if a.period ~= r.period and not (same and a.period == '') then
        e.base = e.used + (same and 0 or e.leased)
    end
    if e.inc and not same then
        e.former = e.former:sub(-512):match(',.*') .. e.inc .. ','
    end
    e.deadline, e.used, e.leased = 0, e.base + spent, held
    e.inc, e.seq, e.status, e.granted = a.incarnation, a.seq, 'ok', 0
end

local function store(r)
    local e = r.own
    redis.call('HSET', r.key, a.host,
               ('%.0f %.0f %.0f %.0f %s %.0f %s %.0f %s'):format(e.deadline,
               e.used, e.leased, e.base, e.inc, e.seq, e.status, e.granted,
               e.former))
end

if there and there.exists then
    report(there, a.spent, a.leaving == 1 and 0 or a.held)
    store(there)
end

report(here, there and 0 or a.spent, (there or a.leaving == 1) and 0 or a.held)

local e = here.own
if a.leaving == 0 then
    local left = a.limit - here.used - here.leased - e.used - e.leased
    e.deadline = now + a.lease_ms
    if kind ~= 'total' then e.deadline = math.min(e.deadline, ends) end
    if left > 0 and a.want > 0 then
        local hosts = 2 * (here.hosts + 1)
        e.granted = math.max(1, math.min(a.want, (left - left % hosts)
                                                 / hosts))
        e.leased = e.leased + e.granted
    elseif a.want > 0 then
        e.status = 'exhausted'
    end
end
store(here)
if not here.exists and kind ~= 'total' then
    redis.call('PEXPIREAT', here.key, ('%.0f'):format(ends + KEEP))
end
return reply(here, e.status, e.granted)
