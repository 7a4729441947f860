# The scripts of flights that a fleet shares, flight.lua and forget.lua of
# src/gateway/fleet, on a redis-server: each rule of their heads.  t/fleet-flights.t has the hosts.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use KTP::Redis;
use Test::More;
use Time::HiRes qw(sleep);

my $redis = KTP::Redis->new;
my ($sha, $forget) = map {
    $redis->command('SCRIPT', 'LOAD',
                    KTP::Nginx::read_file("src/gateway/fleet/$_.lua"))
} qw(flight forget);
my $listener = $redis->client;
my ($number, $minute) = (0, 60_000);

# ids of flights on three hosts
my ($a, $b, $c) = map { $_ x 16 } qw(a b c);

like($_, qr/^[0-9a-f]{40}$/, 'a script is loaded') for $sha, $forget;

# a flight of its own for the next lines
sub flight { return sprintf 'ktp:{flight}:%064x', ++$number }

sub run {
    my ($keys, @args) = @_;

    my $reply = $redis->command('EVALSHA', $sha, scalar @$keys, @$keys, @args);

    return ref $reply eq 'ARRAY' ? join ' ', @$reply : "! $reply->{text}";
}

# waited and channel are empty unless given
sub claim {
    my ($keys, $token, %opt) = @_;

    my @names = ref $keys ? @$keys : $keys;

    return run([@names, @{ $opt{sets} || [] }], 'claim', scalar @names, $token,
               $opt{ms} || $minute, $opt{age} // $minute, $opt{keep} || $minute,
               $opt{waited} // '', $opt{channel} // '');
}

sub land {
    my ($key, $token, $how, $answer, %opt) = @_;

    return run([$key], 'land', $token, $how, $opt{keep} || $minute,
               $opt{linger} || $minute, $answer // '');
}

# the messages that have come: "channel text"
sub heard {
    my @messages;

    $redis->command('PUBLISH', 'w1', 'the last');

    while (1) {
        my (undef, $channel, $text) = @{ $listener->receive };

        return join ', ', sort @messages if $text eq 'the last';
        push @messages, "$channel $text";
    }
}

for my $channel (qw(w1 w2 forget)) {
    $listener->command('SUBSCRIBE', $channel);
}

# --- one host calls, others wait and are woken

my $key = flight();
my ($name) = $key =~ /([^:]*)$/;

is(claim($key, "$a-1"), "claimed $a-1 1 0 ", 'the first claims the flight');
is(claim($key, "$a-1"), "claimed $a-1 1 0 ", 'its claim is repeated');
is(claim($key, "$b-1", channel => 'w1'), "busy $a-1 1 0 ", 'others wait');
is(claim($key, "$b-1", channel => 'w1'), "busy $a-1 1 0 ", 'look again');
is(claim($key, "$c-1", channel => 'w2'), "busy $a-1 1 0 ", 'all of them');
is(claim($key, "$c-1"), "busy $a-1 1 0 ", 'also without a channel');
is(land($key, "$b-1", 'stored', 'x'), 'late  0 0 ', 'none of them can land it');
is(land($key, "$a-2", 'stored', 'x'), 'late  0 0 ',
   'nor can another call of the host');
is(land($key, "$a-1", 'stored', "an\0swer"), 'ok  1 0 ', 'the first one lands');
is(heard(), "w1 $name, w2 $name", 'each channel has one message');
like(claim($key, "$b-1"), qr/^stored $a-1 1 \d+ an\0swer$/, 'the answer is there');
is(land($key, "$a-1", 'stored', 'y'), 'late  0 0 ', 'it is landed once');
is(land($key, "$a-1", 'idle'), 'late  0 0 ', 'and not given up later');
like(claim($key, "$c-1"), qr/an\0swer$/, 'the answer is what it was');

# --- times

$key = flight();
claim($key, "$a-1", ms => 5000, keep => 100_000);
my $left = $redis->command('PTTL', $key);
ok($left > 1000 && $left <= 5000, 'a call has a deadline');
claim($key, "$b-1", keep => 200_000);
$left = $redis->command('PTTL', $key);
ok($left <= 5000, 'that a waiter does not extend');
land($key, "$a-1", 'stored', 'x', keep => 100_000);
$left = $redis->command('PTTL', $key);
ok($left > 150_000 && $left <= 200_000, 'an answer is kept as long as any needs it');

$key = flight();
claim($key, "$a-1", ms => 100);
is(claim($key, "$b-1"), "busy $a-1 1 0 ", 'before the deadline others wait');
ok(KTP::Nginx::wait_for(sub { claim($key, "$b-1") eq "claimed $b-1 1 0 " }),
   'after it another host calls');
is(land($key, "$a-1", 'stored', 'x'), 'late  0 0 ', 'a late end is refused');
is(land($key, "$b-1", 'stored', 'y'), 'ok  1 0 ', 'that of the other is not');

$key = flight();
is(land($key, "$a-1", 'stored', 'x'), 'late  0 0 ', 'nobody lands what is gone');
is($redis->command('EXISTS', $key), 0, 'and leaves nothing');

$key = flight();
claim($key, "$a-1");
land($key, "$a-1", 'stored', 'old');
sleep 0.02;
like(claim($key, "$b-1", age => 10_000), qr/^stored .* old$/, 'young enough');
is(claim($key, "$b-1", age => 10), "claimed $b-1 1 0 ",
   'an answer that is too old for a request is replaced');

# --- ends that are for those who wait only

$key = flight();
claim($key, "$a-1");
claim($key, "$b-1", channel => 'w1');
is(land($key, "$a-1", 'ended', 'error'), 'ok  1 0 ', 'an error');
like(heard(), qr/^w1 \S+$/, 'wakes');
is(claim($key, "$b-1", waited => "$a-1"), "ended $a-1 1 0 error",
   'is what a waiter gets');
is(claim($key, "$c-1", waited => "$a-1"), "ended $a-1 1 0 error", 'each of them');
is(claim($key, "$c-2", waited => "$b-1"), "claimed $c-2 1 0 ",
   'a later request makes a call');
is(claim($key, "$b-1", waited => "$a-1"), "busy $c-2 1 0 ",
   'which a late waiter joins');

$key = flight();
claim($key, "$a-1");
is(land($key, "$a-1", 'ended', '', linger => 5000), 'ok  1 0 ', 'unknown');
$left = $redis->command('PTTL', $key);
ok($left > 1000 && $left <= 5000, 'is kept for a moment');
is(claim($key, "$b-1", waited => "$a-1"), "ended $a-1 1 0 ", 'as such');

$key = flight();
claim($key, "$a-1");
land($key, "$a-1", 'full');
is(claim($key, "$b-1", waited => "$a-1"), "full $a-1 1 0 ", 'too large');
is(claim($key, "$b-1"), "claimed $b-1 1 0 ", 'is not found by others');

# --- calls that are made again

$key = flight();
claim($key, "$a-1");
is(land($key, "$a-1", 'idle'), 'ok  1 0 ', 'a host gives up');
is($redis->command('EXISTS', $key), 0, 'nobody waits, nothing is left');

claim($key, "$a-1");
claim($key, "$b-1", channel => 'w1');
claim($key, "$c-1", channel => 'w2');
is(land($key, "$a-1", 'idle'), 'ok  1 0 ', 'a host gives up');
is(scalar(split /, /, heard()), 2, 'all are woken');
is(claim($key, "$b-1", waited => "$a-1", channel => 'w1'), "claimed $b-1 1 0 ",
   'one of them calls');
is(claim($key, "$c-1", waited => "$a-1", channel => 'w2'), "busy $b-1 1 0 ",
   'the others wait again');
is(land($key, "$b-1", 'repeat', 'no'), 'ok  1 0 ', 'its call fails, as the second');
heard();
is(claim($key, "$c-1", waited => "$b-1"), "ended $b-1 1 0 no",
   'and is the end for all');

$key = flight();
claim($key, "$a-1");
claim($key, "$b-1", channel => 'w1');
land($key, "$a-1", 'repeat', 'no');
heard();
is(claim($key, "$b-1", waited => "$a-1"), "claimed $b-1 1 0 ",
   'the first that fails is made again');

# --- a host knows of its own calls

$key = flight();
claim($key, "$a-1");
claim($key, "$b-1", channel => 'w1');
is(claim($key, "$a-2"), "claimed $a-2 1 0 ", 'a second call takes the flight');
is(land($key, "$a-1", 'idle'), 'late  0 0 ', 'from the first');
is(land($key, "$a-2", 'stored', 'x'), 'ok  1 0 ', 'and lands');
like(heard(), qr/^w1 /, 'for those who have waited before');

# --- two keys of the fleet: (A), (A B), (B A), (B), neighbours at a time

for my $flights ([[0], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [1]]) {
    for my $order ([0, 1], [1, 0]) {
        my @names = (flight(), flight());
        my ($first, $second) = map { [@names[@$_]] } @$flights[@$order];
        my $what = '(' . join(' ', map { join '', map { qw(A B)[$_] } @$_ }
                                   @$flights[@$order]) . ')';

        is(claim($first, "$a-1"), "claimed $a-1 1 0 ", "$what: one claims");
        like(claim($second, "$b-1"), qr/^busy $a-1 [12] 0 $/,
             "$what: the other waits");
        is(land($first->[0], "$a-1", 'stored', 'x'), 'ok  1 0 ', "$what: lands");
        like(claim($second, "$b-1"), qr/^stored $a-1 [12] \d+ x$/,
             "$what: has the answer");
    }
}

my @two = (flight(), flight());
claim($two[1], "$a-1");
land($two[1], "$a-1", 'stored', 'x');
like(claim(\@two, "$b-1"), qr/^stored $a-1 2 \d+ x$/, 'the key that was found');
sleep 0.02;
claim(\@two, "$b-1", age => 10);
is($redis->command('EXISTS', $two[1]), 0, 'one flight has one name');

# --- forgotten

my @sets = ('ktp:{flight}:image:1', 'ktp:{flight}:hmac:1');
my @keys = map { flight() } 1 .. 4;

claim($_, "$a-1", sets => \@sets, channel => '') for @keys[0 .. 2];
claim($keys[3], "$a-1", sets => ['ktp:{flight}:image:2']);
land($_, "$a-1", 'stored', 'x') for @keys[0, 1, 3];
$left = $redis->command('PTTL', $sets[0]);
ok($left > $minute && $left <= 2 * $minute, 'sets live as long as their flights');
claim($keys[2], "$b-1", sets => \@sets, keep => 10 * $minute);
ok($redis->command('PTTL', $sets[1]) > 5 * $minute, 'also if that is longer');
is($redis->command('EVALSHA', $forget, 2, @sets, 'forget', 'which'), 2,
   'two answers are erased');
is(heard(), 'forget which', 'hosts are told');
is(claim($keys[0], "$b-1"), "claimed $b-1 1 0 ", 'an answer is gone');
is(land($keys[2], "$a-1", 'stored', 'x'), 'ok  1 0 ', 'a call lands');
is(claim($keys[2], "$b-1", waited => "$a-1"), "ended $a-1 1 0 x",
   'for those who wait');
is(claim($keys[2], "$b-1"), "claimed $b-1 1 0 ", 'but is not stored');
like(claim($keys[3], "$b-1"), qr/^stored/, 'other images are not touched');
is($redis->command('EVALSHA', $forget, 1, $sets[0], 'forget', 'which'), 0,
   'once');
heard();

# --- memory

$key = flight();
claim($key, "$a-1");
claim($key, "$b-1", channel => 'w1');
$redis->command('CONFIG', 'SET', 'maxmemory', 1);
like(claim(flight(), "$a-1"), qr/^! OOM /, 'without memory, no claim');
like(land($key, "$a-1", 'stored', 'x' x 1000), qr/^! OOM /, 'no answer is stored');
like(heard(), qr/^w1 /, 'but those who wait are woken');
is($redis->command('EXISTS', $key), 0, 'nothing is left');
$redis->command('CONFIG', 'SET', 'maxmemory', 0);

# --- what is not understood

for (['x'], ['claim', 'x'], ['claim', 1, "$a-1", -1, 0, 0, '', ''],
     ['claim', 1, "$a-1", '1e3', 0, 0, '', ''], ['land', "$a-1", 'stored']) {
    $key = flight();
    like(run([$key], @$_), qr/^! /, "an error: @$_");
    is($redis->command('EXISTS', $key), 0, 'that changes nothing');
}

$key = flight();
$redis->command('SET', $key, 'x');
like(claim($key, "$a-1"), qr/^! WRONGTYPE/, 'a key of another type is an error');

done_testing();
