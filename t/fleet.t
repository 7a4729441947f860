# Quotas of a fleet: hosts with zones of their own, here two nginx, spend one
# budget in a redis-server; over outages of either, exactly.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Load;
use KTP::Nginx;
use KTP::Redis;
use Test::More;
use Time::HiRes qw(time);

$SIG{PIPE} = 'IGNORE';

my $jpeg = jpeg(720, 480);
my $hash = sha256_hex('key');
my $dead = KTP::Nginx::free_port();

# what is written before a reply outlives the process; a disk that is busy for
# longer than the timeout would have "local=" spend more
my $redis = KTP::Redis->new(qw(--appendonly yes --appendfsync no));
my $address = 'unix:' . $redis->path;
my ($url, $whole) = KTP::Load::upstream(2);

my %quota = (
    load    => '2000/day offset=+07:00 fleet',
    outage  => '2000/total fleet',
    killed  => '1000/month fleet',
    away    => '100/day fleet',
    local   => '100/day fleet local=5%',
    ended   => '100/day fleet',
    idle    => '100/total fleet',
    hung    => '100/day fleet',
    fresh   => '100/day fleet local=5%',
    dead    => '5/total fleet',
    leaving => '50/total fleet',
    stream  => '3/total fleet',
    flushed => '20/total fleet',
    one     => '1/day fleet; quota 5/total',
    reader  => '10/total fleet',
    renamed => '100/total fleet',
);

KTP::Nginx::same_day(120, 0, 7);

sub config {
    my ($nginx, $host, %opt) = @_;

    my $clients = join "\n", map {
        "    ktp_client $_ { key_sha256 $hash; quota $quota{$_}; }"
    } sort keys %quota;

    return $nginx->config(
        log_level => 'info', master => 'on', workers => 2, root => 0,
        main => KTP::load_module(), http => <<EOC, server => <<EOS);
    ktp_zone k:1m;
    ktp_redis $address host=$host timeout=5s;
    ktp_auth on;
    keepalive_requests 100000;
$clients
EOC
        location = /ok { ktp_pass $url/x; }
        location = /stream { ktp_pass $url/x; ktp_request_buffering off; }
        location = /dead { ktp_pass http://127.0.0.1:$dead/x; ktp_retries 0; }
        location = /status { ktp_auth off; ktp_status; }
EOS
}

sub start {
    my ($host, @how) = @_;

    my $nginx = KTP::Nginx->new(@how);

    $nginx->start(config($nginx, $host)) or BAIL_OUT($nginx->complaint);
    $nginx->wait_log(qr/connected to redis/) or BAIL_OUT('no redis');

    return $nginx;
}

sub request {
    my ($client, $uri) = @_;

    return "POST $uri HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
         . "App-ID: $client\r\nAPI-Key: key\r\nContent-Length: "
         . length($jpeg) . "\r\n\r\n$jpeg";
}

my $file = KTP::Nginx::scratch_dir() . '/image';
KTP::Nginx::write_file($file, $jpeg);

sub post {
    my ($nginx, $client, $uri) = @_;

    return KTP::Nginx::curl(
        'http://127.0.0.1:' . $nginx->port . ($uri || '/ok'),
        '-H', "App-ID: $client", '-H', 'API-Key: key',
        '-H', 'Content-Type: image/jpeg', '--data-binary', "\@$file");
}

sub metric {
    my ($nginx, $name) = @_;

    my $page = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/status');

    return ($page->{body} =~ /^\Q$name\E (\S+)$/m)[0];
}

# The same load on each nginx at once: the sums of their statuses.
sub load {
    my ($client, $times, $between, @nginx) = @_;

    my $first = shift @nginx;
    my $request = request($client, '/ok');
    my $others = KTP::Load::apart($times, $request, map { $_->port } @nginx);
    my $got = KTP::Load::clients($first->port, 4, $times, $request, $between);
    my $sum = $others->();

    $sum->{$_} += $got->{$_} for keys %$got;

    return $sum;
}

# Calls on each host in turn until all say that the quota is exhausted: how many
# were answered.
sub exhaust {
    my ($client, @nginx) = @_;

    my $answered = 0;
    my %exhausted;

    KTP::Nginx::wait_for(sub {
        for my $nginx (@nginx) {
            my $got = KTP::Load::post($nginx->port, 20,
                                      request($client, '/ok'));

            $answered += $got->{200} || 0;
            $exhausted{$nginx} = ($got->{403} || 0) == 20;
        }

        return @nginx == grep { $exhausted{$_} } @nginx;
    }) or diag("$client is not exhausted");

    return $answered;
}

my $a = start('a');
my $b = start('b');

# -- two hosts, four workers, eight clients

{
    my $before = $whole->();
    my $start = time;
    my $got = load('load', 300, undef, $a, $b);
    my $commands = $redis->scripts;

    diag(sprintf '2400 requests in %.1f s, %d commands', time - $start,
                 $commands);
    cmp_ok($got->{200}, '<=', 2000, 'not one call over the quota');
    cmp_ok($got->{200}, '>=', 1900, 'and few less while hosts hold some');
    is($got->{200} + $got->{403}, 2400, 'the others are told so')
        or diag(explain($got));
    cmp_ok($commands / 2400, '<', 0.05, 'commands of Redis per request');

    is($got->{200} + exhaust('load', $a, $b), 2000, 'the quota exactly');
    is($whole->() - $before, 2000, 'at the upstream as well');

    my $labels = '{client="load",period="day"}';
    is(metric($a, "ktp_client_quota_limit_calls$labels"), 2000, 'the limit');
    ok(KTP::Nginx::wait_for(sub {
           post($_, 'load') for $a, $b;
           metric($a, "ktp_client_quota_used_calls$labels") == 2000;
       }), 'used, by the fleet');
    is(metric($a, "ktp_client_quota_left_calls$labels"), 0, 'left');
    is(metric($a, 'ktp_fleet_up'), 1, 'the fleet is up');

    my $answer = post($b, 'load');
    like($answer->{body}, qr/"error_code":"INSUFFICIENT_QUOTA"/, 'the error');
    like($answer->{head}, qr/^Retry-After: \d+\r$/m, 'and until when');
}

# -- redis-server is killed meanwhile

{
    my $before = $whole->();
    my $got = load('outage', 300, sub {
        KTP::Nginx::wait_for(sub { $whole->() - $before > 200 });
        $redis->stop('KILL');
        KTP::Nginx::wait_for(sub { metric($a, 'ktp_fleet_up') == 0 });
        $redis->start;
    }, $a, $b);

    is(join(' ', grep { !/^(?:200|403|503)$/ } sort keys %$got), '',
       'an outage: answered, exhausted, or no lease')
        or diag(explain($got));
    ok(KTP::Nginx::wait_for(sub { metric($a, 'ktp_fleet_up') == 1
                                  && metric($b, 'ktp_fleet_up') == 1 }),
       'the fleet is up again');
    is($got->{200} + exhaust('outage', $a, $b) + 0, 2000,
       'the quota exactly, over the outage')
        or diag(explain($got));
    is($whole->() - $before, 2000, 'at the upstream as well');
}

# -- a host is killed under load, and starts again with an empty zone

{
    my $before = $whole->();
    my $got = load('killed', 150, sub {
        KTP::Nginx::wait_for(sub { $whole->() - $before > 100 });
        kill 'KILL', $a->pid, $a->workers;
        $a->stop;
        $a = start('a', hold => 1);
    }, $a, $b);
    my $answered = $got->{200} + exhaust('killed', $a, $b);
    my $calls = $whole->() - $before;

    diag("$calls calls, $answered answers");
    cmp_ok($calls, '<=', 1000, 'not one call more');
    cmp_ok($calls, '>=', 900, 'and a lease less at most');
    cmp_ok($answered, '<=', $calls, 'each answer is a call');
}

# -- Redis is away

{
    is(post($a, 'away')->{status}, 200, 'a lease of a tenth');
    is(metric($a, 'ktp_client_lease_held_calls{client="away",period="day"}'), 9,
       'of which one is spent');
    is(post($a, 'local')->{status}, 200, 'another');

    # leases outlive a reload, whose new workers begin when the old ones have ended
    my %old = map { $_ => 1 } $a->workers;
    my $offset = -s $a->{log};
    $a->hold(1);
    $a->signal('HUP');
    ok(KTP::Nginx::wait_for(sub {
           my @now = $a->workers;
           @now == 2 && !grep { $old{$_} } @now;
       }), 'a reload');
    $a->hold(0);
    KTP::Nginx::wait_for(sub {
        (() = $a->log_from($offset) =~ /connected to redis/g) == 2;
    });

    $offset = -s $a->{log};
    my $offset_b = -s $b->{log};
    $redis->stop;
    KTP::Nginx::wait_for(sub { metric($a, 'ktp_fleet_up') == 0 });

    my @got = map { post($a, 'away') } 1 .. 12;
    is(join(' ', map { $_->{status} } @got), join(' ', (200) x 9, (503) x 3),
       'the lease is spent');
    like($got[-1]{body},
         qr/"error_code":"SERVICE_UNAVAILABLE","reason":"no_lease"/, 'then 503');
    like($got[-1]{head}, qr/^Retry-After: \d+\r$/m, 'with a time');

    # which a quota may allow for
    my @local = map { post($a, 'local') } 1 .. 20;
    is(join(' ', map { $_->{status} } @local),
       join(' ', (200) x 14, (503) x 6), 'and a share of the quota, by "local="');
    is(join(' ', map { post($b, 'fresh')->{status} } 1 .. 7),
       join(' ', (200) x 5, (503) x 2), 'also on a host that had no lease');
    is(() = $a->log_from($offset)
            =~ /\[error\] .*fleet is not reachable, leases of quotas are spent/g,
       1, 'one line of the host');

    $redis->start;
    ok($a->wait_log(qr/\[notice\] .*fleet is reachable, quotas are leased/,
                    $offset), 'it is back');
    ok(KTP::Nginx::wait_for(sub { post($a, 'away')->{status} == 200 }),
       'and leases again');

    # a worker that is not connected yet spends the share of an outage again
    for ([$a, $offset], [$b, $offset_b]) {
        my ($nginx, $from) = @$_;

        ok(KTP::Nginx::wait_for(sub {
               (() = $nginx->log_from($from) =~ /connected to redis/g) == 2;
           }), 'each worker is connected');
    }

    is(exhaust('local', $a, $b), 85, 'what was spent meanwhile is counted');
    is(exhaust('fresh', $a, $b), 95, 'on both hosts');
}

# -- Redis hangs

{
    kill 'STOP', $redis->pid;
    my $answer = post($a, 'hung');
    is($answer->{status}, 503, 'no answer: the request does not wait forever');
    like($answer->{body}, qr/"reason":"no_lease"/, 'and is told why');
    kill 'CONT', $redis->pid;
    ok(KTP::Nginx::wait_for(sub { post($a, 'hung')->{status} == 200 }),
       'until there is one');
}

# -- a call that is not billed

{
    is(join(' ', map { post($a, 'dead', '/dead')->{status} } 1 .. 10),
       join(' ', (502) x 10), 'calls without an upstream');
    is(exhaust('dead', $a), 5, 'cost nothing');
}

# -- streamed, without a lease at first

is(join(' ', map { post($a, 'stream', '/stream')->{status} } 1 .. 5),
   '200 200 200 403 403', 'streamed uploads');

# -- Redis has forgotten the script

$redis->command('SCRIPT', 'FLUSH');
is(exhaust('flushed', $a, $b), 20, 'the script is sent again');

# -- a quota of the fleet and one of the host

is(join(' ', map { post($a, 'one')->{status} } 1 .. 2), '200 403',
   'one for the fleet');
is(post($b, 'one')->{status}, 403, 'on all hosts');

# -- a server that may not write

{
    my $offset = -s $a->{log};

    $redis->command('REPLICAOF', '127.0.0.1', $dead);
    is(post($a, 'reader')->{status}, 503, 'a replica');
    like($a->log_from($offset),
         qr/\[error\] .*redis "\Q$address\E": error "READONLY" in reply to lease/,
         'is logged');
    $redis->command('REPLICAOF', 'NO', 'ONE');
    ok(KTP::Nginx::wait_for(sub { post($a, 'reader')->{status} == 200 }),
       'until it may');
}

# -- a host that is idle reports, and then gives back

{
    my $c = start('c', late => 1);
    my $entry = sub {
        my ($used, $leased) = ($redis->command('HGET', 'ktp:{idle}:total:total',
                                               'c') // '') =~ /^\d+ (\d+) (\d+) /;
        return "$used $leased";
    };

    is(post($c, 'idle')->{status}, 200, 'a lease of ten');
    is($entry->(), '0 10', 'as Redis has it');
    $c->pass(21_000);
    ok(KTP::Nginx::wait_for(sub { $entry->() eq '1 10' }), 'a report')
        or diag($entry->());
    $c->pass(21_000);
    ok(KTP::Nginx::wait_for(sub { $entry->() eq '1 0' }), 'all is given back')
        or diag($entry->());
    is(post($c, 'idle')->{status}, 200, 'and leased again');

    # a lease is not spent after its period, whatever Redis does
    is(post($c, 'ended')->{status}, 200, 'a lease of a day');
    $redis->stop;
    is(post($c, 'ended')->{status}, 200, 'which is spent without Redis');
    $c->pass(86_400_000);
    is(post($c, 'ended')->{status}, 503, 'until the day has ended');
    $redis->start;

    for my $nginx ($a, $b, $c) {
        KTP::Nginx::wait_for(sub { metric($nginx, 'ktp_fleet_up') == 1 });
    }

    ok(KTP::Nginx::wait_for(sub { post($c, 'ended')->{status} == 200 }),
       'then it is leased anew');
    $c->stop;
}

# -- a host that stops gives back

{
    is(post($a, 'leaving')->{status}, 200, 'a lease of five');
    $a->stop('QUIT');
    is(exhaust('leaving', $b), 49, 'the other host spends what was left');
    unlike($a->log_from(0), qr/\[(?:alert|crit|emerg)\]/, 'no other line');
}

# -- a name that two hosts have

{
    $a = start('b');
    is(post($b, 'renamed')->{status}, 200, 'a lease');
    is(post($a, 'renamed')->{status}, 200, 'of another, by the same name');

    my $offset = -s $b->{log};
    ok(KTP::Nginx::wait_for(sub {
           post($b, 'renamed');
           $b->log_from($offset) =~ /\[warn\] .*lease of client "renamed" /;
       }), 'is told');
}

$_->stop for $a, $b;

# -- a zone without room

{
    my $nginx = KTP::Nginx->new;
    my $clients = join ' ', map { "ktp_client c$_ { quota 5/day fleet; }" }
                            1 .. 40;

    ok(!$nginx->start($nginx->config(
        main => KTP::load_module(),
        http => "ktp_zone k:32k; ktp_redis $address; $clients")),
       'a zone that is too small');
    like($nginx->complaint,
         qr/ktp_zone "k" is too small for quotas and rates of the fleet/, 'is told');
}

done_testing();
