# "ktp_request_buffering off": the request goes on as it arrives, and is
# never whole before every check has passed.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $read = 1000 * $slow;

my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed \$ktp_retries '
                   '\$ktp_image_bytes';
    log_format sent '\$ktp_outcome \$ktp_upstream_bytes_sent';
    access_log logs/sent.log sent;
    access_log logs/ktp.log ktp;
    ktp_request_buffering off;
EOC
    server => <<"EOC",
        location /s { ktp_pass $url/v2; }
        location /hasty { ktp_pass $url/v2; ktp_read_timeout ${read}ms; }
        location = /s/quality { ktp_pass $url/v2; ktp_validate_quality on; }
        location = /whole { ktp_pass $url/v2; ktp_request_buffering on; }
EOC
    log_level => 'info');

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

sub log_has {
    my ($line) = @_;

    my $file = $nginx->prefix . '/logs/ktp.log';

    return KTP::Nginx::wait_for(sub {
        KTP::Nginx::read_file($file) =~ /^$line$/m
    });
}

# Begins a request and sends the first bytes of its body only.
sub begin {
    my ($uri, $body, $n, @headers) = @_;

    my $call = post_begin($nginx->port, $uri, $body, @headers);
    my $all = length $call->{out};
    my $send = $all - length($body) + $n;

    $call->{sock}->blocking(1);

    my $sent = 0;
    $sent += $call->{sock}->syswrite($call->{out}, $send - $sent, $sent)
        while $sent < $send;

    substr($call->{out}, 0, $send) = '';

    return $call;
}

sub more {
    my ($call, $n) = @_;

    $call->{sock}->syswrite(substr $call->{out}, 0, $n, '');
}

# a PNG, for the padding of jpeg() is before the header with the dimensions
my $image = png(800, 600, size => 200_000);
my $base64 = base64($image);
my $json = "{\"is_quality\":true,\"image\":\"$base64\","
         . '"validate_quality":true,"reference_id":"r1"}';
my $multipart = multipart(['is_quality', 'true'],
                          ['image', $image, 'a.png', 'image/png'],
                          ['validate_quality', 'true'],
                          ['reference_id', 'r1']);
my $want = "{\"image\":\"$base64\",\"validate_quality\":true,"
         . '"is_quality":true,"reference_id":"r1"}';

sub dechunk {
    my ($raw) = @_;

    my $out = '';

    while ($raw =~ s/\A([0-9a-f]+)\r\n//i && hex $1) {
        $out .= substr $raw, 0, hex $1, '';
        substr($raw, 0, 2) = '';
    }

    return $out;
}


# -- it goes on as it arrives, whatever the way in

for my $case (
    ['json', '/hasty', $json, 'Content-Type: application/json'],
    ['multipart', '/hasty', $multipart,
     'Content-Type: multipart/form-data; boundary=ktp'],
    ['a bare file', '/hasty?validate_quality=true&is_quality=true&reference_id=r1',
     $image, 'Content-Type: image/png']) {

    my ($name, $uri, $body, $type) = @$case;

    $up->reset;

    my $before = $up->received;
    my $call = begin($uri, $body, int(length($body) / 2), $type);

    ok(KTP::Nginx::wait_for(sub { $up->received > $before + 90_000 }),
       "$name: half of it is with the upstream");
    is(scalar(my @calls = $up->calls), 0, "$name: not all of it");

    # longer than ktp_read_timeout: that is not the client's
    sleep 1.5 * $read / 1000;

    my $got = answer_of($call);
    is($got->{status}, 200, "$name: answered");

    my ($last) = $up->calls;
    my $sent = $last->{body};

    if ($name eq 'a bare file') {
        like($last->{head}, qr/^Content-Length: @{[length $want]}\r$/m,
             "$name: its length is known");

    } else {
        like($last->{head}, qr/^Transfer-Encoding: chunked\r$/m,
             "$name: in chunks");
        $sent = dechunk($sent);
    }

    ok($sent eq $want, "$name: the upstream got what it should")
        or diag(substr $sent, 0, 100);
}

ok(log_has('/hasty 200 ok yes 0 200000'), 'the log has its facts');

$up->reset;
is(post($nginx->port, '/s/quality', $json)->{status}, 200,
   'ktp_validate_quality holds');
my ($last) = $up->calls;
like($last->{body}, qr/"validate_quality":true/, 'in what is sent');

for my $size (5_000_000, 1_000_003) {
    my $file = png(2000, 1500, size => $size);

    for my $case (['application/json', json_body($file)],
                  ['image/png', $file]) {
        $up->reset;

        my $got = post($nginx->port, '/s', $case->[1],
                       "Content-Type: $case->[0]");

        is($got->{status}, 200, "$size bytes as $case->[0]");

        my ($call) = $up->calls;
        my $sent = $call->{head} =~ /chunked/ ? dechunk($call->{body})
                                              : $call->{body};
        ok($sent eq json_body($file), 'all of it');
    }
}


# -- the client's own body in chunks: its length is not known ahead

sub in_chunks {
    my ($body, $size, $type) = @_;

    my @chunks = map { sprintf("%x\r\n", length) . "$_\r\n" }
        unpack "(a$size)*", $body;

    return ([@chunks, "0\r\n\r\n"],
            'Transfer-Encoding: chunked', "Content-Type: $type");
}

for my $size (1000, 20_000, 200_000) {
    for my $case (['application/json', json_body($image)],
                  ['image/png', $image]) {

        my ($type, $body) = @$case;

        $up->reset;

        my $got = post($nginx->port, '/s', in_chunks($body, $size, $type));
        is($got->{status}, 200, "$type in chunks of $size bytes");

        my ($call) = $up->calls;
        like($call->{head}, qr/^Transfer-Encoding: chunked\r$/m,
             'goes out in chunks');
        ok(dechunk($call->{body}) eq json_body($image), 'all of it');
    }
}

{
    $up->reset;

    my $closes = $up->closes;
    my $got = post($nginx->port, '/s',
                   in_chunks(substr($image, 0, -100), 5000, 'image/png'));
    is($got->{status}, 400, 'a bare file in chunks without its end: 400');
    ok(KTP::Nginx::wait_for(sub { $up->closes > $closes }),
       'the call has ended');
    is(scalar(my @calls = $up->calls), 0, 'it was never whole');
}


# -- what is behind the picture is not sent on, whatever was announced

my $film = 'mp4' x 300_000;

for my $case (
    ['json', '/s', json_body($image . $film),
     'Content-Type: application/json'],
    ['multipart', '/s', multipart(['image', $image . $film, 'a', 'image/png']),
     'Content-Type: multipart/form-data; boundary=ktp'],
    ['a bare file', '/s', $image . $film, 'Content-Type: image/png'],
    ['json, whole', '/whole', json_body($image . $film),
     'Content-Type: application/json'],
    ['a bare file, whole', '/whole', $image . $film,
     'Content-Type: image/png']) {

    my ($name, $uri, $body, $type) = @$case;

    $up->reset;

    is(post($nginx->port, $uri, $body, $type)->{status}, 200,
       "a film, $name: answered");

    my ($call) = $up->calls;
    my $sent = $call->{head} =~ /chunked/ ? dechunk($call->{body})
                                          : $call->{body};

    $sent =~ s/ +\z// if $name eq 'a bare file';
    ok($sent eq json_body($image), "a film, $name: the picture is sent on");
}


# -- what fails late was never whole

for my $case (
    ['a second image', $json =~ s/\}$/,"image":""}/r, 'INVALID_PAYLOAD'],
    ['bytes after the end', "$json x", 'INVALID_PAYLOAD'],
    ['a reference that is too long',
     $json =~ s/"r1"/'"' . 'r' x 65 . '"'/er,
     'INVALID_PAYLOAD_REFERENCE_ID'],
    ['no end of the JSON', substr($json, 0, -1), 'INVALID_PAYLOAD'],
    ['a cut image', json_body(substr $image, 0, 150_000),
     'INVALID_PAYLOAD_IMAGE_FORMAT'],
    ['flags that do not fit',
     $json =~ s/"is_quality":true/"is_quality":false/r,
     'INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY']) {

    my ($name, $body, $code) = @$case;

    $up->reset;

    my ($closes, $before) = ($up->closes, $up->received);
    my $call = begin('/s', $body, length($body) - 20);

    ok(KTP::Nginx::wait_for(sub { $up->received > $before + 90_000 }),
       "$name: it has begun");

    my $got = answer_of($call);
    is($got->{status}, 400, "$name: 400");
    like($got->{body}, qr/"error_code":"$code"/, "$name: $code");
    ok(KTP::Nginx::wait_for(sub { $up->closes > $closes }),
       "$name: the upstream's connection is closed");
    is(scalar(my @calls = $up->calls), 0, "$name: never whole");
}

ok(log_has('/s 400 rejected no 0 \S+'), 'and not billed');

{
    my $file = substr $image, 0, -100;

    $up->reset;

    my $closes = $up->closes;
    my $got = post($nginx->port, '/s', $file, 'Content-Type: image/png');
    is($got->{status}, 400, 'a bare file without its end: 400');
    ok(KTP::Nginx::wait_for(sub { $up->closes > $closes }),
       'the call has ended');
    is(scalar(my @calls = $up->calls), 0, 'it was never whole');
}

{
    $up->reset;

    my $before = $up->received;
    my $call = begin('/s', $json, length($json) - 1);

    ok(KTP::Nginx::wait_for(sub {
        $up->received > $before + length $base64
    }), 'all but the end');
    $nginx->settle;
    is(scalar(my @calls = $up->calls), 0, 'is not enough');
    more($call, 1);
    is(answer_of($call)->{status}, 200, 'the last byte is');
}

my $before = $up->connections;

is(post($nginx->port, '/s', json_body(png(300, 200)))->{status}, 400,
   'too small an image');
is($up->connections, $before, 'is refused before a connection is made');


# -- backpressure

sub rss {
    my ($kb) = KTP::Nginx::read_file("/proc/@{[$nginx->pid]}/status")
        =~ /^VmRSS:\s+(\d+)/m;

    return $kb;
}

SKIP: {
    skip 'memory of an instrumented nginx says nothing', 2 if $slow > 1;

    my $large = png(2000, 1500, size => 5_000_000);

    $up->reset;
    $up->answer({ accept => 1 }, { deaf => 1 }, { hang => 1 });

    my $start = rss();
    my @calls = map { post_begin($nginx->port, '/hasty', $large,
                                 'Content-Type: image/png') } 1 .. 8;

    # as much as goes
    for my $call (@calls) {
        $call->{sock}->blocking(0);
    }

    my $idle = 0;

    while ($idle < 20) {
        $idle = $nginx->rests ? $idle + 1 : 0;

        for my $call (@calls) {
            my $n = $call->{sock}->syswrite($call->{out}, 65536) or next;

            substr($call->{out}, 0, $n) = '';
            $idle = 0;
        }

        sleep 0.002;
    }

    cmp_ok(rss() - $start, '<', 3000,
           '8 images of 5 MB that the upstream does not take: under 3 MB');

    my %status;
    $status{ answer_of($_)->{status} }++ for @calls;
    is_deeply(\%status, { 504 => 8 }, 'they time out');
}


# -- one of many hands out less at a time, so that they wait in little memory

sub largest_chunk {
    my $got = post($nginx->port, '/s', $json);
    is($got->{status}, 200, 'a whole call');

    my ($call) = grep { $_->{head} =~ /chunked/ } $up->calls;
    my ($raw, $most) = ($call->{body}, 0);

    while ($raw =~ s/\A([0-9a-f]+)\r\n//i && hex $1) {
        $most = hex $1 if hex $1 > $most;
        substr($raw, 0, 2 + hex $1) = '';
    }

    return $most;
}

{
    $up->reset;
    cmp_ok(largest_chunk(), '>', 8192, 'alone, it goes out in large pieces');

    # the body waits in the client, with the upstream's connection made
    my $before = $up->connections;
    my @calls = map { begin('/s', $json, 20_000) } 1 .. 128;

    ok(KTP::Nginx::wait_for(sub { $up->connections >= $before + 127 }),
       '128 others are under way');

    $up->reset;
    cmp_ok(largest_chunk(), '<=', 4096, 'it goes out a page at a time');

    close $_->{sock} for @calls;
}


# -- somebody goes away

$up->reset;

my $closes = $up->closes;
my $call = begin('/s', $json, 150_000);
$before = $up->received;

ok(KTP::Nginx::wait_for(sub { $up->received > 0 }), 'a request has begun');
close $call->{sock};
ok(KTP::Nginx::wait_for(sub { $up->closes > $closes }, 2),
   'the client goes: the call ends at once');
ok(log_has('/s 4\d\d aborted no 0 \S+'), 'aborted, not billed');
like(KTP::Nginx::read_file($nginx->prefix . '/logs/sent.log'),
     qr/^aborted \d{5,6}$/m, 'what had gone out is told');

$up->reset;
$up->answer({ once => 1 }, { accept => 1 }, { early => 1 }, { delay => 0.05 },
            { reset => 1 });
is(post($nginx->port, '/s', $json)->{status}, 502,
   'the upstream resets the connection');
is(post($nginx->port, '/s', $json)->{status}, 200, 'the next one goes well');

$up->reset;
$up->answer({ early => 30_000 },
            KTP::Upstream::response('403 Forbidden', '{"error_code":"X"}'),
            { close => 1 });
$call = begin('/s', $json, 150_000, 'Connection: keep-alive');
$call->{out} = '';
my $got = answer_of($call);
is($got->{status}, 403, 'an answer comes before the request is whole');
like($got->{head}, qr/^Connection: close\r?$/m,
     'and says that no other request is read');
like($got->{body}, qr/"X"/, 'and is passed on');
cmp_ok($got->{seconds}, '<', 15, 'at once');

$up->reset;
is(post($nginx->port, '/whole', $json)->{status}, 200, 'buffered elsewhere');
($last) = $up->calls;
like($last->{head}, qr/^Content-Length: /m, 'with a length');

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;

done_testing();
