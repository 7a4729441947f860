# Names that are looked up: an address that is dead is dropped, threads are
# limited, and what is short is the worker's fault, not the client's.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $KTP::Nginx::Slow;
my $up = KTP::Upstream->new;
my $port = $up->port;
my $small = json_body(jpeg(800, 600));

# nobody listens there
my $dead = '127.0.0.9';
my $live = '127.0.0.1';


# -- an address that moves

my $nginx = KTP::Nginx->new(resolver => 1);

$nginx->hosts(['moved.test', $dead]);
$nginx->start($nginx->config(main => KTP::load_module(), server => <<"EOC"))
        location = /again { ktp_pass http://moved.test:$port/x; }
        location = /once {
            ktp_pass http://moved.test:$port/x;
            ktp_retries 0;
            ktp_keepalive 0;
        }
        location = /proxied {
            ktp_pass https://vendor.test/x;
            ktp_egress_proxy http://moved.test:$port;
            ktp_retries 0;
        }
EOC
    or BAIL_OUT($nginx->complaint);

sub status { return post($nginx->port, $_[0], $small)->{status} }

sub lookups { return scalar(my @names = $nginx->lookups) }

is(status('/again'), 502, 'a dead address: 502');

is(lookups(), 1, 'which was looked up once, as the retry has it anew');

my $before = lookups();
is(status('/again'), 502, "dead still, $_") for 1 .. 5;
cmp_ok(lookups() - $before, '<=', 5, 'a look-up a call at most');

$nginx->hosts(['moved.test', $live]);
is(status('/again'), 200, 'the first call after a move');

$before = lookups();
is(status('/again'), 200, 'the next');
is(lookups(), $before, 'without a look-up');

for my $uri ('/once', '/proxied') {
    $nginx->hosts(['moved.test', $dead]);

    # the connections that are kept end with their worker only
    $nginx->stop;
    $nginx->start(KTP::Nginx::read_file($nginx->prefix . '/conf/nginx.conf'))
        or BAIL_OUT($nginx->complaint);

    is(status($uri), 502, "$uri, a dead address: 502");
    $nginx->hosts(['moved.test', $live]);
    $up->reset;
    is(status($uri), 502, "$uri, and a call without a retry");

    my $from = -s $nginx->{log};

    status($uri);
    like($nginx->log_from($from), qr/look-up: started/,
         "$uri: the next one looks it up");
}

$nginx->stop;


# -- look-ups that hang

$nginx = KTP::Nginx->new(resolver => 1);
$nginx->hosts(['vendor.test', $live],
              map { ["slow$_.test", $live, 20_000 * $slow] } 1 .. 40);

my $connect = 1000 * $slow;

$nginx->start($nginx->config(main => KTP::load_module(), server => <<"EOC"))
        ktp_connect_timeout ${connect}ms;
        location = /vendor {
            ktp_pass http://vendor.test:$port/x;
            ktp_connect_timeout 60s;
        }
        location = /fetch {
            ktp_pass http://$live:$port/x;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.0/8;
        }
EOC
    or BAIL_OUT($nginx->complaint);

my ($threads, $start, @statuses) = (0, time());

for my $wave (0 .. 3) {
    my $from = length $nginx->log_from;
    my @calls = map {
        my $call = post_begin($nginx->port, '/fetch',
                              "{\"image\":\"http://slow$_.test/a.jpg\"}");

        syswrite $call->{sock}, $call->{out};
        $call->{out} = '';
        $call;
    } map { 10 * $wave + $_ } 1 .. 10;

    # a worker that is late finds them all over time, and gives no slot back
    if ($wave == 0) {
        KTP::Nginx::wait_for(sub {
            10 == (() = $nginx->log_from($from) =~ /look-up: started/g)
        });
        $nginx->signal('STOP');
        sleep 1.2 * $connect / 1000;
        $nginx->signal('CONT');
    }

    for (@calls) {
        push @statuses, answer_of($_)->{status};

        my $text = KTP::Nginx::read_file('/proc/' . $nginx->pid . '/status');
        my ($now) = $text =~ /^Threads:\s*(\d+)/m;

        $threads = $now if $now > $threads;
    }
}

SKIP: {
    # the look-ups that hang must not end meanwhile
    skip 'the machine is too slow for this', 4
        if time() - $start > 14 * $slow;

    cmp_ok($threads, '<=', 12 * $nginx->lookup_calls + 2,
           'threads of look-ups are limited');
    is(scalar(grep { $_ == 400 } @statuses), 12, 'those that hang: 400');
    is(scalar(grep { $_ == 503 } @statuses), 28,
       'those that found no free look-up: 503');

    my $got = post($nginx->port, '/vendor', $small);

    ok($got->{status} == 200 && $got->{seconds} < 5 * $slow,
       'the upstream is looked up at once')
        or diag("$got->{status}, $got->{seconds} s");
}

$nginx->stop;


# -- no free connection, no free descriptor

$nginx = KTP::Nginx->new;
$nginx->start($nginx->config(main => KTP::load_module(), connections => 16,
                             http => <<'EOC', server => <<"EOS"))
    log_format ktp '$uri $status $ktp_outcome $ktp_billed $ktp_retries';
    access_log logs/ktp.log ktp;
EOC
        location = /e { ktp_pass http://$live:$port/x; }
        location = /fetch {
            ktp_pass http://$live:$port/x;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.0/8;
        }
EOS
    or BAIL_OUT($nginx->complaint);

for my $case (['/e', $small],
              ['/fetch', "{\"image\":\"http://$live:$port/a.jpg\"}"]) {
    my ($uri, $body) = @$case;

    # the first of them waits, the others take all connections
    my @first = post_begin($nginx->port, $uri, $body);
    my @idle;

    syswrite $first[0]{sock}, substr $first[0]{out}, 0, -1;

    while (@idle < 20 && $nginx->log_from !~ /worker_connections are not/) {
        push @idle, IO::Socket::INET->new(PeerAddr => $live,
                                          PeerPort => $nginx->port);

        # nginx closes one that has sent nothing, if it needs another
        syswrite $idle[-1], "POST /e HTTP/1.1\r\n";
        $nginx->settle;
    }

    my $from = -s $nginx->{log};

    $first[0]{out} = substr $first[0]{out}, -1;
    my $got = answer_of($first[0]);

    is($got->{status}, 503, "$uri, no free connection: 503");
    cmp_ok($got->{seconds}, '<', 20 * $slow, "$uri: at once");
    like($nginx->log_from($from), qr/no free connection/,
         "$uri: the log has why");
    unlike($nginx->log_from($from), qr/retrying/, "$uri: it is not retried");

    close $_ for @idle;
    KTP::Nginx::wait_for(sub {
        KTP::Nginx::write_file($nginx->{log}, '');
        post($nginx->port, '/e', $small)->{status} == 200;
    });
}

ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::read_file($nginx->prefix . '/logs/ktp.log')
        =~ m{^/e 503 rejected no 0$}m
}), 'rejected, and not billed');

done_testing();
