# Places of ktp_max_inflight: each kind of call has its own, so that what
# waits for a client or for an image host keeps nobody else from calling.  A
# client with a share of them takes no more than that.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new;
my $silent = KTP::Upstream->new;
my $host = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $url = $upstream->url;
# its dimensions come first, so that its call can be streamed
my $png = png(800, 600, size => 200_000);
my $places = 4;

my $share = 2;

$nginx->start($nginx->config(main => KTP::load_module(), http => <<EOH,
    ktp_client limited { max_inflight $share; }
    ktp_client other { max_inflight 100; }
    ktp_client unlimited { }
    map \$http_x_name \$name { default unlimited; limited limited; other other; }
EOH
                             server => <<EOC))
        ktp_auth \$name;
        ktp_max_inflight $places;
        ktp_image_url_allow 127.0.0.1;
        location = /whole { ktp_pass $url/x; }
        location = /silent { ktp_pass @{[$silent->url]}/x; }
        location = /streamed { ktp_request_buffering off; ktp_pass $url/x; }
        location = /fetch { ktp_image_url fetch; ktp_pass $url/x; }
EOC
    or BAIL_OUT($nginx->complaint);

$silent->answer({hang => 1});
$host->answer(KTP::Upstream::response('200 OK', $png,
                                      'Content-Type: image/png'));

# what takes a place for as long as its connection is open, and what asks
# for one: [path, type, body, how much of it is sent]
my $image = sub { '{"image":"' . $_[0]->url . '/a.png"}' };
my %idle = (
    whole    => ['/silent', 'image/png', $png, length $png],
    streamed => ['/streamed', 'image/png', $png, 100_000],
    fetch    => ['/fetch', 'application/json', $image->($silent), 1000],
);
my %ask = (
    whole    => ['/whole', 'image/png', $png, length $png],
    streamed => ['/streamed', 'image/png', $png, length $png],
    fetch    => ['/fetch', 'application/json', $image->($host), 1000],
);
my %says = (whole => 'upstream calls', streamed => 'streamed calls',
            fetch => 'image downloads');

# what has been downloaded is sent as a whole
my %busy = (whole => qr/whole|fetch/, streamed => qr/streamed/,
            fetch => qr/fetch/);

for my $taken (sort keys %idle) {
    my $offset = length $nginx->log_from;
    my @idle = map { send_request(@{$idle{$taken}}) } 1 .. $places;

    ok(KTP::Nginx::wait_for(sub {
        $places == (() = $nginx->log_from($offset) =~ /ktp call started/g)
    }), "$taken: all places are taken");

    for my $kind (sort keys %ask) {
        is(status(send_request(@{$ask{$kind}})),
           $busy{$taken} =~ $kind ? 503 : 200, "$taken taken, $kind asked for");
    }

    like($nginx->log_from($offset),
         qr/\[warn\].* limit of $places concurrent $says{$taken} reached/,
         "$taken: the log says which");

    close $_ for @idle;

    ok(KTP::Nginx::wait_for(sub {
        status(send_request(@{$ask{$taken}})) == 200
    }), "$taken: places that are given back");
}

# -- a share

for my $taken (sort keys %idle) {
    my $offset = length $nginx->log_from;
    my @idle = map { send_request(@{$idle{$taken}}, 'limited') } 1 .. $share;

    ok(KTP::Nginx::wait_for(sub {
        $share == (() = $nginx->log_from($offset) =~ /ktp call started/g)
    }), "$taken: the share is taken");

    for my $kind (sort keys %ask) {
        my $refused = $busy{$taken} =~ $kind;
        my $answer = answer(send_request(@{$ask{$kind}}, 'limited'));

        like($answer, $refused ? qr/^HTTP.* 503 / : qr/^HTTP.* 200 /,
             "$taken taken, $kind asked for by the same client");

        next unless $refused;

        like($answer, qr/"reason":"client_busy"/, "$taken, $kind: the reason");
        like($answer, qr/^Retry-After: [1-9]/m, "$taken, $kind: Retry-After");
    }

    like($nginx->log_from($offset),
         qr/\[info\].* limit of $share concurrent $says{$taken} of "limited"/,
         "$taken: the log says whose");

    for my $name ('other', 'unlimited') {
        is(status(send_request(@{$ask{$taken}}, $name)), 200,
           "$taken: $name has places");
    }

    # all that are left may be taken by one client

    my $before = length $nginx->log_from;
    my @more = map { send_request(@{$idle{$taken}}, 'other') }
               $share + 1 .. $places;

    ok(KTP::Nginx::wait_for(sub {
        @more == (() = $nginx->log_from($before) =~ /ktp call started/g)
    }), "$taken: all places are taken");

    like(answer(send_request(@{$ask{$taken}}, 'other')), qr/"reason":"busy"/,
         "$taken: no place is left");

    close $_ for @idle, @more;

    ok(KTP::Nginx::wait_for(sub {
        status(send_request(@{$ask{$taken}}, 'limited')) == 200
    }), "$taken: a share that is given back");
}

unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


sub send_request {
    my ($path, $type, $body, $sent, $name) = @_;

    $name //= '';

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);

    print $sock "POST $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "X-Name: $name\r\n"
              . "Content-Type: $type\r\nContent-Length: " . length($body)
              . "\r\n\r\n" . substr $body, 0, $sent;
    $sock->flush;

    return $sock;
}

sub answer {
    my ($sock) = @_;

    local $/;

    return <$sock> // '';
}

sub status {
    my ($sock) = @_;

    return answer($sock) =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0;
}
