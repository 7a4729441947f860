--[[
Erases the stored answers of an image, see flight.lua.

KEYS     PREFIX:{flight}:image:TAG or PREFIX:{flight}:hmac:TAG, the sets of its
         flights; each key of the fleet has one
ARGV     channel message
reply    number of answers that were erased

What a call in progress will come to is for those who wait, and not stored.  The
channel gets the message: hosts have answers of their own.
]]

local erased = 0
for i = 1, #KEYS do
    for _, key in ipairs(redis.call('SMEMBERS', KEYS[i])) do
        local state = redis.call('HGET', key, 'state')
        if state == 'calling' then
            redis.call('HSET', key, 'erase', 1)
        elseif state then
            erased = erased + (state == 'stored' and 1 or 0)
            redis.call('DEL', key)
        end
    end
    redis.call('DEL', KEYS[i])
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return erased
