# An image that is a URL: what is fetched, what is refused, and that nothing
# internal is reached.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new(resolver => 1);
my $up = KTP::Upstream->new;
my $images = KTP::Upstream->new;
my $url = $up->url;
my $port = $images->port;
my $refused = KTP::Nginx::free_port();

$nginx->hosts(['images.test', '127.0.0.1'], ['internal.test', '127.0.0.1'],
              ['internal.test.', '127.0.0.1'], ['LOCALHOST.', '127.0.0.1'],
              ['public.test', '198.41.0.4'],
              ['first.test', '192.168.0.1,127.0.0.1'],
              ['last.test', '127.0.0.1,192.168.0.1'],
              ['neither.test', '192.168.0.1,10.0.0.1'], ['nat64.test', '64:ff9b::a00:1'],
              ['slow.test', '127.0.0.1', 900], ['none.test', 'none']);

my $wait = 500 * $slow;
my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed \$ktp_intake '
                   '\$ktp_image_format \$ktp_image_width \$ktp_image_bytes';
    access_log logs/ktp.log ktp;
    ktp_api_key canary-api-key;
    ktp_app_id canary-app-id;
    ktp_image_url fetch;
EOC
    server => <<"EOC",
        location = /off { ktp_pass $url/v2; ktp_image_url off; }
        location = /nameless { ktp_pass http://none.test/v2; }
        location = /guarded { ktp_pass $url/v2; }
        location = /open {
            ktp_pass $url/v2;
            ktp_image_url_allow 10.0.0.0/8 127.0.0.0/8;
            ktp_image_url_allow ::1;
        }
        location = /late {
            ktp_pass $url/v2;
            ktp_image_url_allow 127.0.0.0/8;
            ktp_image_url_timeout ${wait}ms;
        }
        location = /proxied {
            ktp_pass https://vendor.test/v2;
            ktp_image_url_allow 127.0.0.1;
            ktp_egress_proxy http://127.0.0.1:$refused;
        }
EOC
    log_level => 'info');

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

sub image_answer {
    return KTP::Upstream::response('200 OK', $_[0], 'Content-Type: image/x');
}

my $jpeg = jpeg(800, 600, size => 120_000);
my $good = image_answer($jpeg);

sub ask {
    my ($uri, $image) = @_;

    $up->reset;

    return post($nginx->port, $uri, "{\"image\":\"$image\"}");
}

sub log_has {
    my ($pattern) = @_;

    my $file = $nginx->prefix . '/logs/ktp.log';

    return KTP::Nginx::wait_for(sub {
        KTP::Nginx::read_file($file) =~ /^$pattern$/m
    });
}

sub refused {
    my ($uri, $image, $code, $name) = @_;

    my $got = ask($uri, $image);

    is($got->{status}, 400, "$name: 400");
    like($got->{body}, qr/"error_code":"$code"/, "$name: $code");
    is(scalar(my @calls = $up->calls), 0, "$name: no call");

    return $got;
}


# -- it works

my $format = 'INVALID_PAYLOAD_IMAGE_FORMAT';
my $size = 'INVALID_PAYLOAD_IMAGE_SIZE';

$images->answer($good);

for my $image ("http://127.0.0.1:$port/a.jpg",
               "http://images.test:$port/a.jpg?key=canary-of-url",
               "HTTP://LOCALHOST:$port") {
    my $got = ask('/open', $image);

    is($got->{status}, 200, "fetched: $image");

    my ($call) = $up->calls;
    my ($sent) = ($call->{body} // '') =~ /"image":"([^"]*)"/;
    ok(defined $sent && $sent eq base64($jpeg), 'and sent as base64');
}

for my $name ('first', 'last') {
    is(ask('/open', "http://$name.test:$port/a.jpg")->{status}, 200,
       "an address that is allowed is asked: $name");
}

# libcurl does not take them
for my $host ('[127.0.0.1]', '[::1', 'a%00b.test', 'a%0ab.test', '[::1%25]',
              '[fe80::1]x', 'a..b.test', '%zz') {
    refused('/open', "http://$host/a.jpg", 'INVALID_PAYLOAD_IMAGE_\w+',
            "URL with the host $host");
}

# libcurl keeps the buffer of a call that had no connection
for (1 .. 3) {
    is(ask('/nameless', base64($jpeg))->{status}, 502, 'no such upstream');
    is(ask('/open', "http://127.0.0.1:$port/a.jpg")->{status}, 200,
       'then an image, which is larger than a response');
}

ok(log_has('/open 200 ok yes json jpeg 800 120000'), 'the log has its facts');

my ($fetch) = $images->calls;
like($fetch->{head}, qr{^GET /a\.jpg HTTP/1\.1\r$}m, 'it is a GET');
unlike($fetch->{head}, qr/canary|App-ID|API-Key/i, 'with no key of ours');

my $got = post($nginx->port, '/open',
               multipart(['image', "http://127.0.0.1:$port/a.jpg"]),
               'Content-Type: multipart/form-data; boundary=ktp');
is($got->{status}, 200, 'a URL in multipart');

$got = ask('/proxied', "http://127.0.0.1:$port/a.jpg");
is($got->{status}, 502, 'the proxy of the upstream refuses');
like($nginx->log_from(0), qr/upstream call failed/,
     'the call, not the fetch, which does not take it');


# -- it is switched off, or no URL of ours

refused('/off', "http://127.0.0.1:$port/a.jpg", $format, 'switched off');

my $before = $images->connections;

refused('/open', "http://user:canary\@127.0.0.1:$port/a.jpg", $format,
        'credentials');
refused('/open', "http://127.0.0.1:0/", $format, 'no port');
refused('/open', "http://[::1/", $format, 'no host');
refused('/open', "ftp://127.0.0.1:$port/a.jpg", 'INVALID_PAYLOAD_IMAGE_\w+',
        'ftp');
refused('/open', 'file:///etc/hostname', 'INVALID_PAYLOAD_IMAGE_\w+', 'file');


# -- what is internal is not reached, however it is spelled

for my $host ('127.0.0.1', '127.1', '2130706433', '0x7f.1', '0177.0.0.1',
              'localhost', 'LOCALHOST.', 'internal.test', 'internal.test.',
              '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]',
              '[64:ff9b::7f00:1]', 'nat64.test', '[2002:7f00:1::1]',
              '[fe80::1]', '[fd00::1]', '0', '0.0.0.0', '[::]', '10.0.0.1',
              '192.168.0.1', '172.16.0.1', '169.254.169.254', '100.64.0.1',
              '198.18.0.1', '224.0.0.1', '255.255.255.255') {
    my $from = length $nginx->log_from(0);
    my $got = refused('/guarded', "http://$host:$port/a.jpg", $format, $host);

    cmp_ok($got->{seconds}, '<', 4 * $slow, "$host: at once");
    like($nginx->log_from($from),
         qr/address of image is not allowed/,
         "$host: for its address");
}

refused('/guarded', 'http://public.test:8080/a.jpg', $format,
        'a port that is neither 80 nor 443');
like($nginx->log_from(0), qr/port of image is not allowed/,
     'for its port');
refused('/open', 'http://192.168.0.1/a.jpg', $format,
        'a range that is not opened');
is($images->connections, $before, 'nobody was connected to');
unlike($nginx->log_from(0), qr/canary/, 'the log has no URL');


# -- it is no image, or none that is wanted

for my $case (
    ['not found', $format,
     KTP::Upstream::response('404 Not Found', $jpeg)],
    ['a redirect', $format,
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:$port/b.jpg\r\n"
     . "Content-Length: 0\r\n\r\n"],
    ['a PDF', $format, image_answer('%PDF-1.7' . 'x' x 1000)],
    ['nothing', 'INVALID_PAYLOAD\w*', image_answer('')],
    ['too small', $size, image_answer(jpeg(300, 200))],
    ['too large', $size, image_answer(jpeg(800, 600, size => 6_000_000))],
    ['a cut file', $format, image_answer(substr $jpeg, 0, 60_000)]) {

    my ($name, $code, $answer) = @$case;

    $images->reset;
    $images->answer($answer);
    refused('/open', "http://127.0.0.1:$port/a.jpg", $code, $name);
    is(scalar(my @calls = $images->calls), 1, "$name: asked for once");
}

for my $case (
    ['a cut answer', substr($good, 0, 50_000), { close => 1 }],
    ['a reset', substr($good, 0, 50_000), { reset => 1 }],
    ['silence', { hang => 1 }],
    ['a trickle',
     map { (substr($good, $_, 1), { delay => 0.1 * $slow }) } 0 .. 99],
    ['garbage', "\0\1\2\r\n\r\n", { close => 1 }]) {

    my ($name, @steps) = @$case;

    $images->reset;
    $images->answer(@steps);
    $got = refused('/late', "http://127.0.0.1:$port/a.jpg", $format, $name);
    cmp_ok($got->{seconds}, '<', 6 * $slow, "$name: in time");
}

$got = refused('/late', "http://127.0.0.1:$refused/a.jpg", $format,
               'connection refused');
$got = refused('/late', "http://slow.test:$port/a.jpg", $format,
               'a look-up that takes too long');
$got = refused('/late', "http://none.test/a.jpg", $format, 'no such name');


# -- the client goes away

$images->reset;
$images->answer({ hang => 1 });

my $closes = $images->closes;
my $call = post_begin($nginx->port, '/open',
                      "{\"image\":\"http://127.0.0.1:$port/a.jpg\"}");

$call->{sock}->syswrite($call->{out});
ok($images->wait_calls(1), 'the image is asked for');
close $call->{sock};

# long before the time of the fetch is over
ok(KTP::Nginx::wait_for(sub { $images->closes > $closes }, 0.5),
   'the client goes: the fetch ends');
ok(log_has('/open 499 aborted no json - - -'), 'and is logged as aborted');

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;


# -- what nginx -t says of bad values

for my $case (
    ['ktp_image_url on', 'invalid value "on"'],
    ['ktp_image_url off; ktp_image_url off', 'is duplicate'],
    ['ktp_image_url_allow 10.0.0.0/33', 'invalid parameter "10.0.0.0/33"'],
    ['ktp_image_url_allow host.test', 'invalid parameter "host.test"'],
    ['ktp_image_url_allow', 'invalid number of arguments'],
    ['ktp_image_url_timeout 0', 'of at least 1ms'],
    ['ktp_image_url_timeout x', 'invalid value']) {

    my ($text, $want) = @$case;
    my ($status, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(),
        server => "location /x { ktp_pass https://a.test/v2; $text; }\n"));

    is($status, 1 << 8, "nginx -t refuses $text");
    like($said, qr/\Q$want\E/, 'and says why');
}

my (undef, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(),
    server => "location /x { ktp_pass https://a.test/v2; "
              . "ktp_image_url_allow 10.1.2.3/8; }\n"));
like($said, qr/low address bits of 10\.1\.2\.3\/8 are meaningless/,
     'a range with too many bits draws a warning');

done_testing();
