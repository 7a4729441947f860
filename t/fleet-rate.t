# The script of rates that a fleet shares, src/gateway/fleet/rate.lua: each rule
# by figures computed by hand, in a time of its own; then its promise, for hosts
# that ask and spend at random (t/lib/rate_model.lua), which scripts with a fault
# break; then on a redis-server.
#
# KTP_SEED repeats the random runs of one that failed.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use KTP::Redis;
use List::Util qw(max);
use Test::More;

my $file = 'src/gateway/fleet/rate.lua';
my $script = KTP::Nginx::read_file($file);
my $dir = KTP::Nginx::scratch_dir();
my $window = 500_000;

my $seed = $ENV{KTP_SEED} || time() ^ $$;
$seed %= 1_000_000;
note("KTP_SEED=$seed");


# -- figures

KTP::Nginx::write_file("$dir/steps.lua", <<'EOL');
local now, data = 1000000 * 60000000, {}
local world = {math = math, tonumber = tonumber, ipairs = ipairs,
               KEYS = {'ktp:{c}:rate'}}

local function call(command, key, ...)
    local args = {...}
    if command == 'TIME' then
        return {('%d'):format(now / 1000000), ('%d'):format(now % 1000000)}
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
    end
end

world.redis = {call = call, pcall = call, error_reply = error}
local script = setfenv(assert(loadfile(arg[1])), world)

for line in io.lines() do
    local after, host, interval, burst, want
        = line:match('^(%S+) (%S+) (%S+) (%S+) (%S+)$')
    now = now + after
    world.ARGV = {host, interval, burst, want, '500000'}
    local reply = script()
    io.write(('%.0f %.0f %.0f\n'):format(unpack(reply)))
end
EOL

# after microseconds: host interval burst want => granted wait hosts
steps('10 a minute, bursts of 3: single units, at their time',
    [0,          'a 6000000 3 1' => '1 0 1'],
    [0,          'a 6000000 3 9' => '1 0 1'],
    [0,          'b 6000000 3 1' => '1 6000000 2'],
    [0,          'a 6000000 3 1' => '0 6000000 2'],
    [5_999_999,  'b 6000000 3 1' => '0 1 2'],
    [1,          'b 6000000 3 1' => '1 6000000 2'],
    [18_000_000, 'a 6000000 3 1' => '1 0 2'],
);

steps('1000 a second: the units of half a second, by the hosts that ask',
    [0,      'a 1000 1000 2000' => '500 0 1'],
    [0,      'a 1000 1000 300'  => '300 0 1'],
    [0,      'b 1000 1000 2000' => '200 100000 2'],
    [50_000, 'c 1000 1000 2000' => '50 100000 3'],
    [99_000, 'c 1000 1000 10'   => '10 0 3'],
    [0,      'a 1000 1000 2000' => '89 100000 3'],
    [10_000_000, 'a 1000 1000 2000' => '166 0 3'],
    [49_999_999, 'a 1000 1000 2000' => '250 0 2'],
    [10_000_000, 'a 1000 1000 2000' => '500 0 1'],
);

steps('a burst that is less than a window has the units of one',
    [0,       'a 20000 1 100' => '25 100000 1'],
    [19_999,  'a 20000 1 100' => '0 80001 1'],
    [1,       'a 20000 1 100' => '1 100000 1'],
);

steps('a bucket that was left alone is empty, not more',
    [0,              'a 100000 10 5' => '5 0 1'],
    [86_400_000_000, 'a 100000 10 5' => '5 0 1'],
    [0,              'a 100000 10 5' => '5 100000 1'],
);

steps('a clock set back five minutes: it is full, and runs empty',
    [0,            'a 1000000 10 1' => '1 0 1'],
    [-300_000_000, 'a 1000000 10 1' => '0 1000000 1'],
    [1_000_000,    'a 1000000 10 1' => '1 1000000 1'],
    [0,            'b 1000000 10 1' => '0 1000000 2'],
);

steps('a rate that is changed',
    [0, 'a 1000000 10 1' => '1 0 1'],
    (map { [0, 'a 1000000 10 1' => $_ < 9 ? '1 0 1' : '1 1000000 1'] } 1 .. 9),
    [0, 'a 1000000 12 1' => '1 0 1'],
    [0, 'a 1000000 5 1' => '0 1000000 1'],
    [1_000_000, 'a 1000000 5 1' => '1 1000000 1'],
);

sub steps {
    my ($name, @steps) = @_;

    KTP::Nginx::write_file("$dir/steps",
                           join '', map { "$_->[0] $_->[1]\n" } @steps);

    is(`lua5.1 $dir/steps.lua $file < $dir/steps 2>&1`,
       join('', map { "$_->[2]\n" } @steps), $name);
}


# -- the promise: in any time T, at most (T + 2 windows) at the rate, and burst

# for each: the least share of the rate that is made use of, and parameters
my %run = (
    'one host'            => [0.25, hosts => 1, interval => 20_000, burst => 40],
    'three hosts'         => [0.5, hosts => 3, interval => 20_000, burst => 10],
    'late replies'        => [0.5, hosts => 3, interval => 20_000, burst => 10,
                              delay => 200_000, lost => 1],
    'a high rate'         => [0.25, hosts => 3, interval => 1000,
                              burst => 1000],
    'a burst below all'   => [0.25, hosts => 2, interval => 5000, burst => 1],
    'a large burst'       => [0.25, hosts => 5, interval => 20_000,
                              burst => 300],
    'a low rate'          => [0.5, hosts => 3, interval => 6_000_000,
                              burst => 10],
    'a clock that is off' => [0.75, hosts => 3, interval => 100_000,
                              burst => 20, skip => 1],
);

for my $name (sort keys %run) {
    for my $n (0 .. 2) {
        my ($share, @set) = @{ $run{$name} };
        my $got = run($file, $seed + $n, $share, @set);
        my $where = 'KTP_SEED=' . ($seed + $n) . ", $got->{said}";

        cmp_ok($got->{over}, '<=', 0, "$name: the promise is kept")
            or diag($where);
        cmp_ok($got->{first}, '>=', $got->{burst},
               "$name: the first burst is admitted at once")
            or diag($where) unless $name eq 'late replies';
        cmp_ok($got->{admitted}, '>=', $got->{least},
               "$name: the rate is not wasted")
            or diag($where);
    }
}

# Faults: a text of the script, what is there in its place, where it is seen.
my @faults = (
    ['what was granted does not fill the bucket',
     'full = full + granted * unit', '', 'three hosts'],
    ['more is granted than there is room for',
     'math.min(a.want, room, share)', 'math.min(a.want, share)',
     'three hosts'],
    ['a pause is saved up',
     'math.max(0, at - now)', 'at - now', 'one host'],
    ['a bucket of twice the burst',
     'math.max(a.burst * unit, a.window_us)',
     'math.max(2 * a.burst * unit, a.window_us)', 'a large burst'],
    ['it runs empty at twice the rate',
     "('%.0f'):format(now + full)", "('%.0f'):format(now + full / 2)",
     'a high rate'],
    ['a clock set back empties the bucket',
     'full = math.min(full, depth)',
     'if full > depth then full = 0 end', 'a clock that is off'],
    ['a clock set back locks it',
     'full = math.min(full, depth)', '', 'a clock that is off'],
);

for (@faults) {
    my ($name, $text, $instead, $where) = @$_;

    is(() = $script =~ /\Q$text/g, 1, "$name: the text is in the script")
        or next;

    KTP::Nginx::write_file("$dir/faulty.lua", $script =~ s/\Q$text/$instead/r);

    ok(scalar(grep {
           my $got = run("$dir/faulty.lua", $seed + $_, @{ $run{$where} });

           $got->{over} > 0 || $got->{admitted} < $got->{least};
       } 0 .. 9), "$name: found out");
}


# How many requests were admitted, and by how many more than the promise in the
# time in which it is exceeded most (less than 0: it is kept); the first ones,
# until the bucket had room for one more; and how many are the least, by a share
# of the rate.
sub run {
    my ($script, $seed, $share, %set) = @_;

    my @said = `lua5.1 t/lib/rate_model.lua $script seed=$seed @{[
                map { "$_=$set{$_}" } sort keys %set]} 2>&1`;
    my ($interval, $burst) = @set{qw(interval burst)};
    my $depth = max($burst, $window / $interval);
    my $slack = 2 * $window / $interval + $depth;
    my ($end) = map { /^end (\d+)$/ } @said;
    my (@times, $lowest);
    my ($over, $allowed, $said) = (-$slack, 0, '');

    # for each request, over all that came before: requests less those that the
    # time between them allows; a clock set forward allows for a bucket
    for (@said) {
        /^(admitted|skip) (\d+)$/ or next;

        if ($1 eq 'skip') {
            $allowed += $depth;
            next;
        }

        push @times, $2;

        my $n = @times - $2 / $interval - $allowed;

        $lowest = $n if !defined $lowest || $n < $lowest;

        if ($n - $lowest + 1 - $slack > $over) {
            $over = $n - $lowest + 1 - $slack;
            $said = 'request ' . @times . " at $2";
        }
    }

    return {over => 1, admitted => 0, least => 1, said => "@said"}
        if @times < 2 || $said[-1] !~ /^refused \d+$/;

    my $first = grep { $_ - $times[0] <= max($window, $interval) } @times;

    return {over => $over, said => $said, first => $first, burst => $burst,
            admitted => scalar(@times),
            least => $share * ($end - $times[0]) / $interval};
}


# -- on a redis-server

my $redis = KTP::Redis->new;
my $sha = $redis->command('SCRIPT', 'LOAD', $script);

sub rate {
    my ($key, @args) = @_;

    my $reply = $redis->command('EVALSHA', $sha, 1, $key, @args);

    return ref $reply eq 'ARRAY' ? "@$reply" : $reply->{text};
}

my @arguments = qw(a 60000000 2 1 500000);
my $key = 'ktp:{c}:rate';

is(rate($key, @arguments), '1 0 1', 'a unit');
is(rate($key, 'b', @arguments[1 .. 4]) =~ s/ \d+ / /r, '1 2', 'another');
like(rate($key, @arguments), qr/^0 (?:5\d|60)\d{6} 2$/, 'and no more');

my %fields = @{ $redis->command('HGETALL', $key) };
is(join(' ', sort keys %fields), '* a b', 'the bucket, and the hosts');

my $ttl = $redis->command('PTTL', $key);
cmp_ok($ttl, '<=', 121_000, 'which go when the bucket is empty');
cmp_ok($ttl, '>', 60_000, 'and not before');

# a host that has not asked for a minute is forgotten
$redis->command('HSET', $key, 'gone', $fields{a} - 60_000_001);
rate($key, @arguments);
is($redis->command('HGET', $key, 'gone'), undef, 'a host that has gone');

for (['ktp:c:rate', @arguments], ['ktp:{}:rate', @arguments],
     ['ktp:{c}:day', @arguments]) {
    is(rate(@$_), 'ERR rate: KEYS[1] is not PREFIX:{CLIENT}:rate',
       "key $_->[0]");
}

for ([0, 'host', '', '*', 'a b', 'x' x 256], [1, 'interval_us', 0, 'x', '01',
     -1, '60000001', '1.5'], [2, 'burst', 0, 1_000_001, ''],
     [3, 'want', 0, 1_000_001, ' 1'], [4, 'window_us', 4, 60_000_001]) {
    my ($i, $name, @values) = @$_;

    for my $value (@values) {
        my @set = @arguments;

        $set[$i] = $value;
        is(rate($key, @set), 'ERR rate: ARGV[' . ($i + 1)
           . "] \"$name\" is invalid", "$name \"$value\"");
    }

    is(rate($key, @arguments[0 .. $i - 1]),
       'ERR rate: ARGV[' . ($i + 1) . "] \"$name\" is missing",
       "no $name");
}

$redis->command('HSET', $key, 'b', 'text');
is(rate($key, @arguments), 'ERR rate: KEYS[1]: damaged entry', 'damaged');
$redis->command('SET', 'ktp:{d}:rate', 1);
like(rate('ktp:{d}:rate', @arguments), qr/^ERR rate: KEYS\[1\]: WRONGTYPE/,
     'no hash');

# the rights that docs/fleet.md names
my ($acl) = KTP::Nginx::read_file('docs/fleet.md') =~ /^    user (ktp .*)$/m;
$redis->command('HSET', 'ktp:{e}:rate', 'gone', 1);
$redis->command('ACL', 'SETUSER', split ' ', $acl =~ s/PASSWORD/secret/r);
is($redis->command('AUTH', 'ktp', 'secret'), 'OK', 'a user with those rights');
is(rate('ktp:{e}:rate', @arguments), '1 0 1',
   'may run the script, also if a host has gone');

done_testing();
