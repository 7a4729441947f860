# What becomes of a request when the upstream, or the way to it, fails: the
# rows of docs/failures.md.  For each: status and body for the client, the
# outcome and whether it may be billed, how often it was sent again, how
# often the upstream had the whole of it, how long it took at most, and what
# the error log says of it: the reason, the upstream and its address.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Error;
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new(resolver => 1);
my $up = KTP::Upstream->new(buffer => 65536);
my $url = $up->url;
my $port = $up->port;

# a port that refuses, and one that accepts and says nothing
my $refused = KTP::Nginx::free_port();
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
    or die "listen: $!\n";
my $mute = $silent->sockport;

$nginx->hosts(['good.test', '127.0.0.1'], ['none.test', 'none'],
              ['slow.test', '127.0.0.1', 4000 * $slow]);

my ($connect, $read, $whole) = map { $_ * 1000 * $slow } 1.5, 1, 2;

my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed \$ktp_retries '
                   '\$ktp_upstream_status';
    access_log logs/ktp.log ktp;
    ktp_connect_timeout ${connect}ms;
    ktp_zone shop:1m;
    ktp_client shop { quota 1000/day; }
    ktp_app_id id;
    ktp_api_key key;
EOC
    server => <<"EOC",
        set \$name shop;
        location = /metrics { ktp_status; }
        location /up { ktp_pass $url/v2?token=secret; }
        location /late {
            ktp_pass $url/v2?token=secret;
            ktp_read_timeout ${read}ms;
        }
        location /trickle {
            ktp_pass $url/v2?token=secret;
            ktp_timeout ${whole}ms;
        }
        location /up-again-3 { ktp_pass $url/v2?token=secret; ktp_retries 3; ktp_keepalive 0; }
        location /up-never { ktp_pass $url/v2?token=secret; ktp_retries 0; }
        location /up-never-fresh {
            ktp_pass $url/v2?token=secret;
            ktp_retries 0;
            ktp_keepalive 0;
        }
        location /up-fresh { ktp_pass $url/v2?token=secret; ktp_keepalive 0; }
        location /refused { ktp_pass http://127.0.0.1:$refused/v2; }
        location /unreachable { ktp_pass http://255.255.255.255/v2; }
        location /no-name { ktp_pass http://none.test:$port/v2; }
        location /slow-name { ktp_pass http://slow.test:$port/v2; }
        location /plain-tls { ktp_pass https://127.0.0.1:$port/v2; }
        location /mute-tls { ktp_pass https://127.0.0.1:$mute/v2; }
        location /no-proxy {
            ktp_pass $url/v2?token=secret;
            ktp_egress_proxy http://127.0.0.1:$refused;
        }
        location /keyed {
            ktp_pass $url/v2?token=secret;
            ktp_auth \$name;
        }
        location /busy { ktp_pass $url/v2?token=secret; ktp_max_inflight 1; }
        location /quick { return 200 "quick\\n"; }
EOC
    log_level => 'info');

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

my $small = json_body(jpeg(800, 600, size => 40_000));

# more than the buffers of two sockets take
my $large = json_body(jpeg(800, 600, size => 5_000_000));

my $ours = KTP::Error::like('INTERNAL_SERVER_ERROR');
my $result = qr/"nik":"3171234567890001"/;

sub answer { return KTP::Upstream::response(@_) }

my $good = answer('200 OK', $KTP::Upstream::Body);

# One row: a name, a location, what the upstream does, and what is expected:
# [status, body, outcome, billed, times sent again, whole requests], the
# milliseconds of the timeout that ends it, and the reason that is logged, '' for none.
sub row {
    my ($name, $uri, $steps, $want, %opt) = @_;

    my ($status, $body, $outcome, $billed, $retries, $calls) = @$want;

    $up->reset unless $opt{keep};
    $up->answer(@$steps) if @$steps;

    my $from = -s $nginx->prefix . '/logs/ktp.log' || 0;
    my $errors = length $nginx->log_from(0);
    my $got = post($nginx->port, $uri, $opt{large} ? $large : $small);

    is($got->{status}, $status, "$name: status");
    like($got->{body}, $body, "$name: body");

    my $log = log_line($from, $uri);

    like($log, qr/^\Q$uri\E $status $outcome $billed ?$retries /,
         "$name: $outcome, billed $billed, sent again $retries");
    is(scalar $up->calls, $calls, "$name: whole requests at the upstream")
        if defined $calls;

    my @told = $nginx->log_from($errors) =~ /\[error\] .*upstream.*/g;

    if (my $reason = $opt{reason}) {
        is(scalar @told, 1, "$name: one line at the level error");
        like($told[0], qr/upstream [^()]+ \($reason\)/, "$name: $reason");
        like($told[0], qr{ upstream: "https?://[^"?]+/v2", address: "[0-9.:]*"},
             "$name: with the upstream and its address");
        like($got->{body}, qr/"reason":"$reason"/, "$name: told to the client")
            if $got->{status} >= 500 && $reason =~ /^[(a-z]/
               && $got->{body} =~ /"reason"/;

    } else {
        is("@told", '', "$name: nothing at the level error");
    }

    # as soon as a timeout that is set here expires, and long before any other
    my $at = ($opt{at} || 0) / 1000;

    cmp_ok($got->{seconds}, '>', $at - 0.1, "$name: after $at seconds")
        if $at;
    cmp_ok($got->{seconds}, '<', $at + 10 * $slow,
           "$name: within $at seconds and a few");

    return $got;
}


# Calls that are counted against the quota of the client.
sub used {
    return KTP::Nginx::curl("http://127.0.0.1:@{[$nginx->port]}/metrics")->{body}
        =~ /^ktp_client_quota_used_calls\{\S*shop\S*\} (\d+)/m ? $1 : '';
}


sub log_line {
    my ($from, $uri) = @_;

    my $file = $nginx->prefix . '/logs/ktp.log';
    my $line = '';

    KTP::Nginx::wait_for(sub {
        ($line) = KTP::Nginx::read_file($file, $from)
                  =~ /^(\Q$uri\E .*)\n/m;
    });

    return $line // '';
}


# -- it works, first of all

row('no failure', '/up', [], [200, $result, 'ok', 'yes', 0, 1]);


# -- there is no connection

my @unsent = (502, $ours, 'upstream_error', 'no');
my @late = (504, $ours, 'timeout', 'no');

row('connection refused', '/refused', [], [@unsent, 1, 0], reason => 'connect');
row('network unreachable', '/unreachable', [], [@unsent, 1, 0], reason => 'connect');
row('no such name', '/no-name', [], [@unsent, 0, 0], reason => 'dns');
row('resolver silent', '/slow-name', [], [@late, 0, 0], at => $connect, reason => 'timeout');
row('proxy refused', '/no-proxy', [], [@unsent, 1, 0], reason => 'connect');
row('plain HTTP on the TLS port', '/plain-tls',
    [{ early => 1 }, "HTTP/1.1 400 Bad Request\r\n\r\n", { close => 1 }],
    [@unsent, 1, 0], reason => 'tls');
row('TLS handshake never answered', '/mute-tls', [], [@late, 0, 0],
    at => $connect, reason => 'timeout');


# -- it breaks

my @unknown = (502, $ours, 'upstream_error', 'unknown');

row('reset before the request', '/up-fresh',
    [{ accept => 1 }, { reset => 1 }],
    [502, $ours, 'upstream_error', '(?:no 1|unknown [01])', ''], reason => '(?:reset|connect)');
row('reset before the request, once', '/up-fresh',
    [{ once => 1 }, { accept => 1 }, { deaf => 1 }, { delay => 0.1 },
     { reset => 1 }],
    [200, $result, 'ok', 'yes', 1, 1], large => 1);
row('reset while the request is sent', '/up-fresh',
    [{ accept => 1 }, { deaf => 1 }, { delay => 0.1 }, { reset => 1 }],
    [@unsent, 1, 0], large => 1,
    reason => 'reset');
row('the same, with three retries', '/up-again-3',
    [{ accept => 1 }, { deaf => 1 }, { delay => 0.1 }, { reset => 1 }],
    [@unsent, 3, 0], large => 1,
    reason => 'reset');
row('the same, with none', '/up-never-fresh',
    [{ accept => 1 }, { deaf => 1 }, { delay => 0.1 }, { reset => 1 }],
    [@unsent, 0, 0], large => 1,
    reason => 'reset');
row('reset after the request', '/up-fresh', [{ reset => 1 }],
    [@unknown, 0, 1], reason => 'reset');
row('closed after the request', '/up-fresh', [{ close => 1 }],
    [@unknown, 0, 1], reason => 'reset');
row('reset after the head', '/up-fresh',
    ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", { reset => 1 }],
    [@unknown, 0, 1], reason => 'reset');
row('cut answer', '/up-fresh',
    ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
     . "Content-Length: 100\r\n\r\n{\"message\":", { close => 1 }],
    [@unknown, 0, 1], reason => 'reset');
row('cut chunked answer', '/up-fresh',
    ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
     . "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", { close => 1 }],
    [@unknown, 0, 1], reason => 'reset');


# -- a connection that was kept, closed under us

row('a connection to keep', '/up', [], [200, $result, 'ok', 'yes', 0, 1]);
row('kept connection reset while the request is sent', '/up',
    [{ once => 1 }, { early => 1 }, { deaf => 1 }, { delay => 0.1 },
     { reset => 1 }],
    [200, $result, 'ok', 'yes', 1, 1], large => 1);
row('kept connection reset after the request', '/up',
    [{ once => 1 }, { reset => 1 }], [@unknown, 0, 1], reason => 'reset');

row('another one to keep', '/up', [], [200, $result, 'ok', 'yes', 0, 1]);
row('kept connection reset, no retry', '/up-never',
    [{ once => 1 }, { early => 1 }, { deaf => 1 }, { delay => 0.1 },
     { reset => 1 }], [@unsent, 0, 0], large => 1,
    reason => 'reset');


# -- it is late

my @late_unknown = (504, $ours, 'timeout', 'unknown');

row('silence', '/late', [{ hang => 1 }], [@late_unknown, 0, 1],
    at => $read, reason => 'timeout');
row('silence in the answer', '/late',
    [substr($good, 0, -10), { hang => 1 }], [@late_unknown, 0, 1],
    at => $read, reason => 'timeout');
row('trickle', '/trickle',
    [map { (substr($good, $_, 1), { delay => 0.1 * $slow }) } 0 .. 60],
    [@late_unknown, 0, 1], at => $whole, reason => 'timeout');
row('an upstream that reads nothing', '/late',
    [{ accept => 1 }, { deaf => 1 }, { hang => 1 }], [@late, 0, 0],
    large => 1, at => $read, reason => 'timeout');


# -- it is no answer

row('too large an answer', '/up',
    [answer('200 OK', '{"a":"' . 'x' x 300_000 . '"}')], [@unknown, 0, 1], reason => 'too_large');
row('too large an answer with no length', '/up',
    ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
     . '{"a":"' . 'x' x 300_000, { close => 1 }], [@unknown, 0, 1], reason => 'too_large');
row('too large a head', '/up',
    ["HTTP/1.1 200 OK\r\n" . "X-Filler: @{['x' x 8000]}\r\n" x 80,
     { close => 1 }], [@unknown, 0, 1], reason => 'head_too_large');

my @yes = (502, $ours, 'upstream_error', 'yes', 0, 1);

row('not JSON', '/up',
    [answer('200 OK', 'it works', 'Content-Type: application/json')], [@yes], reason => 'not_json');
row('an array', '/up', [answer('200 OK', '[1]')], [@yes], reason => 'not_json');
row('nothing', '/up', [answer('200 OK', '')], [@yes], reason => 'not_json');
row('wrong content type', '/up',
    [answer('200 OK', $KTP::Upstream::Body, 'Content-Type: text/html')],
    [@yes], reason => 'content_type');
row('no content type', '/up',
    [answer('200 OK', $KTP::Upstream::Body, 'X: y')], [@yes], reason => 'content_type');
row('garbage', '/up', ["\0\1\2\3garbage\r\n\r\n", { close => 1 }],
    [@unknown, 0, 1], reason => 'protocol');
row('HTTP/0.9', '/up', [$KTP::Upstream::Body, { close => 1 }],
    [@unknown, 0, 1], reason => 'protocol');
row('a length that is none', '/up',
    ["HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", { close => 1 }],
    [@unknown, 0, 1], reason => 'protocol');
row('a chunk that is none', '/up',
    ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
     . "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
     { close => 1 }], [@unknown, 0, 1], reason => 'protocol');
row('switched protocols', '/late',
    ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
     . "Connection: Upgrade\r\n\r\n", { hang => 1 }],
    [@late_unknown, 0, 1], at => $read, reason => 'timeout');
row('redirect', '/up',
    ["HTTP/1.1 302 Found\r\nLocation: $url/elsewhere\r\n"
     . "Content-Length: 0\r\n\r\n"], [@unknown, 0, 1], reason => 'redirect');
row('no content', '/up', ["HTTP/1.1 204 No Content\r\n\r\n"],
    [@unknown, 0, 1], reason => 'bad_status');

# libcurl rejects it since 8.20

$up->answer(answer('200 OK', $KTP::Upstream::Body,
                   "Content-Type: application/json;\rSet-Cookie: a=b"));
my $from = -s $nginx->prefix . '/logs/ktp.log';
my $got = post($nginx->port, '/up', $small);
like($got->{status}, qr/^(?:200|502)$/, 'a type with a line break in it');

# its line, which the next row would take for its own
isnt(log_line($from, '/up'), '', 'it is logged');
unlike($got->{head}, qr/Set-Cookie/, 'the line break is not passed on');


# -- it is an answer, of a kind

row('100 and 103 before it', '/up',
    ["HTTP/1.1 100 Continue\r\n\r\n",
     "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", $good],
    [200, $result, 'ok', 'yes', 0, 1]);

row('a photo of bad quality', '/up',
    [answer('200 OK', '{"message":"m","error_code":"FAIL_ON_1","data":{}}')],
    [200, qr/FAIL_ON_1/, 'bad_quality', 'yes', 0, 1]);
row('another code with status 200', '/up',
    [answer('200 OK', '{"message":"m","error_code":"FAIL_ON_2","data":{}}')],
    [200, qr/FAIL_ON_2/, 'ok', 'yes', 0, 1]);

# a refusal of the same kind is told once a minute

for my $case ([400, '', 'upstream_error', 'unknown', 'bad_status'],
              [400, 'KTP_NOT_DETECTED', 'not_accepted', 'unknown'],
              [400, 'INVALID_PAYLOAD_IMAGE_SIZE', 'not_accepted', 'unknown'],
              [400, 'INVALID_PAYLOAD_REFERENCE_ID_EXISTS', 'not_accepted',
               'unknown'],
              [413, 'INVALID_PAYLOAD_IMAGE_SIZE', 'not_accepted', 'unknown'],
              [401, 'UNAUTHORIZED', 'upstream_refused', 'no', '401'],
              [402, 'PAY', 'upstream_refused', 'no', '402'],
              [403, 'OTHER', 'upstream_refused', 'no'],
              [403, 'INSUFFICIENT_QUOTA', 'upstream_refused', 'no'],
              [429, 'TOO_MANY_REQUESTS', 'upstream_limited', 'no', '429'],
              [500, 'INTERNAL_SERVER_ERROR', 'upstream_error', 'unknown',
               'bad_status'],
              [503, 'KTP_NOT_DETECTED', 'upstream_error', 'unknown',
               'bad_status']) {
    my ($status, $code, $outcome, $billed, $reason) = @$case;
    my $body = "{\"message\":\"m\",\"error_code\":\"$code\"}";

    row("the vendor's $status $code", '/up', [answer("$status Status", $body)],
        [$status, qr/^\Q$body\E$/, $outcome, $billed, 0, 1],
        reason => $reason);
}

# the keys that are refused are not those of a client that has its own

for my $case ([401, 'UNAUTHORIZED', 502, 'upstream_refused', 401],
              [402, 'X', 502, 'upstream_refused', 402],
              [403, 'INSUFFICIENT_QUOTA', 502, 'upstream_refused'],
              [403, 'FORBIDDEN', 502, 'upstream_refused'],
              [429, 'X', 429, 'upstream_limited', 429]) {
    my ($status, $code, $want, $outcome, $reason) = @$case;
    my $body = "{\"message\":\"m\",\"error_code\":\"$code\"}";

    row("the vendor's $status $code, ktp_auth", '/keyed',
        [answer("$status Status", $body)],
        [$want, $want == 502 ? $ours : qr/^\Q$body\E$/, $outcome, 'no', 0, 1],
        reason => $reason);
}

row('a page with status 401', '/up-never',
    [answer('401 Status', '<html>', 'Content-Type: text/html')],
    [502, $ours, 'upstream_refused', 'no', 0, 1], reason => 401);


# -- an answer that costs nothing, and is not counted

my $local = $KTP::Upstream::Body =~ s/V-1/LOCAL-0/r;

row('an answer of the local extractor', '/keyed', [answer('200 OK', $local)],
    [200, qr/LOCAL-0/, 'ok', 'no', 0, 1]);
is(used(), 0, 'the quota is not charged for it');
row('a bad photo at the local extractor', '/keyed',
    [answer('200 OK', '{"message":"m","status_code":"LOCAL-0",'
            . '"error_code":"FAIL_ON_1","data":{}}')],
    [200, qr/LOCAL-0/, 'bad_quality', 'no', 0, 1]);
is(used(), 0, 'nor for this');
row('an error of the local extractor', '/keyed',
    [answer('400 Bad Request', '{"message":"KTP not detected",'
            . '"error_code":"KTP_NOT_DETECTED","status_code":"LOCAL-0"}')],
    [400, qr/LOCAL-0/, 'not_accepted', 'no', 0, 1]);
is(used(), 0, 'nor for its error');
row('one of the vendor', '/keyed', [$good],
    [200, $result, 'ok', 'yes', 0, 1]);
is(used(), 1, 'but for that of the vendor');

row("a page with status 503", '/up',
    [answer('503 Status', '<html>', 'Content-Type: text/html')],
    [@unknown, 0, 1], reason => 'bad_status');
row('refused before the request is whole', '/up-fresh',
    [{ early => 200_000 }, answer('403 Forbidden', '{"error_code":"X"}'),
     { deaf => 1 }, { delay => 0.3 }, { close => 1 }],
    [403, qr/"X"/, 'upstream_refused', 'no', 0, 0], large => 1,
    reason => 403);


# -- the gateway has enough to do

{
    my $gate = $nginx->prefix . '/gate';

    $up->reset;
    $up->answer({ once => 1 }, { until => $gate }, $good);

    my $first = post_begin($nginx->port, '/busy', $small);

    my $pid = fork // die "fork: $!\n";
    unless ($pid) {
        POSIX::_exit(answer_of($first)->{status} == 200 ? 0 : 1);
    }

    $up->wait_calls(1);

    my $second = post($nginx->port, '/busy', $small);
    is($second->{status}, 503, 'one call more than ktp_max_inflight: 503');
    like($second->{body}, qr/SERVICE_UNAVAILABLE/, 'its body');
    is(waitpid($pid, POSIX::WNOHANG()), 0, 'it is told at once');

    KTP::Nginx::write_file($gate, '');
    waitpid $pid, 0;
    is($?, 0, 'the call in flight is not disturbed');
    is(post($nginx->port, '/busy', $small)->{status}, 200,
       'there is a place again');
}

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;

done_testing();
