# Quotas of a fleet over faults of its hosts, which are network namespaces: one
# is killed and started again, Redis is killed and started again, and the cable
# of one is cut for a while, all under load.
#
# KTP_FLEET_REQUESTS=100000 makes that many requests in place of 3000, and cuts
# the cable for 20 seconds in place of 2.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use KTP ();
use KTP::Hosts;
use KTP::Image;
use KTP::Load;
use KTP::Nginx;
use KTP::Redis;
use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO);
use Test::More;
use Time::HiRes qw(sleep time);

KTP::Hosts::alone();

$SIG{PIPE} = 'IGNORE';

my $requests = $ENV{KTP_FLEET_REQUESTS} || 3000;
my $away = $requests > 10_000 ? 20 : 2;
my $clients = 4;

# half of the requests are for either quota; four in five find a unit
my $quota = int($requests * 2 / 5);
my %period = (total => 'total', day => 'day');

# what a request may take: the time of Redis, that of a call and its retry, and
# what a busy machine adds
my $limit = 2 * $KTP::Nginx::Patience + 12 * $KTP::Nginx::Slow;

my $jpeg = jpeg(720, 480);
my $hash = sha256_hex('key');
my $done = KTP::Nginx::scratch_dir() . '/done';
my $port = KTP::Nginx::free_port();
my $redis_port = KTP::Nginx::free_port();

KTP::Nginx::same_day(60 + $requests / 500, 7);
KTP::Hosts::own('10.20.0.1', '10.20.1.1');

my $redis = KTP::Redis->new('--port', $redis_port, '--bind', '10.20.0.1',
                            '--protected-mode', 'no', '--appendonly', 'yes',
                            '--appendfsync', 'no');
my ($url, $called) = KTP::Load::upstream(2, '10.20.0.1');

# the last letter of the path is that of the life of a host, large for the day
my %host = map { $_->[0] => host(@$_) } ['a', 11], ['b', 12], ['c', 13];

start($_, $_) for qw(a b c);


# -- load and faults

my $begun = time();
my $commands = 0;

KTP::Nginx::write_file("$done.not", '');

my @load = map { load($_) } (sort keys %host) x $clients;

reached(0.15);
kill 'KILL', $host{a}{nginx}->pid, $host{a}{nginx}->workers;
$host{a}{nginx}->wait_end;

my %dead = map { $_ => (entries($_))->{a} } keys %period;

# started again under its name, at first without clients
reached(0.25);
$host{a}{host}->cut('eth1');
start('a', 'd');

my %kept = map { $_ => counter('a', $_) } keys %period;

$host{a}{host}->join('eth1');

reached(0.4);
$commands += $redis->scripts;
$redis->stop('KILL');
ok(KTP::Nginx::wait_for(sub { metric('b', 'ktp_fleet_up') == 0 }),
   'Redis is killed');
$redis->start;

reached(0.5);
$host{c}{host}->cut('eth0');
unlink "$done.not";
sleep $away / 2;

my @cut = $called->('c');

sleep $away / 2;
push @cut, $called->('c');
is($cut[1], $cut[0], 'a host is cut off');
$host{c}{host}->join('eth0');

my (%got, %slowest);
gather($_) for @load;

my $took = time() - $begun;
my $whole = 0;

$whole += $got{$_} for grep { !/ (?:lost|no_lease)$/ } keys %got;
$commands += $redis->scripts;


# -- what came of it

is(join(' ', grep { !/^(?:200|403|lost|no_lease|5\d\d \w+)$/ }
             map { s/^\S+ \S+ //r } sort keys %got), '',
   'each request has an end that is known')
    or diag(explain(\%got));
cmp_ok((sort { $b <=> $a } values %slowest)[0], '<', $limit,
       '... and comes to it in time');

cmp_ok($slowest{c}, '>', 0.4, '... when the host is there again');

# until the last unit that a host holds is spent
ok(KTP::Nginx::wait_for(\&exhausted, 20), 'all hosts are exhausted in the end');

for my $kind (sort keys %period) {
    my %calls = map { $_ => $called->($kind eq 'day' ? uc : $_) } qw(a b c d);
    my $calls = 0;
    my ($entries, $used, $leased) = (entries($kind), 0, 0);

    $calls += $_ for values %calls;
    $used += $_->{used}, $leased += $_->{leased} for values %$entries;

    cmp_ok($calls, '<=', $quota, "$kind: not one call over the quota");

    # units of the host that was killed, in its lease or on their way
    my $lost = $dead{$kind}{used} + $dead{$kind}{leased} - $calls{a};

    cmp_ok($lost, '>=', 0, "$kind: the host that was killed has not overspent");
    cmp_ok($lost, '<=', $dead{$kind}{leased}, "$kind: ... and lost its lease");

    # as the state file had it, within a second and but for calls on their way
    cmp_ok($kept{$kind}, '<=', $calls{a} + $clients,
           "$kind: ... has counted no other calls");

    my %spent = (a => counter('a', $kind) - $kept{$kind},
                 map { $_ => counter($_, $kind) } qw(b c));
    my %unknown = (a => $spent{a} - $calls{d}, b => $spent{b} - $calls{b},
                   c => $spent{c} - $calls{c});

    is($unknown{a}, 0, "$kind: the host that came back has counted its calls");
    is($unknown{b}, 0, "$kind: the host without a fault has counted its calls");

    # a call that is on its way when the cable is cut may arrive or not
    cmp_ok($unknown{c}, '>=', 0, "$kind: the host that was cut off counts all");
    cmp_ok($unknown{c}, '<=', metric('c', 'ktp_upstream_unclear_total'),
           "$kind: ... and those that may be billed");

    is($calls + $lost + $unknown{c}, $quota, "$kind: no other unit is lost");
    is("$used $leased", "$quota 0", "$kind: Redis knows of all");

    for my $name (sort keys %host) {
        is(known($name, $kind), $quota, "$kind: ... and host $name");
    }

    diag(sprintf '%s: quota %d, calls %d, of the killed host %d, leased %d,'
                 . ' lost %d, counter lost %d, unclear %d', $kind, $quota,
                 $calls, $calls{a}, $dead{$kind}{leased}, $lost,
                 $calls{a} - $kept{$kind}, $unknown{c});
}

cmp_ok($commands / $whole, '<', 0.05 * $KTP::Nginx::Slow,
       'commands of Redis per request');

diag(sprintf '%d requests in %.1f s, %d commands, %.4f a request, slowest'
             . ' %s', $whole, $took, $commands, $commands / $whole,
             join ', ', map { sprintf '%s %.2f s', $_, $slowest{$_} }
                        sort keys %slowest);
diag(join ', ', map { "$_: $got{$_}" } sort keys %got);

unlike(join('', map { $_->{nginx}->log_from(0) } values %host),
       qr/\[(?:alert|crit|emerg)\](?!.* exited on signal 9)/, 'no other fault');

$_->{nginx}->stop for values %host;

done_testing();


# -- hosts

# Clients come to eth1; Redis and the upstream are at eth0.
sub host {
    my ($name, $n) = @_;

    my $host = KTP::Hosts->new($name);

    $host->cable('eth0', "10.20.0.$n", '10.20.0.1');
    $host->cable('eth1', "10.20.1.$n", '10.20.1.1');

    return { host => $host, address => "10.20.1.$n",
             nginx => KTP::Nginx->new(enter => $host->enter) };
}


sub start {
    my ($name, $life) = @_;

    my $nginx = $host{$name}{nginx};
    my $state = $nginx->prefix . '/state';
    my $offset = -s $nginx->{log} || 0;
    my $slow = $KTP::Nginx::Slow;
    my $day = uc $life;

    $nginx->start($nginx->config(
        port => $port, log_level => 'info', master => 'on', workers => 2,
        root => 0, main => KTP::load_module(), http => <<EOC,
    ktp_zone k:1m state=$state;
    ktp_redis 10.20.0.1:$redis_port host=$name timeout=1s;
    ktp_auth on;
    keepalive_requests 1000000;
    ktp_connect_timeout ${\ (2 * $slow)}s;
    ktp_timeout ${\ (5 * $slow)}s;
    ktp_client total { key_sha256 $hash; quota $quota/total fleet; }
    ktp_client day   { key_sha256 $hash; quota $quota/day offset=+07:00 fleet; }
EOC
        server => <<EOS)) or BAIL_OUT($nginx->complaint);
        listen $host{$name}{address}:$port;
        location = /total  { ktp_pass $url/$life; }
        location = /day    { ktp_pass $url/$day; }
        location = /status { ktp_auth off; ktp_status; }
EOS

    $nginx->wait_log(qr/connected to redis/, $offset) or BAIL_OUT('no redis');
}


sub metric {
    my ($name, $what) = @_;

    my $page = `@{ $host{$name}{host}->enter } curl -sS http://127.0.0.1:$port/status`;
    my $sum;

    # of all labels, if none are given
    $sum += $_ for $page =~ /^\Q$what\E(?:\{.*\})? (\S+)$/mg;

    return $sum;
}


# What a host itself has counted, which it does not show before the first call.
sub counter {
    my ($name, $kind) = @_;

    return metric($name, qq(ktp_client_calls{client="$kind",)
                         . qq(period="$period{$kind}"})) // 0;
}


# What it knows of the fleet.
sub known {
    my ($name, $kind) = @_;

    return metric($name, qq(ktp_client_quota_used_calls{client="$kind",)
                         . qq(period="$period{$kind}"}));
}


# -- Redis

# The record of a quota: used and leased units by hosts.
sub entries {
    my ($kind) = @_;

    my ($key) = @{ $redis->command('KEYS', "ktp:{$kind}:$period{$kind}:*") };
    my %entries = @{ $redis->command('HGETALL', $key) };

    for (values %entries) {
        my (undef, $used, $leased) = split / /;
        $_ = { used => $used, leased => $leased };
    }

    return \%entries;
}



# -- clients

# A client of a host, which goes on with its next request when the last one was
# answered, exhausted, or has failed at the upstream; otherwise it tries again.
# It ends when all clients together have done what there is to do; the last part
# of it waits for the last fault.
sub load {
    my ($name) = @_;

    pipe my $out, my $in or die "pipe: $!\n";

    defined(my $pid = fork) or die "fork: $!\n";

    if ($pid) {
        close $in;
        return { host => $name, pid => $pid, out => $out };
    }

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    close $out;

    open my $tally, '>>', $done or die "$done: $!\n";

    my ($sock, %count);
    my ($slowest, $kind) = (0, 'total');

    while (-s $tally < $requests) {
        if (-s $tally > 0.6 * $requests && -e "$done.not") {
            sleep(0.005);
            next;
        }

        my $since = time();
        my $what = request($name, $kind, \$sock);
        my $took = time() - $since;

        $slowest = $took if $took > $slowest;
        $count{"$name $kind $what"}++;

        # as a client heeds Retry-After
        if ($what =~ /^(?:lost|no_lease)$/) {
            sleep(0.05);
            next;
        }

        syswrite $tally, '.';
        $kind = $kind eq 'total' ? 'day' : 'total';
    }

    print $in join "\n", $slowest, map { "$_ $count{$_}" } keys %count;
    close $in;
    POSIX::_exit(0);
}


sub request {
    my ($name, $kind, $sock) = @_;

    unless ($$sock) {
        $$sock = IO::Socket::INET->new(PeerAddr => $host{$name}{address},
                                       PeerPort => $port, Timeout => $limit)
            or return 'lost';
        setsockopt $$sock, SOL_SOCKET, $_, pack 'l!l!', $limit, 0
            for SO_RCVTIMEO, SO_SNDTIMEO;
    }

    my ($status, $keep, $body) = KTP::Load::exchange($$sock,
        "POST /$kind HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
        . "App-ID: $kind\r\nAPI-Key: key\r\nContent-Length: "
        . length($jpeg) . "\r\n\r\n$jpeg");

    undef $$sock unless $keep;

    return !$status ? 'lost'
         : $status =~ /^(?:200|403)$/ ? $status
         : $body =~ /"reason":"(no_lease)"/ ? $1
         : "$status " . ($body =~ /"reason":"(\w+)"/ ? $1 : '-');
}


sub gather {
    my ($client) = @_;

    my $out = $client->{out};
    my ($slowest, @lines) = <$out>;

    waitpid $client->{pid}, 0;
    $slowest{$client->{host}} = $slowest + 0
        if $slowest > ($slowest{$client->{host}} // 0);
    /^(.+) (\d+)$/ and $got{$1} += $2 for @lines;
}


# Waits until that part of both quotas is spent.
sub reached {
    my ($part) = @_;

    KTP::Nginx::wait_for(sub { $called->() >= $part * 2 * $quota },
                         10 + $requests / 500)
        or BAIL_OUT('there is no load');
}


# Whether each host says so, and knows that Redis knows of all that was spent.
# Each is asked: requests have it report.
sub exhausted {
    my $not = 0;

    for my $kind (keys %period) {
        for my $name (keys %host) {
            my ($sock, $what);

            # what it holds
            for (1 .. 200) {
                $what = request($name, $kind, \$sock);
                last if $what ne '200';
            }

            $not++ if $what ne '403' || known($name, $kind) != $quota;
        }

        $not++ if grep { $_->{leased} } values %{ entries($kind) };
    }

    return !$not;
}
