# The debug log of an upstream call: its states and turns, in their order.

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

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new(resolver => 1);

plan skip_all => 'this nginx has no debug log'
    unless `$KTP::Nginx::Binary -V 2>&1` =~ /--with-debug/;

# the kernel takes little more of a request than the upstream reads
my $up = KTP::Upstream->new(buffer => 65536);
my $port = $up->port;
my $refused = KTP::Nginx::free_port();
my $read = 300 * $slow;

$nginx->hosts(['name.test', '127.0.0.1'],
              ['slow.test', '127.0.0.1', 2500 * $slow]);

my $query = 'canary-query';
my $conf = $nginx->config(
    main => KTP::load_module(),
    http => "    ktp_app_id canary-app-id; ktp_api_key canary-api-key;\n",
    server => <<"EOC");
        location = /call { ktp_pass http://name.test:$port/v2?$query; }
        location = /late {
            ktp_pass http://127.0.0.1:$port/v2;
            ktp_read_timeout ${read}ms;
        }
        location = /left { ktp_pass http://127.0.0.1:$port/v2; }
        location = /streamed {
            ktp_pass http://127.0.0.1:$port/v2;
            ktp_request_buffering off;
        }
        location = /refused { ktp_pass http://127.0.0.1:$refused/v2; }
        location = /slow { ktp_pass http://slow.test:$port/v2; }
EOC

ok($nginx->start($conf), 'nginx starts') or BAIL_OUT($nginx->complaint);

# a PNG has its dimensions in front of what fills it up
my $image = png(800, 600, size => 20_000);
my $body = json_body($image);
my $bytes = qr/[1-9]\d*/;
my $from;

# The log of the calls from now on begins here.
sub begin {
    $nginx->settle;
    $from = length $nginx->log_from;
}

# What it says, once it has a match of the pattern; sizes, times and numbers
# of descriptors stay in.
sub told {
    my ($pattern) = @_;

    my $log = '';

    KTP::Nginx::wait_for(sub {
        $log = $nginx->log_from($from);
        $log =~ $pattern;
    });

    # a warning names the upstream and the request that it is about
    $log =~ s/, upstream: "[^"]+" while .+, client: .+$//mg;

    return [$log =~ /(?:\*\d+|#\d+:) (ktp call .+|retrying upstream call.+)$/mg];
}

# Every line is expected, in this order.
sub story {
    my ($name, $got, @want) = @_;

    my $same = @$got == @want;

    for my $i (0 .. $#want) {
        $same &&= $got->[$i] =~ /^$want[$i]$/;
    }

    ok($same, $name) or diag(join "\n", 'got:', @$got, '', 'wanted:', @want);
}

# These are among them, in this order.
sub passage {
    my ($name, $got, @want) = @_;

    my @rest = @want;

    for (@$got) {
        shift @rest if @rest && /^$rest[0]$/;
    }

    ok(!@rest, $name) or diag(join "\n", 'got:', @$got, '', 'missing:', @rest);
}

sub state_of {
    my @states = @_;

    return map { "ktp call state: $states[$_ - 1] -> $states[$_]" }
               1 .. $#states;
}

my $start = qr/ktp call started: body of $bytes bytes/;
my $first = qr/ktp call body: first $bytes bytes/;
my $whole = qr/ktp call body: whole, $bytes bytes/;
my $head = qr/ktp call answer: head, status 200, $bytes bytes/;
my $answer = 'ktp call answer: whole, body of ' . length($KTP::Upstream::Body)
             . ' bytes';
my $connect = qr/ktp call connect: IPv4, address 1, fd:\d+/;
my $released = qr/ktp call connection: released, fd:\d+/;
my $closed = qr/ktp call connection: closed, fd:\d+/;
my $freed = qr/ktp call freed: \d+ spare handles/;
my $end = qr/ktp call freed/;


# -- a plain call

begin();
is(post($nginx->port, '/call', $body)->{status}, 200, 'a call');
story('over a new connection to a name', told($end),
      $start, state_of(qw(SPARE STARTED)),
      'ktp call look-up: started, 1 in progress',
      state_of(qw(STARTED RESOLVING)),
      'ktp call look-up: done, curl code 0',
      state_of(qw(RESOLVING CONNECTING)), $connect,
      'ktp call connected: new connection',
      state_of(qw(CONNECTING SENDING)), $first, $whole,
      state_of(qw(SENDING WAITING RECEIVING)), $head, $released,
      state_of(qw(RECEIVING ENDED)), $answer,
      state_of(qw(ENDED SPARE)), $freed);

begin();
is(post($nginx->port, '/call', $body)->{status}, 200, 'another one');
story('over the connection that was kept', told($end),
      $start, state_of(qw(SPARE STARTED)),
      'ktp call connected: kept-alive connection',
      state_of(qw(STARTED SENDING)), $first, $whole,
      state_of(qw(SENDING WAITING RECEIVING)), $head, $released,
      state_of(qw(RECEIVING ENDED)), $answer,
      state_of(qw(ENDED SPARE)), $freed);


# -- a connection that was kept and is dead

$up->answer({ once => 1 }, { early => 1 }, { deaf => 1 },
            { delay => 0.1 * $slow }, { reset => 1 });

begin();
is(post($nginx->port, '/call',
        json_body(jpeg(800, 600, size => 5_000_000)))->{status}, 200,
   'a call whose kept connection is reset');
my $got = told($end);
passage('is sent again over a new one', $got,
        $start, 'ktp call connected: kept-alive connection', $first, $closed,
        'ktp call look-up: cached', $connect,
        qr/retrying upstream call, retry 1 of 1: .+/,
        'ktp call connected: new connection', $first, $whole,
        state_of(qw(SENDING WAITING RECEIVING)), $head,
        state_of(qw(RECEIVING ENDED)), $answer,
        state_of(qw(ENDED SPARE)), $freed);
is(scalar(grep { /$whole/ } @$got), 1, 'and was whole once');
$up->reset;


# -- no connection

begin();
is(post($nginx->port, '/refused', $body)->{status}, 502, 'nobody listens');
story('the call is started twice', told($end),
      $start, state_of(qw(SPARE STARTED CONNECTING)), $connect, $released, $closed,
      state_of(qw(CONNECTING ENDED)),
      qr/retrying upstream call, retry 1 of 1: Could(?:n't| not) connect to server/,
      state_of(qw(ENDED STARTED CONNECTING)), $connect, $released, $closed,
      state_of(qw(CONNECTING ENDED)),
      qr/ktp call failed: curl code 7, Could(?:n't| not) connect to server/,
      state_of(qw(ENDED SPARE)), $freed);


# -- time is over

$up->answer({ hang => 1 });

begin();
is(post($nginx->port, '/late', $body)->{status}, 504, 'no answer in time');
passage('the call fails while it waits', told($end),
        $start, state_of(qw(SENDING WAITING)),
        qr/ktp call failed: curl code 28, .+/, $closed,
        state_of(qw(WAITING SPARE)), $freed);


# -- the client goes away

my $call = post_begin($nginx->port, '/left', $body);

$up->reset;
$up->answer({ hang => 1 });

begin();
syswrite $call->{sock}, $call->{out};
ok($up->wait_calls(1), 'the upstream has the request');
close $call->{sock};
passage('a client that goes away ends the call', told($end),
        $start, $whole, state_of(qw(SENDING WAITING)),
        'ktp call aborted: ' . length(($up->calls)[0]{body})
        . ' bytes of the body sent',
        $closed, state_of(qw(WAITING SPARE)), $freed);
$up->reset;

begin();
$call = post_begin($nginx->port, '/slow', $body);
syswrite $call->{sock}, $call->{out};
told(qr/STARTED -> RESOLVING/);
close $call->{sock};
$got = told($end);
passage('but not its look-up', $got,
        $start, state_of(qw(SPARE STARTED RESOLVING)),
        'ktp call aborted: 0 bytes of the body sent',
        state_of(qw(RESOLVING ABANDONED)),
        'ktp call look-up: done, curl code 0',
        state_of(qw(ABANDONED SPARE)), $freed);
ok(!(grep { /connect:/ } @$got), 'for which nobody is connected to');


# -- a body that does not come

begin();
$call = post_begin($nginx->port, '/streamed', [substr $image, 0, 10_000],
                   'Content-Type: image/png',
                   'Content-Length: ' . length $image);
syswrite $call->{sock}, $call->{out};
told(qr/SENDING -> PAUSED/);
$call->{out} = substr $image, 10_000;
is(answer_of($call)->{status}, 200, 'a body in two parts');
passage('pauses the call', told($end),
        'ktp call started: body of ' . $bytes . ' bytes', $first,
        qr/ktp call body: paused after $bytes bytes/,
        state_of(qw(SENDING PAUSED)),
        qr/ktp call body: resumed after $bytes bytes/,
        state_of(qw(PAUSED SENDING)), $whole,
        state_of(qw(SENDING WAITING RECEIVING)), $head,
        state_of(qw(RECEIVING ENDED)), $answer, $freed);


# -- nothing of it is a secret

unlike($nginx->log_from(0), qr/canary/, 'neither a key nor a query');
unlike($nginx->log_from(0), qr/3171234567890001/, 'nor what was answered');
unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');

$nginx->stop;

done_testing();
