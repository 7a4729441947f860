# One worker; 50 calls wait on an upstream that holds its answers back, and
# another location is answered meanwhile.

use strict;
use warnings;

use lib 't/lib';
use IO::Select;
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $calls = 50;
my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $gate = $nginx->prefix . '/gate';
my $url = $upstream->url;

$upstream->answer({until => $gate},
                  KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

my $conf = $nginx->config(log_level => 'info', main => KTP::load_module(),
                          server => <<EOC);
        location = /e { ktp_pass $url/x; }
        location = /ping { return 200 "pong"; }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

my $body = jpeg(800, 600, size => 100_000);
my @clients = map {
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);
    print $sock "POST /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "Content-Type: image/jpeg\r\nContent-Length: "
              . length($body) . "\r\n\r\n$body";
    $sock->flush;
    $sock;
} 1 .. $calls;

ok($upstream->wait_calls($calls), "$calls calls are at the upstream");

my $select = IO::Select->new(@clients);
my $pong = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/ping');

is($pong->{body}, 'pong', 'another location is answered');
is(my @none = $select->can_read(0), 0, 'while no call is');

KTP::Nginx::write_file($gate, '');

my $answered = grep {
    my $sock = $_;
    local $/;
    my $text = <$sock>;
    $text =~ m{^HTTP/1\.1 200 .*\Q$KTP::Upstream::Body\E$}s;
} @clients;

is($answered, $calls, 'every call is answered in the end');
unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();
