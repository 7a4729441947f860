# "ktp_cors": preflight requests, and what a page of another origin may read,
# errors of nginx itself included.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $jpeg = jpeg(800, 600);
my $hash = sha256_hex('key');
my $app = 'https://app.example.id';
my $h2 = KTP::Nginx::free_port();

$nginx->start($nginx->config(
    main => KTP::load_module(), http => <<"EOH",
        ktp_zone z:1m;
        ktp_client one { key_sha256 $hash; }
        log_format f '\$request_method \$uri \$status [\$ktp_outcome]';
        access_log logs/f.log f;
        limit_req_zone \$server_name zone=r:1m rate=1r/m;
        map \$http_x_html \$html { default ""; 1 html; }
EOH
    server => <<"EOC")) or BAIL_OUT($nginx->complaint);
        listen 127.0.0.1:$h2 http2;
        ktp_cors $app https://*.example.co.id http://localhost:5173;
        location = /e { ktp_pass $url/x; }
        location = /key { ktp_auth on; ktp_pass $url/x; }
        location = /deny { deny all; ktp_pass $url/x; }
        location = /small { client_max_body_size 1k; ktp_pass $url/x; }
        location = /slow { client_body_timeout 100ms; ktp_pass $url/x; }
        location = /html { ktp_json_errors off; deny all; ktp_pass $url/x; }
        location = /rate {
            limit_req zone=r;
            limit_req_status 429;
            ktp_pass $url/x;
        }
        location = /return { ktp_pass $url/x; return 403; }
        location = /page { error_page 403 /own; deny all; ktp_pass $url/x; }
        location = /own { return 200 own; }
        location = /any { ktp_cors *; ktp_pass $url/x; }
        location = /off { ktp_cors off; ktp_pass $url/x; }
        location = /sandbox { ktp_sandbox on; ktp_pass $url/x; }
        location = /status { ktp_status; }
        location = /file { }
EOC

my $port = $nginx->port;

sub ask {
    my ($method, $uri, $origin, @headers) = @_;

    push @headers, "Origin: $origin" if defined $origin;

    return KTP::Nginx::curl('-X', $method, (map { ('-H', $_) } @headers),
                            "http://127.0.0.1:$port$uri");
}

sub preflight {
    my ($uri, $origin, @headers) = @_;

    return ask('OPTIONS', $uri, $origin,
               'Access-Control-Request-Method: POST',
               'Access-Control-Request-Headers: app-id,content-type',
               @headers);
}

sub upload {
    my ($uri, $origin, @headers) = @_;

    return post($port, $uri, $jpeg, 'Content-Type: image/jpeg', @headers,
                defined $origin ? "Origin: $origin" : ());
}

# the values of a header field, by a comma
sub field {
    my ($answer, $name) = @_;

    return join ', ', $answer->{head} =~ /^\Q$name\E: (.*?)\r?$/mg;
}

sub allows {
    my ($answer, $origin, $name, %opt) = @_;

    is(field($answer, 'Access-Control-Allow-Origin'), $origin,
       "$name: the origin");
    is(field($answer, 'Access-Control-Allow-Credentials'),
       $opt{credentials} // 'true', '... credentials');
    is(field($answer, 'Vary'), $opt{vary} // 'Origin', '... what it varies by');
}

# -- preflight

my $got = preflight('/e', $app);

is($got->{status}, 204, 'a preflight request');
allows($got, $app, '...');
is(field($got, 'Access-Control-Allow-Methods'), 'POST', '... the method');
is(field($got, 'Access-Control-Allow-Headers'),
   'App-ID, API-Key, Authorization, Content-Type, Idempotency-Key, traceparent',
   '... header fields');
is(field($got, 'Access-Control-Max-Age'), 600, '... ten minutes');
is(field($got, 'Access-Control-Expose-Headers'), '', '... nothing to be read');
is($got->{body}, '', '... no body');

for my $uri (qw(/key /deny /small /rate /html /page /sandbox)) {
    $got = preflight($uri, $app);
    is($got->{status}, 204, "$uri: it needs no key, and counts for no limit");
    allows($got, $app, "... $uri");
}

is(preflight('/rate', $app)->{status}, 204, '... nor does the next');

allows(preflight('/e', 'https://a.b.example.co.id'),
       'https://a.b.example.co.id', 'a host of a domain', credentials => '');
allows(preflight('/e', 'http://localhost:5173'), 'http://localhost:5173',
       'with a port');
allows(preflight('/any', $app), '*', 'any', credentials => '', vary => '');

for my $origin ('https://example.co.id', 'https://evil.example',
                'http://app.example.id', "$app.evil.example", 'null',
                'http://localhost', "$app, $app") {
    $got = preflight('/e', $origin);
    is($got->{status}, 405, "$origin: is not allowed");
    allows($got, '', '...', credentials => '');
    is(field($got, 'Access-Control-Allow-Methods'), '', '... nor any method');
}

is(preflight('/key', 'https://evil.example')->{status}, 401,
   '... and needs a key like any other request');
is(preflight('/e', $app, "Origin: $app")->{status}, 405, 'two origins');
is(preflight('/off', $app)->{status}, 405, 'off');
allows(preflight('/off', $app), '', '...', credentials => '', vary => '');
is(preflight('/return', $app)->{status}, 403, '"return" comes first');
is(ask('OPTIONS', '/e', $app)->{status}, 405,
   'OPTIONS that asks for no method is no preflight request');
is(ask('OPTIONS', '/e', undef, 'Access-Control-Request-Method: POST')->{status},
   405, 'nor is one without an origin');

# one with a body does not spoil the connection

my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
    or BAIL_OUT("connect: $!");
my $head = "OPTIONS /e HTTP/1.1\r\nHost: a\r\nOrigin: $app\r\n"
         . "Access-Control-Request-Method: POST\r\nContent-Length: 5\r\n";

syswrite $sock, "$head\r\nhello${head}Connection: close\r\n\r\nhello";

my $both = join '', <$sock>;

is(scalar(() = $both =~ /^HTTP\/1\.1 204 /mg), 2, 'a body is skipped');

# over HTTP/2, as browsers mostly send them

my @h2 = ('--http2-prior-knowledge', '-H', "Origin: $app");

$got = KTP::Nginx::curl(@h2, '-X', 'OPTIONS', '-H',
                        'Access-Control-Request-Method: POST',
                        "http://127.0.0.1:$h2/key");
is($got->{status}, 204, 'HTTP/2: a preflight request');
like($got->{head}, qr/^access-control-allow-origin: \Q$app\E\r?$/m, '... is allowed');

KTP::Nginx::write_file($nginx->prefix . '/card.jpg', $jpeg);

for my $row (['/e', 200], ['/key', 401], ['/deny', 403]) {
    $got = KTP::Nginx::curl(@h2, '-F', 'image=@' . $nginx->prefix . '/card.jpg',
                            "http://127.0.0.1:$h2$row->[0]");
    is($got->{status}, $row->[1], "HTTP/2: $row->[0]");
    like($got->{head}, qr/^access-control-allow-origin: \Q$app\E\r?$/m,
         '... is to be read');
}

# -- answers

$got = upload('/e', $app);
is($got->{status}, 200, 'an upload');
allows($got, $app, '...');
is(field($got, 'Access-Control-Expose-Headers'),
   'Idempotency-Replayed, Retry-After, WWW-Authenticate', '... what may be read');
is(field($got, 'Access-Control-Max-Age'), '', '... it is no preflight');

allows(upload('/any', $app), '*', 'for any origin', credentials => '',
       vary => '');
allows(upload('/e', undef), '', 'no origin', credentials => '');
allows(upload('/e', 'https://evil.example'), '', 'another', credentials => '');
allows(upload('/off', $app), '', 'off', credentials => '', vary => '');

for my $row (['/key', 401, 'of this module, before the body'],
             ['/deny', 403, 'of nginx'], ['/html', 403, 'of nginx, in HTML'],
             ['/small', 413, 'of nginx, for the size'],
             ['/return', 403, 'of "return"']) {
    my ($uri, $status, $name) = @$row;

    $got = upload($uri, $app);
    is($got->{status}, $status, "an error $name");
    allows($got, $app, "... $uri");
}

upload('/rate', $app);
$got = upload('/rate', $app);
is($got->{status}, 429, 'an error of limit_req');
allows($got, $app, '...');

$got = post($port, '/e', 'x', 'Content-Type: image/jpeg', "Origin: $app");
is($got->{status}, 400, 'an error of the request');
allows($got, $app, '...');

$got = post($port, '/slow', ["\xff\xd8"], 'Content-Type: image/jpeg',
            'Content-Length: 5000', "Origin: $app");
is($got->{status}, 408, 'an error after some of the body');
allows($got, $app, '...');

$up->answer(KTP::Upstream::response('500 Error', '{"message":"x"}'));
$got = upload('/e', $app);
is($got->{status}, 500, 'an error of the upstream');
allows($got, $app, '...');
$up->reset;

# -- elsewhere

allows(upload('/page', $app), '', 'the location of an error_page',
       credentials => '', vary => '');
allows(ask('GET', $_, $app), '', "$_, no location for cards",
       credentials => '', vary => '') for qw(/file /status);

# -- it is no request for a card

my $log = KTP::Nginx::read_file($nginx->prefix . '/logs/f.log');

unlike($log, qr/^OPTIONS \S+ 204 \[[^-]/m, 'a preflight has no outcome');
is(scalar(() = $nginx->log_from =~ /\[(?:alert|crit|emerg)\]/g), 0,
   'a clean log');

my $metrics = KTP::Nginx::curl("http://127.0.0.1:$port/status")->{body};
my $counted = 0;

$counted += $1 while $metrics =~ /^ktp_requests_total\{.*\} (\d+)$/mg;
is($counted, scalar(() = $log =~ /\[[a-z]/g), '... and is not counted');

done_testing();
