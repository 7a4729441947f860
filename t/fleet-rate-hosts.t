# Rates of a fleet: hosts with zones of their own, here two nginx, admit what
# one rate allows, from a redis-server; and while it is away, a share each.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use IO::Socket::INET;
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
my $redis = KTP::Redis->new;
my $address = 'unix:' . $redis->path;
my ($url, $whole) = KTP::Load::upstream(2);

# Where a number is to be exact, the rate gives one more in a minute.
my %client = (
    burst   => 'rate 1/m burst=200 fleet',
    low     => 'rate 1/m burst=3 fleet',
    load    => 'rate 1000/s fleet',
    away    => 'rate 1/m burst=20 fleet',
    first   => 'rate 1/m burst=7 fleet',
    hung    => 'rate 1/m fleet burst=50',
    leaves  => 'rate 1/m burst=5 fleet',
    flushed => 'rate 1/m burst=5 fleet',
    reader  => 'rate 1/m burst=5 fleet',
    both    => 'rate 1/m burst=5 fleet; quota 3/total fleet',
    expires => 'rate 20/s burst=20 fleet',
    ours    => 'rate 1/m burst=4',
);

sub config {
    my ($nginx, $host) = @_;

    my $clients = join "\n", map {
        "    ktp_client $_ { key_sha256 $hash; $client{$_}; }"
    } sort keys %client;

    return $nginx->config(
        log_level => $host eq 'd' ? 'debug' : 'info', master => 'on', workers => 2, root => 0,
        main => KTP::load_module(), http => <<EOC, server => <<EOS);
    ktp_zone k:1m;
    ktp_redis $address host=$host timeout=2s;
    ktp_auth on;
    keepalive_requests 100000;
$clients
EOC
        location = /ok { ktp_pass $url/x; }
        location = /stream { ktp_pass $url/x; ktp_request_buffering off; }
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

sub posts {
    my ($nginx, $client, $times, $uri) = @_;

    return join ' ', map { post($nginx, $client, $uri)->{status} } 1 .. $times;
}

sub up {
    my ($nginx) = @_;

    my $page = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/status');

    return ($page->{body} =~ /^ktp_fleet_up (\S+)$/m)[0];
}

# Four connections to each nginx at once, and so many requests over each: the
# sums of their statuses.
sub load {
    my ($client, $times, @nginx) = @_;

    return KTP::Load::apart($times, request($client, '/ok'),
                            map { $_->port } @nginx)->();
}

# As many as the burst, and those that the rate gave since a time.
sub about {
    my ($got, $burst, $since, $name) = @_;

    my $more = int((time - $since) / 60) + 1;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok($got, '>=', $burst, "$name: not one less");
    cmp_ok($got, '<=', $burst + $more, 'and not one more')
        if time - $since >= 60;
    is($got, $burst, 'and not one more') if time - $since < 60;
}

my $a = start('a');
my $b = start('b');

# -- two hosts, four workers, eight clients

{
    my $start = time;
    my $got = load('burst', 60, $a, $b);

    about($got->{200}, 200, $start, 'a burst of both hosts');
    is($got->{200} + $got->{429}, 480, 'the others are over the rate')
        or diag(explain($got));
}

{
    my $start = time;
    my @got = map { post($_, 'low') } $a, $b, $a, $b;

    about(scalar(grep { $_->{status} == 200 } @got), 3, $start, 'a low rate');
    is($got[3]{status}, 429, 'is exceeded');
    like($got[3]{body}, qr/"error_code":"TOO_MANY_REQUESTS"/, 'as one host');

    my ($after) = $got[3]{head} =~ /^Retry-After: (\d+)\r$/m;
    cmp_ok($after, '<=', 60, 'until there is one more');
    cmp_ok($after, '>', 60 - (time - $start) - 1, 'and not earlier');
    is(posts($a, 'ours', 5), '200 200 200 200 429', 'a rate of a host');
    is(posts($b, 'ours', 5), '200 200 200 200 429', 'is that of each');
}

# A lease lasts for half a second: the commands do not depend on the requests.
# One more is sent when three quarters are spent, unless a host has less than
# eight requests in a second; some are, when it finds out how much it spends.
{
    my ($start, $before) = (time, $redis->scripts);
    my $got = load('load', 300, $a, $b);
    my $time = time - $start;
    my $commands = $redis->scripts - $before;

    diag(sprintf '2400 requests in %.1f s, %d commands', $time, $commands);
    cmp_ok($got->{200}, '<=', 1000 * ($time + 1) + 1000, 'the promise');
    cmp_ok($commands, '<=', 2 * (8 * $time + 10), 'few commands')
}

# -- units are valid for a second

{
    my $c = start('c', late => 1);

    # as many at once as ten, to have it lease several
    KTP::Load::clients($c->port, 4, 5, request('expires', '/ok'));
    $c->pass(1100);
    $redis->stop;
    KTP::Nginx::wait_for(sub { up($c) == 0 });

    # the share of the rate that it has alone: nothing is left of the lease
    my $start = time;
    my $got = KTP::Load::post($c->port, 40, request('expires', '/ok'));
    my $time = time - $start;

    cmp_ok($got->{200}, '<=', 20 + 20 * $time + 1,
           'what was leased is not spent later');
    $c->stop;
    $redis->start;
}

ok(KTP::Nginx::wait_for(sub { up($a) == 1 && up($b) == 1 }), 'it is back');

# -- Redis is away

{
    my $start = time;

    # each has seen the other
    is(join(' ', map { posts($_, 'away', 1) } $a, $b, $a), '200 200 200',
       'three of twenty');

    $redis->command('CONFIG', 'SET', 'save', '');
    $redis->command('SAVE');
    $redis->stop;
    KTP::Nginx::wait_for(sub { up($a) == 0 && up($b) == 0 });

    my $offset = -s $a->{log};
    my @got = map { post($a, 'away') } 1 .. 11;

    about(scalar(grep { $_->{status} == 200 } @got), 10, $start,
          'half of it for one of two');
    is($got[-1]{status}, 429, 'no request is rejected but for the rate');
    like($got[-1]{head}, qr/^Retry-After: \d+\r$/m, 'with a time');
    is(join(' ', map { $_->{status} } grep { $_->{status} !~ /^(?:200|429)$/ }
            @got), '', 'and for no other reason');
    is(posts($b, 'away', 11), join(' ', (200) x 10, 429), 'the other half');

    # nobody else was seen by a host that could not ask
    is(posts($a, 'first', 8), join(' ', (200) x 7, 429),
       'a rate that no other host was seen with');

    $redis->start;
    ok(KTP::Nginx::wait_for(sub { up($a) == 1 && up($b) == 1 }),
       'it is back');
    ok(KTP::Nginx::wait_for(sub { post($a, 'away')->{status} == 200 }),
       'and asked again');

    my $left = 0;
    for (1 .. 10) {
        $left += () = posts($a, 'away', 2) =~ /200/g;
        $left += () = posts($b, 'away', 2) =~ /200/g;
    }
    about($left, 16, $start, 'it has what was left in the bucket');
}

# -- Redis hangs

{
    my $d = start('d');
    kill 'STOP', $redis->pid;

    my $start = time;
    is(posts($a, 'hung', 1), '200', 'no answer: a request waits, and goes on');
    cmp_ok(time - $start, '>=', 1.9, 'after the time of ktp_redis');
    is(posts($a, 'hung', 5), '200 200 200 200 200', 'the others do not wait');

  SKIP: {
        skip('nginx was built without --with-debug', 2)
            unless `$KTP::Nginx::Binary -V 2>&1` =~ /--with-debug/;

        my $sock = IO::Socket::INET->new('127.0.0.1:' . $d->port) or die;

        print $sock substr request('leaves', '/ok'), 0, 500;
        $sock->flush;
        ok($d->wait_log(qr/client "leaves" waits for its rate/),
           'a request waits');
        close $sock;
        ok($d->wait_log(qr/client prematurely closed connection/),
           'its client leaves');
    }

    kill 'CONT', $redis->pid;
    ok(KTP::Nginx::wait_for(sub { up($a) == 1 }), 'it goes on');
}

# -- Redis has forgotten the script

$redis->command('SCRIPT', 'FLUSH');
is(posts($a, 'flushed', 6), '200 200 200 200 200 429',
   'the script is sent again');

# -- with a quota of the fleet, and streamed

is(posts($a, 'both', 6, '/stream'), '200 200 200 403 403 403',
   'a rate and a quota');

# -- a server that may not write

{
    my $offset = -s $b->{log};

    $redis->command('REPLICAOF', '127.0.0.1', KTP::Nginx::free_port());
    is(posts($b, 'reader', 6), '200 200 200 200 200 429',
       'a replica: the rate of a host');
    like($b->log_from($offset),
         qr/\[error\] .*redis "\Q$address\E": error "READONLY" in reply to rate of client "reader"/,
         'is logged');
    $redis->command('REPLICAOF', 'NO', 'ONE');
}

$_->stop('QUIT') for $a, $b;
unlike($_->log_from(0), qr/\[(?:alert|crit|emerg)\]/, 'no other line')
    for $a, $b;

done_testing();
