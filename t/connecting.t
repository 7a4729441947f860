# A call that ends while its connection is being made: libcurl closes such a
# socket by itself, and nothing may be left of it.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Client qw(post_begin answer_of);
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep);

# a queue that is full: the kernel answers no further connection
my $full = IO::Socket::INET->new(Listen => 0, LocalAddr => '127.0.0.1');
my $address = '127.0.0.1:' . $full->sockport;
my @fill;

for (1 .. 10) {
    my $sock = IO::Socket::INET->new(PeerAddr => $address, Timeout => 0.2);

    last unless $sock;
    push @fill, $sock;
}

plan skip_all => 'the queue of this kernel does not fill up' if @fill == 10;

my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $nginx = KTP::Nginx->new(resolver => 1);

# libcurl 8.20 and newer connects before it knows of an IPv6 address
$nginx->hosts(['full.test', '127.0.0.1', 50, 2000]);

my $conf = $nginx->config(main => KTP::load_module(), server => <<EOC);
        location = /full {
            ktp_pass http://$address/x;
            ktp_connect_timeout 100ms;
            ktp_retries 0;
        }
        location = /name {
            ktp_pass http://full.test:@{[$full->sockport]}/x;
            ktp_connect_timeout 300ms;
            ktp_retries 0;
        }
        location = /e { ktp_pass $url/x; }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

my $file = $nginx->prefix . '/html/image';
KTP::Nginx::write_file($file, jpeg(800, 600));

sub post {
    my ($uri) = @_;

    return KTP::Nginx::curl('-H', 'Content-Type: image/jpeg', '-H', 'Expect:',
                            '--data-binary', "\@$file",
                            'http://127.0.0.1:' . $nginx->port . $uri);
}

sub descriptors {
    # of libcurl's own, an eventfd for one, there may be more later
    return scalar grep { (readlink($_) || '') =~ /^socket:/ }
                  glob '/proc/' . $nginx->pid . '/fd/*';
}

# the client's own is closed before those that stay are counted
post('/full');
$nginx->wait_log(qr/closed (?:keepalive )?connection/)
    or BAIL_OUT('the client is still there');
$nginx->settle;
my $before = descriptors();

is(post('/full')->{status}, 504, "time to connect is over, $_") for 1 .. 5;

my $connects = () = $nginx->log_from =~ /ktp call connect: IPv4/g;

# others wait for the look-up of the one that goes away
my ($first, @others) = map {
    my $call = post_begin($nginx->port, '/name', json_body(jpeg(800, 600)));
    syswrite $call->{sock}, $call->{out};
    $call->{out} = '';
    $call;
} 1 .. 4;

ok(KTP::Nginx::wait_for(sub {
    (() = $nginx->log_from =~ /ktp call connect: IPv4/g) > $connects;
}), 'a call of a name connects');
close $first->{sock};
is(answer_of($_)->{status}, 504, 'time is over for a name') for @others;

ok(KTP::Nginx::wait_for(sub { descriptors() == $before }),
   'no descriptor is left');

# their numbers are others' now
is(post('/e')->{status}, 200, "another upstream is asked, $_") for 1 .. 3;
is($upstream->connections, 1, 'over one connection');


# -- an upstream that closes what it kept, all at once

my $gate = $nginx->prefix . '/gate';
my $answer = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);

for my $round (1 .. 3) {
    my $four = $nginx->prefix . "/four-$round";

    $upstream->reset;
    $upstream->answer({ until => $four }, $answer, { until => $gate },
                      { close => 1 });

    my @calls = map {
        my $call = post_begin($nginx->port, '/e', json_body(jpeg(800, 600)));
        syswrite $call->{sock}, $call->{out};
        $call->{out} = '';
        $call;
    } 1 .. 4;

    ok($upstream->wait_calls(4), "four at a time, round $round");
    KTP::Nginx::write_file($four, '');
    is(answer_of($_)->{status}, 200, "kept, round $round") for @calls;

    my $closed = () = $nginx->log_from =~ /ktp call connection: ended/g;

    $upstream->reset;
    KTP::Nginx::write_file($gate, '');
    # or fewer, if libcurl has closed one by itself
    KTP::Nginx::wait_for(sub {
        (() = $nginx->log_from =~ /ktp call connection: ended/g) >= $closed + 4;
    }, 1);

    # the last is waited for longer than libcurl waits to look at the dead
    sleep 1.3 if $round == 3;

    is(post('/e')->{status}, 200,
       "closed, and asked in round $round");
    unlink $gate;
}

# what is left are connections of later calls
ok(KTP::Nginx::wait_for(sub { descriptors() <= $before + 3 }),
   'dead connections are closed');
unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();
