# Flights of a fleet: identical uploads to several hosts, here three nginx, make
# one call; over outages of Redis, a host and an upstream.  t/fleet-flight.t has
# the script, t/fleet-flights-redis.t servers that are no Redis.
#
# KTP_FLEET_UPLOADS chooses how many uploads there are at once (300), and
# KTP_FLEET_RUNS how often (1).

use strict;
use warnings;

use lib 't/lib';
use Digest::MD5 qw(md5_hex);
use IO::Socket::INET;
use KTP ();
use KTP::Client qw(answer_of post_begin);
use KTP::Flights;
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';

my $uploads = $ENV{KTP_FLEET_UPLOADS} || 300;
my $runs = $ENV{KTP_FLEET_RUNS} || 1;
my $slow = $KTP::Nginx::Slow;
my $dir = KTP::Nginx::scratch_dir();
my $redis = KTP::Redis->new(qw(--appendonly yes --appendfsync always));
my $address = 'unix:' . $redis->path;
my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $number = 0;

for my $key (qw(A B)) {
    KTP::Nginx::write_file("$dir/$key", $key x 32 . "\n");
    chmod 0600, "$dir/$key";
}

# how long an upload may take: longer than all that is waited for here
my $long = 60 * $slow;

sub http {
    my ($name, %opt) = @_;

    my $keys = join ' ', map { "file:$dir/$_" } split //, $opt{keys} || 'A';
    my $timeout = $opt{timeout} || "${long}s";

    return "ktp_redis $address host=$name timeout=2s; ktp_fleet_key $keys;"
         . " ktp_timeout $timeout; ktp_read_timeout $timeout;"
         . ' log_format fleet "$ktp_image_hmac"; ktp_log_key logs;';
}

# one host, whose workers have their channels
sub host {
    my ($name, %opt) = @_;

    my $nginx = KTP::Nginx->new;

    start($nginx, $opt{url} || $url, workers => 2,
          dedupe => 'ktp_dedupe on fleet;', http => http($name, %opt),
          server => <<EOS) or BAIL_OUT($nginx->complaint);
        location = /s { ktp_pass $url/x; ktp_request_buffering off; }
        location = /short { ktp_pass $url/x; ktp_dedupe on fleet ttl=1ms; }
        location = /forget { access_log off; ktp_forget; }
        location = /hmac {
            access_log $nginx->{prefix}/logs/hmac.log fleet;
            ktp_pass $url/x;
        }
EOS
    wait_host($name) or BAIL_OUT("$name: " . $nginx->log_from(0));

    return $nginx;
}

sub wait_host {
    my ($name) = @_;

    return KTP::Nginx::wait_for(sub {
        eval { @{ $redis->command('PUBSUB', 'CHANNELS',
                                  "ktp:wake:$name:*") } == 2 };
    });
}

# where the logs of some hosts end
sub marks { return map { [$_, -s $_->{log}] } @_ }

# Each of these hosts has connected again so many times since then, and as often
# as it has lost a connection; it has two of each worker.
sub wait_back {
    my ($n, @marks) = @_;

    return KTP::Nginx::wait_for(sub {
        !grep {
            my ($nginx, $from) = @$_;
            my $log = $nginx->log_from($from);
            my $back = () = $log =~ /connected to redis/g;
            my $lost = () = $log =~ /redis "\S+": (?:connection was closed|no reply)/g;

            $back < $n || $back < $lost;
        } @marks;
    });
}

# flights in Redis: {state, owner, ...} by their keys
sub flights {
    my %flights;

    for my $key (@{ $redis->command('KEYS', 'ktp:{flight}:*') }) {
        next unless $key =~ /^ktp:\{flight\}:[0-9a-f]{64}$/;
        my $fields = $redis->command('HGETALL', $key);
        $flights{$key} = {@$fields} if ref $fields eq 'ARRAY';
    }

    return \%flights;
}

# Waits until the call of the only flight in progress has so many other hosts
# that wait for it.
sub wait_waiters {
    my ($n) = @_;

    return KTP::Nginx::wait_for(sub {
        my ($flight) = grep { $_->{state} eq 'calling' } values %{ flights() };
        $flight && scalar(split ' ', $flight->{waiters}) == $n;
    });
}

sub image { return forms(photo(++$number, $_[0] || 20_000)) }

# The next answers wait until the function that is returned is called.
sub gate {
    my (@answer) = @_;

    my $file = "$dir/gate-" . ++$number;

    $upstream->reset;
    $upstream->answer({ until => $file }, @answer ? @answer
        : KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

    return sub { KTP::Nginx::write_file($file, '') };
}

sub upload {
    my ($nginx, $form, $uri) = @_;

    return answer_of(begin($nginx, 0, $form, uri => $uri || '/d'));
}

# "source outcome billed" of the last line of a log
sub last_line {
    my ($nginx) = @_;

    my $line = (logged($nginx))[-1];

    return "$line->{source} $line->{outcome} $line->{billed}";
}

# Runs code, which makes the log of a host have one more line: that, as above.
sub line_of {
    my ($nginx, $code) = @_;

    my $n = () = logged($nginx);
    my @got = $code->();

    KTP::Nginx::wait_for(sub { (() = logged($nginx)) > $n });

    return last_line($nginx), @got;
}

my ($a, $b, $c) = my @hosts = map { host($_) } qw(a b c);

# --- many uploads at once

for my $run (1 .. $runs) {
    my @forms = image();
    my $body = $KTP::Upstream::Body =~ s/SPECIMEN/SPECIMEN $run/r;
    my $open = gate(KTP::Upstream::response('200 OK', $body));
    my @log = map { scalar(() = logged($_)) } @hosts;
    my $clients = 25;

    my ($lines, $failed) = processes($clients, sub {
        my ($i) = @_;
        my %client;
        my $port = $hosts[$i % @hosts]{flights_port};

        return map {
            my $got = client_post(\%client, $port, "/d?id=$i",
                                  $forms[($i + $_) % @forms]);
            join ' ', $got->{status}, md5_hex($got->{body} // '');
        } 1 .. $uploads / $clients;
    }, sub {
        ok(wait_waiters(2), "run $run: two hosts wait for the third");
        ok(KTP::Nginx::wait_for(sub {
            my $n = 0;
            $n += gauge($_, 'ktp_waiting_requests') for @hosts;
            $n >= $clients / 2;
        }), 'and requests on all of them');
        $open->();
    });

    my %got;
    $got{$_}++ for @$lines;

    is($failed, 0, 'the clients ended well');
    is_deeply(\%got, { '200 ' . md5_hex($body) => $uploads },
              "$uploads uploads have the same answer") or diag(explain(\%got));
    is(scalar($upstream->calls), 1, 'of one call');

    my (%source, %flight, @logged);

    ok(KTP::Nginx::wait_for(sub {
        @logged = map { my @l = logged($hosts[$_]); @l[$log[$_] .. $#l] }
                  0 .. $#hosts;
        @logged == $uploads;
    }), 'each has a line in a log');

    $source{ $_->{source} }++, $flight{ $_->{flight} }++ for @logged;

    is($source{upstream}, 1, 'one of them called');
    is($source{joined} + $source{replayed}, $uploads - 1, 'the others did not');
    is(scalar(keys %flight), 1, 'all lines have the id of that call');
}

# --- one after the other

{
    my ($form) = image();

    $upstream->reset;
    is(upload($a, $form)->{status}, 200, 'an upload');
    is((line_of($b, sub { upload($b, $form) }))[0], 'replayed ok no',
       'has an answer that another host replays');
    is((line_of($c, sub { upload($c, $form, '/hmac') }))[0] || '',
       last_line($c), 'of any location that asks for the same');
    is(scalar($upstream->calls), 1, 'one call');

    my ($stored) = values %{ flights() };
    my $all = join '', map { %$_ } values %{ flights() };
    unlike($all, qr/SPECIMEN|3171234567890001/, 'Redis has nothing to read');

    sleep 0.01;
    is(upload($c, $form, '/short')->{status}, 200, 'a location with a short ttl');
    is(scalar($upstream->calls), 2, 'does not take an older answer');
}

# --- errors

{
    my ($form) = image();
    my $open = gate(KTP::Upstream::response('500 Error', '{}'));
    my @calls = map { begin($_, 0, $form) } $a, $b;

    ok(wait_waiters(1), 'one host waits for the call of another');
    $open->();

    my @answers = map { answer_of($_) } @calls;
    is($answers[0]{status}, 500, 'which fails');
    is($answers[0]{body}, $answers[1]{body}, 'for both of them');
    is(scalar($upstream->calls), 1, 'once');

    $upstream->reset;
    is(upload($b, $form)->{status}, 200, 'a later request is another call');
}

{
    my ($form) = image();
    my $open = gate({ close => 1 });
    my @calls = map { begin($_, 0, $form) } $a, $b;

    wait_waiters(1);
    $open->();

    my @answers = map { answer_of($_) } @calls;
    is($answers[0]{status}, 502, 'a call without an answer');
    is($answers[1]{status}, 502, 'may be billed');
    is(scalar($upstream->calls), 1, 'and is not made again by another host');
}

# --- an answer that Redis is not given

{
    my ($form) = image();
    my $body = $KTP::Upstream::Body =~ s/SPECIMEN/'S' x 40_000/er;
    my $open = gate(KTP::Upstream::response('200 OK', $body));
    my @calls = map { begin($_, 0, $form) } $a, $b, $b;

    wait_waiters(1);
    $open->();

    is_deeply([map { length answer_of($_)->{body} } @calls],
              [(length $body) x 3], 'an answer that is too large for Redis');
    is(scalar($upstream->calls), 2, 'costs a call on each host');
}

# --- clients that leave

{
    my ($form) = image();
    my $open = gate();
    my $first = begin($a, 0, $form);

    ok($upstream->wait_calls(1), 'a host calls');
    my $second = begin($b, 0, $form);
    ok(wait_waiters(1), 'another one waits');
    close $first->{sock};
    sleep 0.1;
    $open->();
    is(answer_of($second)->{status}, 200,
       'the call goes on when the client of the first has left');
    is(scalar($upstream->calls), 1, 'and is the only one');
}

{
    my ($form) = image();
    my $open = gate();
    my $first = begin($a, 0, $form);

    $upstream->wait_calls(1);
    my $second = begin($b, 0, $form);
    wait_waiters(1);
    is((line_of($b, sub { close $second->{sock} }))[0], '- aborted no',
       'the client that waits leaves');
    $open->();
    is(answer_of($first)->{status}, 200, 'the other has its answer');
    is(upload($b, $form)->{status}, 200, 'and later requests');
    is(scalar($upstream->calls), 1, 'of one call');
}

# --- streamed

{
    my ($form) = image(200_000);
    my $open = gate();
    my $first = begin($a, 0, $form);

    $upstream->wait_calls(1);

    my $sock = worker_socket($b);
    # the dimensions stand behind the padding
    my $half = length($form->[1]) - 500;
    my $received = $upstream->received;

    print $sock "POST /s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "Content-Type: $form->[0]\r\nContent-Length: "
              . length($form->[1]) . "\r\n\r\n", substr $form->[1], 0, $half;
    $sock->flush;
    ok(KTP::Nginx::wait_for(sub { $upstream->received > $received + 50_000 }),
       'an upload is streamed');
    print $sock substr $form->[1], $half;
    $sock->flush;
    ok(wait_waiters(1), 'when it is complete, it waits for the other host');
    $open->();

    my $streamed = do { local $/; readline $sock };
    like($streamed, qr{^HTTP/1.1 200 }, 'has that answer');
    is(answer_of($first)->{status}, 200, 'as the first has');
    is(scalar($upstream->calls), 1, 'its own call was never complete');
}

# --- two keys

for (['A', 'AB'], ['AB', 'BA'], ['BA', 'B']) {
    my ($form) = image();
    my @two = map { host("k$_->[0]-$_->[1]", keys => $_->[1]) }
              [0, $_->[0]], [1, $_->[1]];

    for my $order ([0, 1], [1, 0]) {
        ($form) = image();
        my $open = gate();
        my $first = begin($two[$order->[0]], 0, $form);

        $upstream->wait_calls(1);
        my $second = begin($two[$order->[1]], 0, $form);
        my $what = join ' and ', map { "($_)" } @$_[@$order];

        ok(wait_waiters(1), "keys $what: the second host waits");
        $open->();
        is(answer_of($first)->{status} . answer_of($second)->{status},
           '200200', 'and has the answer');
        is(scalar($upstream->calls), 1, 'of one call');
    }

    $_->stop for @two;
}

# --- erased

for my $by (qw(image hmac)) {
    my ($form) = image();
    my %end = map { $_ => -s $_->{log} } $a, $b;

    $upstream->reset;
    upload($a, $form, '/hmac');
    upload($b, $form);

    my $erase = sub {
        my ($nginx) = @_;

        if ($by eq 'image') {
            return upload($nginx, $form, '/forget')->{body};
        }

        my ($hmac) = KTP::Nginx::read_file("$a->{prefix}/logs/hmac.log")
                     =~ /(\w{64})\n\z/;
        return upload($nginx, ['image/jpeg', ''],
                      "/forget?image_hmac=$hmac")->{body};
    };

    # its line is in the log
    $a->settle;
    is($erase->($c), '{"message":"stored answers were erased","erased":0,'
                     . '"fleet":1}', "by $by: an answer is erased");
    ok($_->wait_log(qr/1 stored answers of an image were erased, as another/,
                    $end{$_}), 'also that of another host')
        for $by eq 'image' ? ($a, $b) : ($a);
    $upstream->reset;
    is(upload($a, $form)->{status}, 200, 'the next upload');
    is(scalar($upstream->calls), 1, 'makes a call');

    # while a call is made
    ($form) = image();
    my $open = gate();
    my $first = begin($a, 0, $form, uri => '/hmac');
    $upstream->wait_calls(1);
    my $second = begin($b, 0, $form);
    wait_waiters(1);

    if ($by eq 'image') {
        is($erase->($c), '{"message":"stored answers were erased","erased":0,'
                         . '"fleet":0}', 'a call is made meanwhile');
        $open->();
        is(answer_of($first)->{status} . answer_of($second)->{status},
           '200200', 'its answer is for those who wait');
        is(scalar(grep { $_->{state} eq 'stored' && !$_->{keep} }
                  values %{ flights() }), 0, 'and for nobody else');
        upload($b, $form);
        is(scalar($upstream->calls), 2, 'the next upload makes a call');

    } else {
        $open->();
        answer_of($_) for $first, $second;
    }
}

# --- messages of somebody else

{
    my ($form) = image();

    $upstream->reset;
    upload($a, $form);

    for my $text ('', 'x', 'x' x 61, "\0" x 61, 'a' x 64, "\xff" x 60_000) {
        $redis->command('PUBLISH', $_, $text)
            for 'ktp:forget',
                @{ $redis->command('PUBSUB', 'CHANNELS', 'ktp:wake:*') };
    }

    is(upload($_, $form)->{status}, 200, 'messages of somebody else') for $a, $b;
    is(scalar($upstream->calls), 1, 'erase nothing');
}

# --- Redis is killed

{
    my ($form) = image();
    my $open = gate();
    my $first = begin($a, 0, $form);

    $upstream->wait_calls(1);
    my @others = map { begin($_, 0, $form) } ($b, $c) x 3;
    ok(wait_waiters(2), 'two hosts wait');
    my @marks = marks(@hosts);
    $redis->stop('KILL');
    ok($upstream->wait_calls(3), 'Redis is killed: each host calls');
    $open->();
    is(join(' ', map { answer_of($_)->{status} } $first, @others),
       join(' ', (200) x 7), 'all requests have an answer');
    is(scalar($upstream->calls), 3, 'of at most a call for each host');

    ($form) = image();
    $upstream->reset;
    my $start = time();
    is(upload($_, $form)->{status}, 200, 'without Redis') for @hosts;
    upload($_, $form) for @hosts;
    is(scalar($upstream->calls), 3, 'flights are those of the host');

    # the end of a call is kept until Redis is back
    $redis->start;
    ok(wait_back(4, @marks), 'Redis is back');
    ($form) = image();
    $open = gate();
    $first = begin($a, 0, $form);
    $upstream->wait_calls(1);
    @marks = marks(@hosts);
    $redis->stop('KILL');
    $open->();
    is(answer_of($first)->{status}, 200, 'killed during a call');
    $redis->start;
    ok(wait_back(4, @marks), 'and back');
    ok(KTP::Nginx::wait_for(sub {
        !grep { $_->{state} eq 'calling' } values %{ flights() }
    }), 'Redis learns how the call ended');
    is((line_of($b, sub { upload($b, $form) }))[0], 'replayed ok no',
       'and other hosts have its answer');
    is(scalar($upstream->calls), 1, 'of one call');
}

# --- Redis hangs

{
    my ($form) = image();

    $upstream->reset;
    my @marks = marks(@hosts);

    kill 'STOP', $redis->pid;
    is(upload($_, $form)->{status}, 200, 'Redis hangs: an upload is answered')
        for $a, $b;
    kill 'CONT', $redis->pid;
    is(scalar($upstream->calls), 2, 'by each host');
    ok(wait_back(0, @marks), 'which are connected again');
}

# --- a host is killed

{
    my ($form) = image();
    my $host = host('killed', timeout => 8 * $slow . 's');
    my $open = gate();
    my $first = begin($host, 0, $form);

    $upstream->wait_calls(1);
    my $second = begin($b, 0, $form);
    ok(wait_waiters(1), 'a host waits for another');
    kill 'KILL', $host->pid, $host->workers;
    ok($upstream->wait_calls(2), 'that is killed, and makes the call');
    $open->();
    is(answer_of($second)->{status}, 200, 'its request has an answer');
    is(upload($c, $form)->{status}, 200, 'and a third host');
    is(scalar($upstream->calls), 2, 'has the same');
}

# --- a host that leaves

{
    my ($form) = image();
    my $host = host('leaving');
    my $open = gate();
    my $first = begin($host, 0, $form);

    $upstream->wait_calls(1);
    $host->signal('QUIT');
    $open->();
    is(answer_of($first)->{status}, 200, 'a host ends with a call');
    ok($host->wait_end, 'and leaves');
    is(upload($b, $form)->{status}, 200, 'its answer');
    is(scalar($upstream->calls), 1, 'is there');
}

# --- Redis has no memory

{
    my ($form) = image();

    $upstream->reset;
    $redis->command('CONFIG', 'SET', 'maxmemory', 1);
    is(upload($_, $form)->{status}, 200, 'Redis has no memory') for $a, $b;
    $redis->command('CONFIG', 'SET', 'maxmemory', 0);
    is(scalar($upstream->calls), 2, 'each host calls');
    ok($a->wait_log(qr/\[error\] .*redis "\Q$address\E": error "OOM" in reply /
                    . qr/to flight$/m), 'which is logged');
    ($form) = image();
    upload($_, $form) for $a, $b;
    is(scalar($upstream->calls), 3, 'until there is memory');
}

for (@hosts) {
    $_->stop('QUIT');
    unlike($_->log_from, qr/\[(?:alert|crit|emerg)\]|SPECIMEN|317123456789/,
           'a clean log');
}

done_testing();
