# The time in which a whole body has to arrive, however steadily its bytes
# come: over HTTP/1.1 and HTTP/2, buffered and streamed.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new(buffer => 4096);
my $nginx = KTP::Nginx->new;
my $url = $upstream->url;
my $h2 = KTP::Nginx::free_port();
my $gate = $nginx->prefix . '/html/gate';
my $jpeg = jpeg(800, 600, size => 400_000);

my $server = <<EOC;
        ktp_body_timeout 1s;
        location = /whole { ktp_pass $url/x; }
        location = /stream { ktp_request_buffering off; ktp_pass $url/x; }
EOC

$nginx->start($nginx->config(main => KTP::load_module(), server => $server,
                             http => <<EOC)) or BAIL_OUT($nginx->complaint);
    server {
        listen 127.0.0.1:$h2 http2;
        $server
    }
EOC

for my $path ('/whole', '/stream') {
    for my $http ('1.1', '2') {
        my $from = time();
        my $in = trickle($path, $http);
        my $took = time() - $from;

        like($in, qr/"error_code":"REQUEST_TIMEOUT"/,
             "$path, HTTP/$http: refused");
        ok($took > 0.9 && $took < 8 * $KTP::Nginx::Slow,
           "$path, HTTP/$http: in time") or diag($took);
    }
}

is(scalar $upstream->calls, 0, 'the upstream had no whole request');

# the time that the upstream takes is not the client's

$upstream->answer({early => 1}, {until => $gate},
                  KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

my $sock = request('/stream');

print $sock $jpeg;
$sock->flush;
ok($nginx->wait_log(qr/ktp body: (?:complete, 400000 bytes|paused)/),
   'an upload');
sleep 1.3;
KTP::Nginx::write_file($gate, '');

local $/;
my $answer = <$sock> // '';

like($answer, qr{^HTTP/1\.1 200 }, 'that waits for the upstream is in time');
unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


sub request {
    my ($path) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);

    print $sock "POST $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "Content-Type: image/jpeg\r\nContent-Length: 400000\r\n\r\n";
    return $sock;
}

# A thousand bytes twenty times a second; what came back.
sub trickle {
    my ($path, $http) = @_;

    my $sock;
    my $frame = sub {
        my ($type, $flags, $data) = @_;
        substr(pack('N', length $data), 1)
            . pack('CCN', $type, $flags, $type == 4 ? 0 : 1) . $data;
    };

    if ($http eq '1.1') {
        $sock = request($path);

    } else {
        $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $h2);
        print $sock "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . $frame->(4, 0, '')
            . $frame->(1, 4, join '', map {
                "\0" . join '', map { chr(length) . $_ } @$_
            } [':method', 'POST'], [':scheme', 'http'], [':path', $path],
              [':authority', 'a'], ['content-type', 'image/jpeg'],
              ['content-length', '400000']);
    }

    $sock->autoflush(1);
    $sock->blocking(0);
    local $SIG{PIPE} = 'IGNORE';

    my ($in, $sent) = ('', 0);
    my $deadline = time() + 10 * $KTP::Nginx::Slow;

    until ($in =~ /error_code":"\w+"/ || time() > $deadline) {
        my $part = substr $jpeg, $sent, 1000;

        syswrite $sock, $http eq '1.1' ? $part : $frame->(0, 0, $part);
        $sent += 1000;
        sleep 0.05;
        my $n = sysread $sock, $in, 65536, length $in;
        last if defined $n && $n == 0;
    }

    return $in;
}
