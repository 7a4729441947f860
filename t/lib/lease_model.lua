--[[
Explores what a script of leases can be brought to by its hosts:

    lua5.1 t/lib/lease_model.lua SCRIPT NAME=VALUE...

The script is run as it is, with a "redis" whose data belong to a state.  From
each state every next step is taken, and each state is visited once.  A message
that is never delivered is one that was lost.  Steps, with the parameters that
say how often they occur:

    hosts=N limit=N want=N kind=total|day
    sends=N     new operations of a host; others=N: of each but the first.
                Before one it has spent 0 or more of what it holds, and
                abandons the reply to the last one; it may leave with it.
    repeats=N   the last operation of a host is sent again, as it was
    crashes=N   a host loses all, and begins another incarnation
    restarts=N  a host begins another incarnation with its figures
    expiries=N  the time passes that all leases last
    losses=N    Redis goes back to where it was before the last operation
    days=N      the next day begins; the clock is set back one day: backs=N
    refunds=1   what was spent may come back before an operation is sent
    drops=1     a host may drop a unit before an operation is sent

In each state, what hosts have spent and hold in a day is at most the limit,
and what was granted by operations that Redis has lost.
And if no message is lost from then on, the limit is spent, save what was
leased to hosts that crashed.  An operation of an incarnation that is over, and
of which none had arrived, may cost as much as its successor has.  Prints
"N states, N steps", or the steps to a state that breaks one of these.
]]

local DAY, LEASE = 86400000, 1000
local START = 20000 * DAY + DAY / 2

local set = {hosts = 2, limit = 3, want = 2, kind = 'total', sends = 2,
             others = false, repeats = 0, crashes = 0, restarts = 0,
             expiries = 0, losses = 0, days = 0, backs = 0, refunds = 0, drops = 0}

local file = io.open(arg[1])
local script = assert(loadstring(file:read('*a'), '@' .. arg[1]))

for i = 2, #arg do
    local name, value = arg[i]:match('^(%a+)=(%w+)$')
    assert(set[name] ~= nil, arg[i])
    set[name] = tonumber(value) or value
end

-- what the script may see, and the data that it works on
local db, now
local world = {math = math, tonumber = tonumber, ipairs = ipairs,
               select = select, KEYS = {'ktp:{c}:' .. set.kind}}

local function call(command, key, a, b)
    if command == 'TIME' then
        return {tostring(math.floor(now / 1000)), '0'}
    elseif command == 'HGETALL' then
        local all = {}
        for field, value in pairs(db[key] or {}) do
            all[#all + 1] = field
            all[#all + 1] = value
        end
        return all
    elseif command == 'HSET' then
        local fields = {}
        for field, value in pairs(db[key] or {}) do fields[field] = value end
        fields[a] = b
        db[key] = fields
    elseif command ~= 'PEXPIREAT' then
        error(command)
    end
end

world.redis = {call = call, pcall = call,
               error_reply = function(text) error(text) end}
setfenv(script, world)

local function copy(t)
    local new = {}
    for k, v in pairs(t) do new[k] = v end
    return new
end

-- a copy of a state of which one host may be changed
local function with(state, h)
    local new = copy(state)
    new.hosts = copy(state.hosts)
    new.hosts[h] = copy(state.hosts[h])
    return new, new.hosts[h]
end

local function add(t, key, n)
    t = copy(t)
    t[key] = (t[key] or 0) + n
    return t
end

-- runs an operation; the state gets data of its own
local function run(state, op)
    db, now = copy(state.db), state.now
    world.ARGV = op
    local reply = script()
    state.db = db
    return reply
end

-- Lineages: a host from one crash to the next.  For each day "had" is what it
-- was granted by the last operation that arrived, "used" what it has spent.
-- An incarnation that is over has another one, for what its operations cost its
-- successor.
local function deliver(state, message)
    local new = copy(state)
    local reply = run(new, message.op)
    local status, period, granted = reply[1], reply[2], reply[3]
    local seen = message.op[2] .. ' ' .. message.op[3]

    if status ~= 'stale' and not state.seen[seen] then
        local claimed, spent, held = message.op[8], message.op[9],
                                     message.op[10]
        local had = copy(state.had)
        local line = message.line .. ' '

        if claimed ~= '' and claimed ~= period then
            had[line .. claimed] = spent
            spent, held = 0, 0
        end
        if message.op[11] == '1' then held = 0 end
        local host = state.hosts[message.h]
        had[line .. period] = spent + held + granted
        if host.inc ~= message.op[2] then
            had[message.op[2] .. '+ ' .. period] = had[host.line .. ' '
                                                       .. period] or 0
        end
        new.had, new.seen = had, add(state.seen, seen, 1)
    end
    if set.losses > 0 then
        new.before = {db = state.db, had = state.had, seen = state.seen,
                      granted = granted}
    end
    return new, reply
end

-- another incarnation; it keeps the figures of its host, or has none
local function begin(host, keeps)
    host.born, host.seq, host.waits, host.reply = host.born + 1, 0, false, false
    host.inc = host.name .. 'i' .. host.born
    if not keeps then
        host.line = host.inc
        host.period, host.spent, host.held = '', 0, 0
    end
end

-- a host takes the reply to its last operation
local function accept(host, reply)
    if reply[1] == 'stale' then return begin(host, false) end
    if host.period ~= reply[2] then
        host.period, host.spent, host.held = reply[2], 0, 0
    end
    host.held = host.held + reply[3]
    host.waits, host.reply = false, false
end

local function operation(host, leaving, want)
    return {host.name, host.inc, ('%d'):format(host.seq), '0',
            ('%d'):format(set.limit), ('%d'):format(want),
            ('%d'):format(LEASE), host.period, ('%d'):format(host.spent),
            ('%d'):format(host.held), leaving and '1' or '0'}
end

local function spend(state, host, n)
    host.spent, host.held = host.spent + n, host.held - n
    state.used = add(state.used, host.line .. ' ' .. host.period, n)
end

-- what all have spent in a day, and hold
local function sum(state, period)
    local n = 0
    for key, used in pairs(state.used) do
        if key:sub(-#period) == period then n = n + used end
    end
    for _, host in ipairs(state.hosts) do
        if host.period == period then n = n + host.held end
    end
    return n
end

local function broken(state, what, path)
    print(what)
    for _, step in ipairs(path) do print('  ' .. step) end
    for key, fields in pairs(state.db) do
        for field, value in pairs(fields) do
            print('  ' .. key .. ' ' .. field .. ' ' .. value)
        end
    end
    os.exit(1)
end

-- a state as text: times only as what is over and what is not; "still" leaves
-- out what is on its way and may yet occur
local function text(state, still)
    local parts = {}
    local function put(t)
        local list = {}
        for key, value in pairs(t) do list[#list + 1] = key .. '=' .. value end
        table.sort(list)
        parts[#parts + 1] = table.concat(list, ',')
    end
    local function times(n)
        return tonumber(n) > state.now and 'L' or 'X'
    end

    local function data(db)
        local list = {}
        for key, fields in pairs(db) do
            for field, value in pairs(fields) do
                list[#list + 1] = key .. field .. '='
                    .. value:gsub('%d%d%d%d%d%d%d%d%d%d%d%d%d', times)
            end
        end
        table.sort(list)
        parts[#parts + 1] = table.concat(list, ',')
    end

    data(state.db)
    parts[#parts + 1] = state.excess
    if state.before and not still then
        data(state.before.db)
        put(state.before.had)
        put(state.before.seen)
        parts[#parts + 1] = state.before.granted
    end
    for _, h in ipairs(state.hosts) do
        parts[#parts + 1] = table.concat({h.inc, h.line, h.seq, h.period,
            h.spent, h.held}, ';')
        parts[#parts + 1] = not still and table.concat({
            h.waits and table.concat(h.waits, ' ') or '-', h.reply and
            table.concat({h.reply[1], h.reply[2], h.reply[3]}, ' ') or '-',
            h.sends}, ';') or nil
    end
    local net = {}
    put(state.had)
    put(state.used)
    put(state.seen)
    parts[#parts + 1] = math.floor(state.now / DAY)
    if still then return table.concat(parts, '|') end
    for i, m in ipairs(state.net) do
        net[i] = m.line .. ' ' .. table.concat(m.op, ' ')
    end
    table.sort(net)
    parts[#parts + 1] = table.concat(net, ';')
    put(state.left)
    return table.concat(parts, '|')
end

-- with no more losses, all is spent that nobody lost
local finished = {}

local function finish(state, path)
    local key = text(state, true)
    if finished[key] then return end
    finished[key] = true

    local period, spent, again, stale, rounds = '', 0, true, 0, 0
    while again do
        rounds = rounds + 1
        if rounds > 3 * set.limit + 9 then broken(state, 'no end', path) end
        again = false
        for h = set.hosts, 1, -1 do
            local host, reply
            state, host = with(state, h)
            spend(state, host, host.held)
            host.seq = host.seq + 1
            state, reply = deliver(state, {line = host.line, h = h,
                                           op = operation(host, false, 9)})
            accept(host, reply)
            again = again or reply[1] ~= 'exhausted' or reply[6] > 0
            stale = stale + (reply[1] == 'stale' and 1 or 0)
            period, spent = reply[2], reply[5]
        end
        if sum(state, period) > set.limit + state.excess then
            broken(state, 'more than the limit in the end', path)
        elseif stale > 2 * set.hosts then
            broken(state, 'stale', path)
        end
    end

    local lost, alive = 0, {}
    for _, host in ipairs(state.hosts) do alive[host.line] = true end
    for key, had in pairs(state.had) do
        local line, day = key:match('^(%S+) (%S+)$')
        if day == period and not alive[line] then
            lost = lost + math.max(0, had - (state.used[key] or 0))
        end
    end
    if spent < set.limit then
        broken(state, 'figure of ' .. spent .. ' in the end', path)
    elseif sum(state, period) < set.limit - lost then
        broken(state, 'only ' .. sum(state, period) .. ' are spent, '
               .. lost .. ' are lost', path)
    end
end

local visited, states, steps, visit = {}, 0, 0

local function try(state, path, step, check)
    steps = steps + 1
    local key = text(state)
    if visited[key] then return end
    visited[key] = true
    path[#path + 1] = step
    visit(state, path)
    path[#path] = nil
end

-- one less of what may occur
local function less(state, what)
    state.left = add(state.left, what, -1)
end

local function send(state, path, h, used, dropped, leaving)
    local new, host = with(state, h)
    spend(new, host, used)
    host.held = host.held - dropped
    host.seq, host.sends = host.seq + 1, host.sends - 1
    host.waits, host.reply = operation(host, leaving, set.want), false
    new.net = copy(new.net)
    new.net[#new.net + 1] = {line = host.line, h = h, op = host.waits}
    if leaving then host.held = 0 end
    try(new, path, ('%s sends %s%s'):format(host.name,
        table.concat(host.waits, ' '), dropped > 0 and ', one dropped' or ''))
end

local function reborn(state, path, h, keeps)
    local new, host = with(state, h)
    local line, period = host.line .. ' ' .. host.period, host.period
    begin(host, keeps)
    if keeps then -- a lineage that has only the figures of this day
        host.line = host.inc
        local key = host.line .. ' ' .. period
        new.had, new.used = copy(new.had), copy(new.used)
        new.had[key], new.had[line] = new.had[line], nil
        new.used[key], new.used[line] = new.used[line], nil
    end
    less(new, keeps and 'restarts' or 'crashes')
    try(new, path, host.name .. (keeps and ' restarts' or ' crashes'))
end

local function pass(state, path, what, ms)
    local new = copy(state)
    new.now = new.now + ms
    less(new, what)
    try(new, path, what)
end

function visit(state, path)
    states = states + 1
    for day = -1, 1 do
        local period = set.kind == 'total' and 'total'
                       or os.date('!%Y-%m-%d', START / 1000 + day * 86400)
        if sum(state, period) > set.limit + state.excess then
            broken(state, sum(state, period) .. ' of ' .. set.limit, path)
        end
    end
    finish(state, path)

    for h, host in ipairs(state.hosts) do
        if host.sends > 0 then
            for used = host.spent > 0 and -set.refunds or 0, host.held do
                for dropped = 0, math.min(set.drops, host.held - used) do
                    send(state, path, h, used, dropped, false)
                end
                if host.period ~= '' then
                    send(state, path, h, used, 0, true)
                end
            end
        end
        if host.waits and state.left.repeats > 0 then
            local new = copy(state)
            new.net = copy(state.net)
            new.net[#new.net + 1] = {line = host.line, h = h, op = host.waits}
            less(new, 'repeats')
            try(new, path, host.name .. ' repeats')
        end
        if host.reply then
            local new, changed = with(state, h)
            accept(changed, host.reply)
            try(new, path, host.name .. ' gets ' .. host.reply[1] .. ' '
                .. host.reply[2] .. ' ' .. host.reply[3])
        end
        if host.seq > 0 and state.left.crashes > 0 then
            reborn(state, path, h, false)
        end
        if host.period ~= '' and state.left.restarts > 0 then
            reborn(state, path, h, true)
        end
    end

    for i, message in ipairs(state.net) do
        local new, reply = deliver(state, message)
        new.net = copy(state.net)
        table.remove(new.net, i)

        local step = ('arrives: %s; %s %s %d'):format(
            table.concat(message.op, ' '), reply[1], reply[2], reply[3])
        local host = state.hosts[message.h]
        if host.waits == message.op then
            local too = host.reply
            local answered, changed = with(new, message.h)
            changed.reply = reply
            try(answered, path, step)
            if too then try(new, path, step .. ', lost') end
        else
            try(new, path, step)
        end
    end

    if state.left.expiries > 0 then
        pass(state, path, 'expiries', LEASE + 1)
    end
    if state.left.losses > 0 and state.before then
        local new = copy(state)
        for _, what in ipairs({'db', 'had', 'seen'}) do
            new[what] = state.before[what]
        end
        new.excess, new.before = state.excess + state.before.granted, false
        less(new, 'losses')
        try(new, path, 'losses')
    end
    if state.left.days > 0 then pass(state, path, 'days', DAY) end
    if state.left.backs > 0 then pass(state, path, 'backs', -DAY) end
end

local first = {now = START, db = {}, hosts = {}, net = {}, had = {}, used = {},
               seen = {}, left = {}, excess = 0, before = false}

for _, what in ipairs({'repeats', 'crashes', 'restarts', 'expiries',
                       'losses', 'days', 'backs'}) do
    first.left[what] = set[what]
end
for h = 1, set.hosts do
    local name = string.char(('a'):byte() + h - 1)
    first.hosts[h] = {name = name, inc = name .. 'i1', line = name .. 'i1',
                      born = 1, seq = 0, period = '', spent = 0, held = 0,
                      waits = false, reply = false,
                      sends = h > 1 and set.others or set.sends}
end

try(first, {}, 'start')
print(states .. ' states, ' .. steps .. ' steps')
