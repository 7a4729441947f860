# "upstream" blocks under ktp_pass: peers are chosen by the balancers of nginx
# and connected to by libcurl.

use strict;
use warnings;

use lib 't/lib';
use IO::Select;
use IO::Socket::INET;
use KTP ();
use KTP::Client qw(answer_of);
use KTP::Flights;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $socket = KTP::Nginx::scratch_dir() . '/peer.sock';
my ($a, $b) = map { KTP::Upstream->new } 1 .. 2;
my $unix = KTP::Upstream->new(unix => $socket);
my ($pa, $pb) = map { '127.0.0.1:' . $_->port } $a, $b;
my $refused = KTP::Nginx::free_port();
my $dead = "127.0.0.1:$refused";
my $short = 300 * $slow;

# for a peer that answers after one that does not
my $long = 3 * $slow;

# one whose queue of connections is full: a further one is not answered
my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 0)
    or die "listen: $!\n";
my @fill;

for (1 .. 10) {
    push @fill, IO::Socket::INET->new(PeerPort => $full->sockport, Timeout => 0.2,
                                      PeerAddr => '127.0.0.1') || last;
}

my $dir = KTP::Nginx::scratch_dir();
my $tls = KTP::Nginx::free_port();

system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
       . " -keyout $dir/key -out $dir/pem -days 2 -subj /CN=api.test"
       . " -addext subjectAltName=DNS:api.test >/dev/null 2>&1") == 0
    or die "openssl\n";

my $blocks = <<"EOC";
    upstream secure { server $dead; server 127.0.0.1:$tls; }
    log_format tls '\$ssl_server_name \$http_host \$request_uri';
    server {
        listen 127.0.0.1:$tls ssl;
        ssl_certificate $dir/pem;
        ssl_certificate_key $dir/key;
        access_log $dir/tls.log tls;
        location / { proxy_pass http://$pa; }
    }
    upstream rr { server $pa; server $pb; }
    upstream weights { zone weights 64k; server $pa weight=3; server $pb; }
    upstream least { zone least 64k; least_conn; server $pa; server $pb; }
    upstream hashed { hash \$arg_k consistent; server $pa; server $pb; }
    upstream randomly { random; server $pa; server $pb; }
    upstream dead { server $dead max_fails=0; server $pa; }
    upstream marked { zone marked 64k; server $dead max_fails=1 fail_timeout=1h; server $pa; }
    upstream backup { server $dead; server $pb backup; }
    upstream none { server $dead max_fails=1 fail_timeout=1h; server 127.0.0.2:$refused max_fails=1 fail_timeout=1h; }
    upstream full { server 127.0.0.1:@{[$full->sockport]}; server $pa backup; }
    upstream local { server unix:$socket; }
    upstream mixed { server unix:$socket; server $pa; }
    upstream kept { server $pa; keepalive 4; }
    upstream one { zone one 64k; server $pa max_conns=1; }
    upstream with_underscore { server $pa; }
    upstream first { server $pa max_fails=0; server $pb backup; }
    upstream alone { server $pa max_fails=0; }
EOC

my @names = qw(rr weights least hashed randomly dead marked backup none local
               mixed kept one with_underscore);
my $server = join '', map { "        location = /$_ { ktp_pass http://$_/v2/$_?q=1; }\n" } @names;

$server .= <<"EOC";
        location = /full { ktp_pass http://full/x; ktp_connect_timeout ${short}ms; }
        location = /never { ktp_pass http://dead/x; ktp_retries 0; }
        location = /host { ktp_pass http://rr/v2; ktp_host api.test; }
        location = /tls {
            ktp_pass https://secure/v2;
            ktp_host api.test;
            ktp_ssl_trusted_certificate $dir/pem;
        }
        location = /tls-named {
            ktp_pass https://secure/v2;
            ktp_ssl_name api.test;
            ktp_ssl_trusted_certificate $dir/pem;
        }
        location = /tls-other {
            ktp_pass https://secure/v2;
            ktp_ssl_trusted_certificate $dir/pem;
        }
        location = /proxied { proxy_pass http://kept/plain; proxy_http_version 1.1; proxy_set_header Connection ''; }
        location = /one-late { ktp_pass http://one/x; ktp_read_timeout 100ms; }
        location = /one-stream { ktp_pass http://one/x; ktp_request_buffering off; }
        location = /sent { ktp_pass http://$dead/x; ktp_fallback \@sent; }
        location = /sent-not { ktp_pass http://$dead/x; ktp_fallback \@sent-not; }
        location = /sent-alone { ktp_pass http://$dead/x; ktp_fallback \@sent-alone; }
        location \@sent { ktp_pass http://first/x; ktp_read_timeout ${long}s; ktp_retries 1 sent; }
        location \@sent-not { ktp_pass http://first/x; ktp_read_timeout ${short}ms; }
        location \@sent-alone { ktp_pass http://alone/x; ktp_retries 1 sent; }
        location = /if { ktp_pass http://rr/v2; if (\$arg_k) { set \$x 1; } }
EOC

ok(KTP::Flights::start($nginx, $a->url, workers => 1, dedupe => '',
                       http => "$blocks    ktp_max_image_size 6m;\n",
                       server => $server), 'nginx starts')
    or BAIL_OUT($nginx->complaint);

my $form = ['image/jpeg', photo(1)];
my $bad = KTP::Upstream::response('503 Unavailable', '{"message":"down"}');

sub ask {
    my ($uri) = @_;

    my ($pid) = $nginx->workers;

    return answer_of(begin($nginx, $pid, $form, uri => $uri));
}

sub status { return ask(@_)->{status} }
sub counts { return join ' ', map { scalar $_->calls } $a, $b }
sub fresh { $_->reset for $a, $b, $unix }


# balancers

for my $case ([rr => 4, '2 2'], [weights => 8, '6 2'], [least => 4, '2 2']) {
    my ($name, $n, $want) = @$case;

    fresh();
    is(join(' ', map { status("/$name") } 1 .. $n), join(' ', (200) x $n),
       "$name: calls are answered");
    is(counts(), $want, "$name: by both peers");
}

fresh();
is(status('/hashed?k=1'), 200, 'hash') for 1 .. 4;
like(counts(), qr/^(?:4 0|0 4)$/, 'always the same peer');
fresh();
status("/hashed?k=$_") for 1 .. 16;
like(counts(), qr/^[1-9]\d* [1-9]/, 'another key, another peer');
fresh();
is(status('/randomly'), 200, 'random') for 1 .. 3;

my ($call) = ($a->calls, $b->calls);
like($call->{head}, qr{^POST /v2/randomly\?q=1 HTTP/1\.1\r\n}, 'the URI');
like($call->{head}, qr{^Host: randomly\r$}m, 'Host is the name of the block');
fresh();
is(status('/host'), 200, 'ktp_host');
($call) = ($a->calls, $b->calls);
like($call->{head}, qr{^Host: api\.test\r$}m, '... is sent as Host');
is(status('/with_underscore'), 200, 'a name with an underscore');
is(status('/if?k=1'), 200, 'an "if" block inherits it');

my $before = $a->connections;
is(status('/with_underscore'), 200, 'a further call') for 1 .. 3;
is($a->connections, $before, 'connections are kept alive');


# a peer is left for the next

fresh();
is(status('/dead'), 200, 'a dead peer is left') for 1 .. 4;
is(scalar $a->calls, 4, 'for the other');
is(join(' ', sort map { status('/never') } 1 .. 2), '200 502', 'not without retries');
my $from = length $nginx->log_from(0);
is(status('/marked'), 200, 'a peer that fails') for 1 .. 4;
is(scalar(() = $nginx->log_from($from) =~ /retrying upstream call/g), 1,
   'is tried once in fail_timeout');
is(status('/backup'), 200, 'backup') for 1 .. 2;

SKIP: {
    skip 'the queue of this kernel does not fill up', 1 if @fill == 10;
    is(status('/full'), 200, 'a connection that is not answered');
}


fresh();
$a->answer($bad);
$b->answer($bad);
is(status('/rr'), 503, 'an error after the request was sent');
my $sent = counts();
like($sent, qr/^(?:1 0|0 1)$/, '... is not sent to another peer');

fresh();
$_->answer({close => 1}) for $a, $b;
is(status('/rr'), 502, 'a connection lost after the request was sent');
like(counts(), qr/^(?:1 0|0 1)$/, '... neither');

# "sent" of ktp_retries

for (['a lost connection', [{close => 1}]], ['no answer', [{hang => 1}]]) {
    my ($name, $end) = @$_;

    fresh();
    $a->answer(@$end);
    is(status('/sent-not'), 502, "$name after the request was sent");
    is(counts(), '1 0', '... is the end');
    is(status('/sent'), 200, '... but not with "sent"');
    is(counts(), '2 1', '... the other peer has answered');
}

fresh();
$_->answer({close => 1}) for $a, $b;
is(status('/sent'), 502, 'no more retries than that');
is(counts(), '1 1', '... with "sent" either');

fresh();
$a->answer($bad);
is(status('/sent'), 502, 'a response is the end');
is(counts(), '1 0', '... with "sent" as well');

fresh();
is(status('/sent-alone'), 200, 'a connection that is kept');
$a->answer({once => 1}, {close => 1});
is(status('/sent-alone'), 200, '... and lost after the request was sent');
is(counts(), '3 0', '... is replaced');

fresh();
is(status('/none'), 502, 'all peers are dead');
$from = length $nginx->log_from(0);
my $answer = ask('/none');
is($answer->{status}, 502, 'and known to be');
like($answer->{body}, qr/"reason":"connect"/, 'the reason');
like($nginx->log_from($from), qr/\[error\] .*no live peers in upstream "none"/, 'in the log');


# TLS

is(status('/tls'), 200, 'TLS') for 1 .. 2;
is(status('/tls-named'), 200, 'ktp_ssl_name') for 1 .. 2;
is(status('/tls-other'), 502, 'a certificate for another name') for 1 .. 2;
ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::read_file("$dir/tls.log")
        eq "api.test api.test /v2\n" x 2 . "api.test secure /v2\n" x 2
}), 'SNI and Host') or diag(KTP::Nginx::read_file("$dir/tls.log"));


# Unix sockets

is(status('/local'), 200, 'a Unix socket');
is(scalar $unix->calls, 1, '... is connected to');
fresh();
is(status('/mixed'), 200, 'both kinds') for 1 .. 4;
is(join(' ', scalar $unix->calls, scalar $a->calls), '2 2', 'alternate');


# with keepalive of the block, and proxy_pass

fresh();
for (1 .. 3) {
    is(status('/proxied'), 200, 'proxy_pass');
    is(status('/kept'), 200, 'ktp_pass');
}
is(scalar $a->calls, 6, 'six requests');


# a peer is given back once, whatever ends the call: it has one connection

sub is_free { my ($name) = @_; fresh(); is(status('/one'), 200, "given back after $name") }

is_free('nothing');
$a->answer($bad);
status('/one');
is_free('an error');
$a->answer({close => 1});
status('/one');
is_free('a lost connection');
$a->answer({hang => 1});
is(status('/one-late'), 504, 'a timeout');
is_free('a timeout');

fresh();
$a->answer({hang => 1});
my ($pid) = $nginx->workers;
my $held = begin($nginx, $pid, $form, uri => '/one');
$a->wait_calls(1);
is(status('/one'), 502, 'max_conns is reached');
close $held->{sock};
fresh();
ok(KTP::Nginx::wait_for(sub { status('/one') == 200 }), 'given back after an abort');

my $png = png(800, 600, size => 400_000);
my $sock = worker_socket($nginx, $pid);
$from = length $nginx->log_from(0);
print $sock "POST /one-stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            . "Content-Type: image/png\r\nContent-Length: " . length($png)
            . "\r\n\r\n" . substr $png, 0, 200_000;
$sock->flush;
ok(KTP::Nginx::wait_for(sub { status('/one') == 502 }), 'a streamed call has it');
close $sock;
ok(KTP::Nginx::wait_for(sub { status('/one') == 200 }), 'given back after a client left');


# over a reload

fresh();
$a->answer({hang => 1});
$held = begin($nginx, $pid, $form, uri => '/one');
$a->wait_calls(1);
$nginx->signal('HUP');
ok(KTP::Nginx::wait_for(sub { grep { $_ != $pid } $nginx->workers }), 'a new worker');
close $held->{sock};
ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($pid) }), 'the old one leaves');
fresh();
is(status('/one'), 200, 'the peer is free');
is(status('/weights'), 200, 'a zone that is inherited');

unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\]/, 'no alert');
$nginx->stop;
is(KTP::Nginx::reports(), '', 'no sanitizer report');


# what is refused

my ($rc, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(), http => $blocks . 'ktp_egress_proxy http://127.0.0.1:1;',
    server => 'location = /x { ktp_pass http://rr/x; }'));
isnt($rc, 0, 'with a proxy');
like($said, qr/"ktp_egress_proxy" cannot be used with the block "upstream rr" of "ktp_pass"/,
     'which nginx -t says');

# a block is on this machine if all its servers are

for my $case (['unix:/s', 0], ['127.0.0.1:1; server unix:/s', 0],
              ['127.0.0.1:1; server 192.0.2.1:1', 1]) {
    ($rc, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(), http => "upstream localhost { server $case->[0]; }",
        server => 'location = /x { allow all; ktp_pass http://localhost/x; }'));
    is($rc, 0, "servers $case->[0]") or diag($said);
    is(scalar(() = $said =~ /without "ktp_app_id"/g), $case->[1], 'a warning for others');
}

done_testing();
