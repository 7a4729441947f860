# The script of quotas that a fleet shares, src/gateway/fleet/lease.lua, on a
# redis-server: each rule by figures computed by hand, then random operations
# against a model.  t/fleet-lease-model.t explores interleavings.
#
# KTP_SEED repeats the random operations of a run that failed.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use KTP::Redis;
use POSIX qw(floor strftime);
use Test::More;
use Time::Local qw(timegm);

my $script = KTP::Nginx::read_file('src/gateway/fleet/lease.lua');
my @names = qw(host incarnation seq utc_offset_s limit want lease_ms period
               spent held leaving);
my $hour = 3_600_000;

# no day begins while this runs, at any of the offsets that are used
KTP::Nginx::same_day(120, 0, 1 / 3600, -1 / 3600);

my $redis = KTP::Redis->new;
my $sha = $redis->command('SCRIPT', 'LOAD', $script);
my ($client, $seq) = (0, 0);
my $key;

my $seed = $ENV{KTP_SEED} || time() ^ $$;
srand $seed;
note("KTP_SEED=$seed");

like($sha, qr/^[0-9a-f]{40}$/, 'the script is loaded');


# a quota of its own for the next lines
sub quota {
    my ($kind) = @_;

    $key = sprintf 'ktp:{client-%d}:%s', ++$client, $kind || 'total';
}


# The arguments in their order; what is not named has a default.
sub arguments {
    my (%set) = @_;

    $set{seq} //= ++$seq;

    $set{host} //= 'a';

    my %arg = (incarnation => "$set{host}1", utc_offset_s => 0,
               limit => 100, want => 0, lease_ms => $hour, period => 'total',
               spent => 0, held => 0, leaving => 0, %set);

    return map { $arg{$_} } @names;
}


sub lease {
    my (%set) = @_;

    my $reply = $redis->command('EVALSHA', $sha, 1, $key, arguments(%set));

    die "$reply->{text}\n" if ref $reply ne 'ARRAY';
    return $reply;
}


# Compares status, granted, and the figures of the fleet.
sub gives {
    my ($want, $name, @set) = @_;

    my $got = lease(@set);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("@$got[0, 2, 4, 5]", $want, $name);

    return $got;
}


# all that Redis holds, in one text
sub contents {
    return join "\n", map {
        my %of = @{ $redis->command('HGETALL', $_) };
        ($_, map { "$_ $of{$_}" } sort keys %of)
    } sort @{ $redis->command('KEYS', '*') };
}


sub redis_ms {
    my ($s, $us) = @{ $redis->command('TIME') };

    return $s * 1000 + floor($us / 1000);
}


# the time of Redis has passed that of a lease that was just given
sub expire {
    my ($ms) = @_;

    my $end = redis_ms() + $ms + 1;
    KTP::Nginx::wait_for(sub { redis_ms() > $end }) or die "time stands\n";
}


# -- slices

quota();
gives('ok 10 0 10', 'as many as asked for', host => 'a', want => 10);
gives('ok 22 0 32', '90 left, two hosts: a quarter',
      host => 'b', want => 1000);
gives('ok 11 0 43', '68 left, three hosts: a sixth',
      host => 'c', want => 1000);
gives('ok 0 0 43', 'nothing is asked for', host => 'c', held => 11);
gives('ok 9 6 46', 'a has spent 6, holds 4: 57 left, a sixth is 9',
      host => 'a', want => 9, spent => 6, held => 4);
gives('ok 0 6 38', 'b gives 8 back', host => 'b', held => 14);

quota();
gives('ok 1 0 1', 'limit 3: 1.5', limit => 3, want => 10);
gives('ok 1 0 2', 'limit 3: 1 of 2', limit => 3, want => 10, held => 1);
gives('ok 1 0 3', 'limit 3: the last one', limit => 3, want => 10, held => 2);
gives('exhausted 0 0 3', 'limit 3: none', limit => 3, want => 1, held => 3);
gives('exhausted 0 0 3', 'none for another', host => 'b', limit => 3,
      want => 1);
gives('exhausted 0 3 0', 'all spent', limit => 3, want => 1, spent => 3);
gives('ok 0 3 0', 'all spent, and nothing asked for', limit => 3, spent => 3);
gives('ok 1 2 1', 'one was not billed', limit => 3, want => 1, spent => 2);

quota();
gives('exhausted 0 0 0', 'a limit of 0', limit => 0, want => 1);


# -- a lowered limit

quota();
gives('ok 50 0 50', 'half of 100', want => 60);
gives('exhausted 0 20 30', 'limit 40: what is held stays, none is added',
      limit => 40, want => 60, spent => 20, held => 30);
gives('exhausted 0 20 30', 'limit 10, less than what is spent',
      host => 'b', limit => 10, want => 1);
gives('ok 12 20 42', 'limit 100 again: 50 left, two hosts',
      host => 'b', want => 60);


# -- lost replies, repeats and late operations

quota();
my $first = gives('ok 10 0 10', 'an operation', seq => 7, want => 10);
gives('ok 22 0 32', 'another host', host => 'b', want => 22);

my $before = contents();
my $again = gives('ok 10 0 32', 'the same seq: the same grant',
                  seq => 7, want => 10);
is($again->[1], $first->[1], 'and the same period');
gives('ok 10 0 32', 'whatever else it says', seq => 7, want => 99, spent => 50,
      leaving => 1);
gives('stale 0 0 32', 'a lower seq', seq => 6, want => 10, spent => 50);
is(contents(), $before, 'they change nothing');

gives('ok 5 0 27', 'the reply was lost, a new seq: its grant comes back',
      seq => 8, want => 5);
gives('stale 0 0 27', 'the operation before it, late', seq => 7, want => 10);

quota();
gives('ok 1 0 1', 'the only unit', host => 'a', limit => 1, want => 1);
gives('exhausted 0 0 1', 'none left', host => 'b', seq => 3, limit => 1,
      want => 1);
gives('ok 0 0 0', 'it comes back', host => 'a', limit => 1);
gives('exhausted 0 0 0', 'a repeat still says that none was left',
      host => 'b', seq => 3, limit => 1, want => 1);
gives('ok 1 0 1', 'the next operation gets it', host => 'b', seq => 4,
      limit => 1, want => 1);


# -- expiry

quota();
gives('ok 50 0 50', 'a lease of 1 ms', host => 'a', want => 60, lease_ms => 1);
expire(1);
gives('ok 25 50 25', 'expired: shown as spent, and half of the 50 left, since
one host is there', host => 'b', want => 60);
my $late = gives('ok 6 30 41',
    'the host reports 30 spent and 10 held: 10 come back; a quarter of 35 left,
less than 8', host => 'a', want => 6, spent => 30, held => 10);
cmp_ok($late->[3], '>', $hour - 60_000, 'and it has a new lease');
cmp_ok($late->[3], '<=', $hour, 'of the time asked for');

quota();
gives('ok 50 0 50', 'a lease', seq => 1, want => 60, lease_ms => 1);
expire(1);
my $dead = gives('ok 50 50 0', 'repeated after it has expired', seq => 1,
                 want => 60, lease_ms => 1);
is($dead->[3], 0, 'no time is left of it');


# -- incarnations

quota();
gives('ok 50 0 50', 'a host', seq => 9, want => 60);
gives('ok 40 20 40', 'has spent 20', seq => 10, want => 40, spent => 20);
gives('ok 5 60 5', 'restarted without figures: 20 and 40 count as spent',
      incarnation => 'a2', seq => 1, want => 5, period => '');
gives('ok 5 63 7', 'its own 3 are added, its 2 are held',
      incarnation => 'a2', seq => 2, want => 5, spent => 3, held => 2);

$before = contents();
gives('stale 0 63 7', 'an operation of the former one, late', seq => 11,
      want => 40, spent => 21, held => 39);
gives('stale 0 63 7', 'it does not leave either', seq => 12, leaving => 1);
is(contents(), $before, 'they change nothing');

gives('ok 2 63 5', 'restarted with figures: 3 spent, 3 held, 4 come back',
      incarnation => 'a3', seq => 1, want => 2, spent => 3, held => 3);
gives('ok 0 68 0', 'restarted again without', incarnation => 'a4', seq => 1,
      period => '');
gives("stale 0 68 0", "$_ is over", incarnation => $_, seq => 99)
    for qw(a1 a2 a3);

for my $n (5 .. 200) {
    lease(incarnation => "a$n", seq => 1, period => '');
}
gives('stale 0 68 0', 'the last of many is over', incarnation => 'a199',
      seq => 9);
cmp_ok(length $redis->command('HGET', "$key:total", 'a'), '<', 600,
       'and there is an end to their names');

quota();
gives('ok 5 0 5', 'the first reply is lost', period => '', want => 5);
gives('ok 5 2 5', 'what was spent meanwhile counts once', period => '',
      want => 5, spent => 2) for 1, 2;


# -- leaving

quota();
gives('ok 50 0 50', 'a host', host => 'a', want => 50);
gives('ok 12 0 62', 'a second', host => 'b', want => 50);
my $gone = gives('ok 0 30 12', 'leaves: 20 come back, 30 stay',
                 host => 'a', seq => 1000, spent => 30, held => 20, want => 9,
                 leaving => 1);
is($gone->[3], 0, 'it has no lease');
gives('ok 0 30 12', 'repeated', host => 'a', seq => 1000, spent => 30,
      held => 20, want => 9, leaving => 1);
gives('stale 0 30 12', 'an operation before it, late', host => 'a',
      seq => 999, spent => 29, held => 21, want => 9);
gives('ok 29 30 41', 'one host is left: half of 58', host => 'b', held => 12,
      want => 50);
gives('ok 7 30 48', 'it starts again without figures: a quarter of 29',
      incarnation => 'a2', period => '', want => 50);

quota();
gives('ok 50 0 50', 'a host', want => 50);
gives('ok 0 30 0', 'leaves', spent => 30, held => 20, leaving => 1);
gives('ok 35 30 35', 'starts again with figures, which count once',
      incarnation => 'a2', seq => 1, spent => 30, want => 50);


# -- periods

sub day {
    my ($offset) = @_;

    return strftime('%Y-%m-%d', gmtime(redis_ms() / 1000 + $offset));
}

my $late_day = 86_399; # east: there it is tomorrow, unless it is 00:00:00
my ($today, $tomorrow) = (day(0), day($late_day));

isnt($tomorrow, $today, 'two days at a time');

quota('day');
my $now = redis_ms();
my $end = 86_400_000 - $now % 86_400_000;
my $day = gives('ok 50 0 50', 'a day', period => '', want => 60,
                lease_ms => 3 * 86_400_000);
is($day->[1], $today, 'has a date');
cmp_ok(abs($day->[6] - $end), '<', 30_000, 'and ends at midnight UTC');
is($day->[3], $day->[6], 'no lease lasts longer');

my ($ttl) = $redis->command('PTTL', "$key:$today");
cmp_ok(abs($ttl - $end - 7 * 86_400_000), '<', 30_000,
       'its record is kept for seven days');

$day = gives('ok 40 0 40', 'the next day: all is there again',
             period => $today, spent => 45, held => 5, want => 40,
             utc_offset_s => $late_day);
is($day->[1], $tomorrow, 'has the next date');
cmp_ok(abs($day->[6] - $end - 1000), '<', 30_000,
       'and ends at midnight of the offset');
gives('ok 1 50 1', 'the report was counted in its day, with the 5 held',
      host => 'b', period => '', want => 1);
gives('stale 0 0 40', 'a lower seq of that day', seq => 1, period => $today,
      spent => 60, utc_offset_s => $late_day);

# b is a day behind: it has not yet seen the change
gives('ok 1 0 41', 'b reports its day a day late', host => 'b',
      period => $today, spent => 1, want => 1, utc_offset_s => $late_day);
gives('ok 0 51 0', 'that day has 50 and 1, and nothing leased', host => 'c',
      period => '');

# the clock of Redis steps back, and forth again
$day = gives('ok 2 46 2', 'back: what a had spent today stays, 5 come back',
             spent => 10, held => 30, period => $tomorrow, want => 2);
is($day->[1], $today, 'it is today');
gives('ok 1 47 2', 'a spends 1', spent => 1, held => 1, want => 1,
      period => $today);
gives('ok 3 10 4', 'forth: the 10 of a stay, and b holds 1',
      period => $today, spent => 2, want => 3, utc_offset_s => $late_day);
gives('ok 0 48 0', 'and today has 2 more', host => 'c', period => $today);

gives('ok 0 48 0', 'a report of a day without a record is dropped',
      period => '2001-02-03', spent => 7, held => 3, host => 'd');
is($redis->command('EXISTS', "$key:2001-02-03"), 0, 'and makes none');

quota('month');
my $month = gives('ok 50 0 50', 'a month', period => '', want => 60);
is($month->[1], substr($today, 0, 7), 'has its name');
my ($y, $m) = $today =~ /^(\d+)-(\d+)/;
my $month_end = timegm(0, 0, 0, 1, $m % 12, $m == 12 ? $y + 1 : $y) * 1000;

cmp_ok(abs(redis_ms() + $month->[6] - $month_end), '<', 2_000,
       'it ends with its last day');
cmp_ok(abs($redis->command('PTTL', "$key:$month->[1]") - $month->[6]
           - 7 * 86_400_000), '<', 30_000, 'its record is kept seven days');

quota();
my $total = gives('ok 50 0 50', 'a total', period => '', want => 60);
is("@$total[1, 6]", 'total -1', 'has no end');
is($redis->command('PTTL', "$key:total"), -1, 'and its record does not expire');


# -- two hosts whose clocks disagree by five minutes, at midnight: one of them
#    believes that its day is over.  Only the clock of Redis counts.

quota('day');
gives('ok 25 0 25', 'the slow one', host => 'slow', period => '', want => 25,
      lease_ms => 600_000);
gives('ok 18 0 43', 'the fast one', host => 'fast', period => '', want => 99,
      lease_ms => 600_000);
$day = gives('ok 4 0 29',
    'the fast one reports for tomorrow: it holds nothing of today, its lease is
not shown as expired', host => 'fast', period => $tomorrow, spent => 2,
    held => 16, want => 4, lease_ms => 300_000);
is($day->[1], $today, 'it is told the day');
cmp_ok($day->[3], '<=', 300_000, 'and its lease, by the clock of Redis');
gives('ok 17 20 26', 'the slow one', host => 'slow', period => $today,
      spent => 20, held => 5, want => 99, lease_ms => 600_000);
is($redis->command('EXISTS', "$key:$tomorrow"), 0,
   'nothing was counted in tomorrow');


# -- numbers up to 2^53

my $max = 9007199254740992;

quota();
gives("ok 4503599627370496 0 4503599627370496", 'half of 2^53',
      limit => $max, want => $max);
gives("ok 1125899906842624 0 5629499534213120", 'an eighth',
      host => 'b', limit => $max, want => $max);
gives("exhausted 0 $max 1125899906842624", 'all spent', host => 'a',
      limit => $max, want => 1, spent => $max);
gives("exhausted 0 $max 0", 'and again by another: figures have an end',
      host => 'b', limit => $max, want => 1, spent => $max);

quota();
gives("ok 4503599627370495 0 4503599627370495", 'half of 2^53 - 1, rounded',
      limit => $max - 1, want => $max);
my $spent = $max - 3;
gives("ok 1 $spent 1", '2 left', limit => $max - 1, spent => $spent,
      want => 5);
gives("ok 1 $spent 2", '1 left', limit => $max - 1, spent => $spent,
      held => 1, want => 5);
gives("exhausted 0 $spent 2", 'none left', limit => $max - 1,
      spent => $spent, held => 2, want => 5);


# -- errors

quota();
lease(host => $_, want => 5) for 'a', 'b';
$before = contents();

sub error_is {
    my ($like, $name, @command) = @_;

    my $reply = $redis->command(@command);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(ref $reply eq 'KTP::Redis::Error' ? $reply->{text} : "no error: $reply",
       "ERR lease: $like", $name);
    is(contents(), $before, "$name: nothing changed");
}

for my $i (0 .. $#names) {
    my @all = arguments(host => 'a', want => 1);
    my $what = sprintf 'ARGV[%d] "%s"', $i + 1, $names[$i];

    error_is("$what is missing", "$names[$i] missing", 'EVALSHA', $sha, 1,
             $key, @all[0 .. $i - 1]);

    my @bad = $names[$i] eq 'host' ? ('', 'a b', "a\n", 'x' x 256)
        : $names[$i] eq 'incarnation' ? ('', 'a,b', 'a b', 'x' x 256)
        : $names[$i] eq 'period' ? ('2026-11-29', '2026-11', 'totals', ' ')
        : ('', 'x', '1.5', '1e3', '0x1', ' 1', '1 ', '01', '+1', 'nan',
           'inf', '9007199254740993', '99999999999999999999',
           $names[$i] eq 'utc_offset_s' ? ('86400', '-86400')
                                        : ('-1', '-0'),
           $names[$i] eq 'leaving' ? '2' : (),
           $names[$i] eq 'lease_ms' ? '0' : ());

    for my $bad (@bad) {
        local $all[$i] = $bad;
        error_is("$what is invalid", "$names[$i] '" . substr($bad, 0, 20) . "'",
                 'EVALSHA', $sha, 1, $key, @all);
    }
}

for my $bad ('ktp:{c}', 'ktp:{c}:week', 'ktp:c:day', 'ktp:{}:day', 'ktp:{c:day',
             'ktp:{}c}:day') {
    error_is('KEYS[1] is not PREFIX:{CLIENT}:KIND', "key $bad", 'EVALSHA',
             $sha, 1, $bad, arguments(host => 'a'));
}

error_is('KEYS[1] is not PREFIX:{CLIENT}:KIND', 'no key', 'EVALSHA', $sha, 0,
         arguments(host => 'a'));
error_is('KEYS[1] is not PREFIX:{CLIENT}:KIND', 'two keys', 'EVALSHA', $sha,
         2, $key, $key, arguments(host => 'a'));

for my $kind (['day', '2026-11', '2026-11-29x', '26-11-29', 'total'],
              ['month', '2026-11-29', '2026', 'total']) {
    my ($name, @bad) = @$kind;

    error_is('ARGV[8] "period" is invalid', "period $_ of a $name", 'EVALSHA',
             $sha, 1, "ktp:{c}:$name", arguments(host => 'a', period => $_))
        for @bad;
}

# records that are not ours
my $record = $key = 'ktp:{other}:total';
$redis->command('SET', "$record:total", 'text');
my $reply = $redis->command('EVALSHA', $sha, 1, $record,
                             arguments(host => 'a'));
like($reply->{text}, qr/^ERR lease: KEYS\[1\]: \Q$record\E:total: WRONGTYPE/,
     'a key of another type');
is($redis->command('GET', "$record:total"), 'text', 'and it is left alone');
$redis->command('DEL', "$record:total");

$redis->command('HSET', "$record:total", 'x', 'y');
$before = contents();
error_is("KEYS[1]: $record:total: damaged entry", 'an entry of another form',
         'EVALSHA', $sha, 1, $record, arguments(host => 'a'));
$redis->command('DEL', "$record:total");

# memory: both records would be written
quota('day');
gives('ok 1 0 1', 'a day', want => 1, period => '');
$before = contents();
$redis->command('CONFIG', 'SET', 'maxmemory', '1');
$reply = $redis->command('EVALSHA', $sha, 1, $key, arguments(host => 'a',
    period => $today, spent => 1, utc_offset_s => $late_day, want => 1));
$redis->command('CONFIG', 'SET', 'maxmemory', '0');
like($reply->{text}, qr/OOM/, 'no memory is an error');
is(contents(), $before, 'and nothing has changed');


# a user with the rights that docs/fleet.md names, and no others
my $user = $redis->client;
my ($rights) = KTP::Nginx::read_file('docs/fleet.md')
    =~ /^ +user ktp on >PASSWORD (.*)$/m;

$redis->command('ACL', 'SETUSER', 'ktp', 'on', '>secret',
                split ' ', $rights // '');
is($user->command('AUTH', 'ktp', 'secret'), 'OK', 'a user of its own');

quota('day');
$reply = $user->command('EVALSHA', $sha, 1, $key,
                        arguments(period => '', want => 1));
is(ref $reply eq 'ARRAY' ? $reply->[0] : $reply->{text}, 'ok',
   'has the rights that the script needs');
$reply = $user->command('EVAL', $script, 1, "other:{c}:day",
                        arguments(period => '', want => 1));
like(ref $reply eq 'ARRAY' ? "@$reply" : $reply->{text}, qr/NOPERM|permission/,
     'but none for other keys');


# -- names that a cluster keeps together

my $cluster = KTP::Redis->new('--cluster-enabled', 'yes',
                              '--cluster-require-full-coverage', 'no');

quota('day');

my $slot = $cluster->command('CLUSTER', 'KEYSLOT', $key);

is($cluster->command('CLUSTER', 'KEYSLOT', "$key:$today"), $slot,
   'the record of a period is in the slot of its key');
$cluster->command('CLUSTER', 'ADDSLOTS', $slot);
ok(KTP::Nginx::wait_for(sub {
    ref $cluster->command('EVAL', $script, 1, $key,
                          arguments(host => 'a', period => '')) eq 'ARRAY'
}), 'a node that has only this slot runs the script');
$cluster->stop;


# -- restarts: all that was answered is there again

my $plain = $redis;

$redis = KTP::Redis->new('--appendonly', 'yes', '--appendfsync', 'always');
$redis->command('SCRIPT', 'LOAD', $script);

quota('day');
gives('ok 50 0 50', 'before', seq => 1, period => '', want => 60);
$before = contents();

for my $signal ('KILL', 'TERM') {
    my $ttl = $redis->command('PTTL', "$key:$today");

    $redis->stop($signal);
    $redis->start;
    $redis->command('SCRIPT', 'LOAD', $script);
    is(contents(), $before, "restarted after $signal");
    gives('ok 50 0 50', 'a reply that was lost is repeated', seq => 1,
          period => '', want => 60);
    cmp_ok($ttl - $redis->command('PTTL', "$key:$today"), '<', 60_000,
           'and the record still expires');
}

gives('ok 12 0 62', 'the next host gets a quarter of 50', host => 'b',
      period => $today, want => 60);

# all is lost: reports bring the figures back
$redis->command('FLUSHALL');
$redis->command('SCRIPT', 'LOAD', $script);
gives('ok 0 40 10', 'a reports what it has spent and holds', period => $today,
      spent => 40, held => 10);
gives('ok 10 42 28', 'so does b: 40 left, a quarter is 10', host => 'b',
      period => $today, spent => 2, held => 8, want => 60);


# killed in the middle, again and again
agrees(1000, 90);


# -- three hosts at a time: one is killed, then Redis

quota();
my $limit = 100_000;
my $dir = KTP::Nginx::scratch_dir();
my @pids = map { host_process("h$_") } 1 .. 3;

# what a host has spent is the size of its file
sub spent { return -s "$dir/$_[0]" || 0 }

ok(KTP::Nginx::wait_for(sub { -e "$dir/h3.stops" }, 30), 'a host holds units');
kill 'KILL', $pids[2];
waitpid $pids[2], 0;
my ($held) = KTP::Nginx::read_file("$dir/h3.stops");
cmp_ok($held, '>', 0, "it is killed with $held of them");

ok(KTP::Nginx::wait_for(sub { -e "$dir/h1.stops" }, 30), 'another stops');
$redis->stop('KILL');
$redis->start;
KTP::Nginx::write_file("$dir/h1.goes", '');

waitpid $_, 0 for @pids[0, 1];
is(spent('h1') + spent('h2') + spent('h3'), $limit - $held,
   'all is spent but what the killed host held');

my $asked = 0;
$asked += KTP::Nginx::read_file("$dir/$_.asked") for qw(h1 h2);
cmp_ok($asked, '<', 0.02 * $limit, "by $asked operations that got units");

$redis->stop;
$redis = $plain;


# -- random operations against a model

agrees(6000);

done_testing();


# A host in a process of its own, that spends as fast as it can; its pid.  The
# third one stops when it has spent 10,000 and holds some, the first one at 20,000
# until it may go on.
sub host_process {
    my ($name) = @_;

    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';

    my ($turn, $asks, $fleet, $spent, $left, $period) = (0, 0, 0, 0, 0, '');
    my $stop = {h1 => 20_000, h3 => 10_000}->{$name} // 0;
    my $mine = bless {path => $redis->path}, 'KTP::Redis';

    open my $file, '>', "$dir/$name" or POSIX::_exit(1);

    while ($fleet < $limit) {
        my @op = ($key, $name, 'x', ++$turn, 0, $limit, 1000 - $left, 500,
                  $period, $spent, $left, 0);
        my $got;

        # repeated until there is an answer
        KTP::Nginx::wait_for(sub {
            $got = eval {
                $mine->{sock} || $mine->connect || die "not connected\n";
                $mine->command('EVAL', $script, 1, @op);
            };
            delete $mine->{sock} if $@;
            return ref $got eq 'ARRAY';
        }, 60) or POSIX::_exit(1);

        ($period, $fleet) = @$got[1, 4];
        $left += $got->[2];
        $asks++ if $got->[2];

        # none now: others may give back, or spend what they hold
        select undef, undef, undef, 0.005 unless $left;

        for (1 .. ($left + 1) / 2) {
            syswrite $file, '.' or POSIX::_exit(1);
            $spent++;
            $left--;
        }

        if ($stop && $spent >= $stop && $left) {
            KTP::Nginx::write_file("$dir/$name.new", $left);
            rename "$dir/$name.new", "$dir/$name.stops";
            KTP::Nginx::wait_for(sub { -e "$dir/$name.goes" }, 600);
            $stop = 0;
        }
    }

    KTP::Nginx::write_file("$dir/$name.asked", $asks);
    POSIX::_exit(0);
}


# As many random operations, with a restart of Redis after each so many.
sub agrees {
    my ($count, $restart) = @_;

    my $wrong = random_operations($count, $restart);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($wrong, '', "$count random operations agree with the model"
                   . ($restart ? ', while Redis is killed' : ''))
        or diag("KTP_SEED=$seed");
}


# The model of one quota: for each day and host what incarnations before have
# cost, what this one has spent, and what it has leased.  Hosts are beside it,
# with what they truly hold and have spent; messages are lost, repeated and
# late.  Returns the first difference.
sub random_operations {
    my ($count, $restart) = @_;

    my @hosts = map { { name => "h$_", born => 0 } } 1 .. 4;
    my (%days, %truly, @old, $limit, $n);
    my ($offset, $highest) = (0, 0);

    my $born = sub {
        my ($h) = @_;

        @$h{qw(inc seq period spent held)}
            = ($h->{name} . 'i' . ++$h->{born}, 0, '', 0, 0);
        delete $h->{waits};
    };

    my $again = sub {
        quota('day');
        $limit = $highest = 20 + int rand 200;
        (%days, %truly, @old) = ();
        $offset = 0;
        $born->($_) for @hosts;
    };

    for ($n = 0; $n < $count; $n++) {
        $again->() if $n % 300 == 0;

        if ($restart && $n % $restart == $restart - 1) {
            $redis->stop('KILL');
            $redis->start;
            $redis->command('SCRIPT', 'LOAD', $script);
        }

        my $h = $hosts[rand @hosts];
        my $dice = rand 100;

        # a host spends, is refunded, gives back, or dies
        if ($dice < 25) {
            my $use = int rand($h->{held} + 1);

            $h->{held} -= $use;
            $h->{spent} += $use;
            $truly{$h->{period}} += $use if $use;
            next;
        } elsif ($dice < 28 && $h->{spent}) {
            $h->{spent}--;
            $h->{held}++;
            $truly{$h->{period}}--;
            next;
        } elsif ($dice < 32) {
            $h->{held} -= int rand($h->{held} + 1);
            next;
        } elsif ($dice < 34) {
            $born->($h);
            next;
        } elsif ($dice < 35) {
            # starts with the figures of a file
            my %kept = map { $_ => $h->{$_} } qw(period spent held);

            $born->($h);
            @$h{keys %kept} = values %kept;
            next;
        } elsif ($dice < 37) {
            $limit = 20 + int rand 200;
            $highest = $limit if $limit > $highest;
            next;
        } elsif ($dice < 38) {
            $offset = $offset ? 0 : $late_day;
            next;
        }

        # an operation: a new one, the last one again, or a late one
        my $op;

        if ($dice < 45 && @old) {
            $op = $old[rand @old];
        } elsif ($dice < 55 && $h->{waits}) {
            $op = $h->{waits};
        } else {
            my $leaving = rand() < 0.04 ? 1 : 0;

            $op = {host => $h->{name}, incarnation => $h->{inc},
                   seq => ++$h->{seq}, utc_offset_s => $offset,
                   limit => $limit, want => int rand 30,
                   lease_ms => rand() < 0.03 ? 1 : $hour,
                   period => $h->{period}, spent => $h->{spent},
                   held => $h->{held}, leaving => $leaving};
            $h->{held} = 0 if $leaving;
            $h->{waits} = $op;
            push @old, $op;
            shift @old if @old > 40;
        }

        my %sent = (%$op, utc_offset_s => $offset);
        my $got = lease(%sent);
        my $want = predict(\%days, \%sent, $offset ? $tomorrow : $today);

        expire(1) if $sent{lease_ms} == 1;

        return "operation $n: got @$got[0, 1, 2, 4, 5], expected @$want"
            if "@$got[0, 1, 2, 4, 5]" ne "@$want";

        # the reply is lost, or late, or accepted
        my ($to) = grep { $_->{name} eq $sent{host} } @hosts;

        if ($to->{waits} && $to->{waits} == $op && rand() < 0.8) {
            delete $to->{waits};

            if ($to->{period} ne $got->[1]) {
                @$to{qw(spent held period)} = (0, 0, $got->[1]);
            }

            $to->{held} += $got->[2];
        }

        # what may yet be spent, with all replies that may yet be accepted
        for my $day ($today, $tomorrow) {
            my $sum = $truly{$day} // 0;

            $sum += $_->{held} for grep { $_->{period} eq $day } @hosts;

            return "operation $n: $day has $sum spent or held of $highest"
                if $sum > $highest;
        }
    }

    return '';
}


# What the script must answer: status, period, granted, and the fleet's figures.
sub predict {
    my ($days, $op, $day) = @_;

    my $of = sub { $days->{$_[0]}{$op->{host}} };

    for my $d ($day, grep { $_ ne '' && $_ ne $day } $op->{period}) {
        my $e = $of->($d) or next;
        my $answer = $e->{dead}{$op->{incarnation}} ? ['stale', 0]
            : $e->{inc} ne $op->{incarnation} || $op->{seq} > $e->{seq} ? next
            : $op->{seq} < $e->{seq} ? ['stale', 0]
            : $e->{answer};

        return [$answer->[0], $d, $answer->[1], figures($days->{$d})];
    }

    # figures of another day are those of an entry whose lease is over
    my $put = sub {
        my ($d, $spent, $held, $has) = @_;

        my $e = $days->{$d}{$op->{host}} //= {inc => $op->{incarnation},
            before => 0, spent => 0, leased => 0, dead => {}};

        if ($e->{inc} ne $op->{incarnation}) {
            $e->{before} += $e->{leased} unless $has;
            $e->{before} += $e->{spent} unless $has;
            $e->{dead}{ $e->{inc} } = 1;
        } elsif (!$has && $op->{period} ne '') {
            $e->{before} += $e->{spent};
        }

        %$e = (%$e, inc => $op->{incarnation}, seq => $op->{seq},
               spent => $spent, leased => $held, live => 0,
               answer => ['ok', 0]);
        return $e;
    };

    my $other = $op->{period} ne '' && $op->{period} ne $day;

    $put->($op->{period}, $op->{spent}, $op->{leaving} ? 0 : $op->{held}, 1)
        if $other && $days->{ $op->{period} };

    my $e = $put->($day, $other ? 0 : $op->{spent},
                   $other || $op->{leaving} ? 0 : $op->{held},
                   $op->{period} eq $day);

    if (!$op->{leaving}) {
        my ($spent, $leased) = figures($days->{$day});
        my $left = $op->{limit} - $spent - $leased;
        my $hosts = grep { $_ != $e && $_->{live} } values %{ $days->{$day} };
        my $grant = floor($left / (2 * ($hosts + 1)));

        $grant = $op->{want} if $grant > $op->{want};
        $grant = 1 if $grant < 1;
        $grant = 0 if $left < 1 || !$op->{want};

        $e->{leased} += $grant;
        $e->{answer} = [$op->{want} && !$grant ? 'exhausted' : 'ok', $grant];
        $e->{live} = 1;
    }

    my @figures = ($e->{answer}[0], $day, $e->{answer}[1],
                   figures($days->{$day}));

    $e->{live} = 0 if $op->{lease_ms} == 1;
    return \@figures;
}


# spent and leased of a day; a lease that has expired is spent
sub figures {
    my ($day) = @_;

    my ($spent, $leased) = (0, 0);

    for (values %$day) {
        $spent += $_->{before} + $_->{spent};
        $_->{live} ? ($leased += $_->{leased}) : ($spent += $_->{leased});
    }

    return ($spent, $leased);
}
