# "error_log ... debug" tells the story of each request, in order, and no value
# of one: neither a header, a key, a field, an image nor its URL.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $images = KTP::Upstream->new;
my $url = $up->url;
my $refused = KTP::Nginx::free_port();

plan(skip_all => 'nginx was built without --with-debug')
    unless `$KTP::Nginx::Binary -V 2>&1` =~ /--with-debug/;

# each is a word that is found nowhere else
my %canary = (
    'key of the client'   => "canary-client-key-$$",
    'key of the upstream' => "canary-api-key-$$",
    'App-ID'              => "canary-app-id-$$",
    'NIK'                 => '3171234567890001',
    'name of the card'    => 'SPECIMEN',
    'reference_id'        => "canary-reference-$$",
    'URL of the image'    => "canary-of-url-$$",
);

my $read = 300 * $slow;
my $hash = sha256_hex($canary{'key of the client'});

ok($nginx->start($nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    ktp_zone k:1m;
    ktp_client shop { key_sha256 $hash; quota 100/day; rate 100/s; }
    ktp_app_id $canary{'App-ID'};
    ktp_api_key $canary{'key of the upstream'};
EOC
    server => <<"EOC")), 'nginx starts') or diag($nginx->complaint);
        location = /on { ktp_auth on; ktp_pass $url/v2; }
        location = /masked { ktp_pass $url/v2; ktp_mask nik full_name=full; }
        location = /late { ktp_pass $url/v2; ktp_read_timeout ${read}ms; }
        location = /left { ktp_pass $url/v2; }
        location = /stream { ktp_pass $url/v2; ktp_request_buffering off; }
        location = /refused { ktp_pass http://127.0.0.1:$refused/v2; }
        location = /fetch {
            ktp_pass $url/v2;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.1;
        }
EOC

my $jpeg = jpeg(800, 600, size => 60_000);
my $body = json_body($jpeg, reference_id => "\"$canary{reference_id}\"");
my $length = length $body;
my @key = ('App-ID: shop', "API-Key: $canary{'key of the client'}");

$canary{'image'} = substr base64($jpeg), 0, 40;

my $sent = qr/send: last byte of \d+ handed out/;

# The module's lines of what the code does, up to the end of its request.
sub story {
    my ($code) = @_;

    my $from = -s $nginx->prefix . '/logs/error.log';

    $code->();

    my @lines;
    my $whole = KTP::Nginx::wait_for(sub {
        @lines = $nginx->log_from($from)
               =~ /\[debug\] [^\n]*?: \*\d+ ktp (?!call)([^\n]*)/g;
        return "@lines" =~ /end: outcome/;
    }, 10);

    diag('the request has no end') unless $whole;

    return @lines;
}

# Whether lines are found in the order of the patterns; others may be between.
sub tells {
    my ($name, $code, @want) = @_;

    my @lines = story($code);
    my $i = 0;

    for my $want (@want) {
        $i++ while $i < @lines && $lines[$i] !~ /^$want/;

        if ($i == @lines) {
            fail($name);
            diag("not told: $want\n", map { "    $_\n" } @lines);
            return;
        }

        $i++;
    }

    pass($name);
}

# a client that leaves when the upstream has the request
sub leave {
    $up->reset;
    $up->answer({ hang => 1 });

    my $call = post_begin($nginx->port, '/left', $body);
    my $out = $call->{out};

    while ($out ne '') {
        my $n = syswrite $call->{sock}, $out or last;
        substr($out, 0, $n) = '';
    }

    ok($up->wait_calls(1), 'the upstream has the request of a client');
    close $call->{sock};
}

sub ask {
    my ($uri, $want, @more) = @_;

    return sub {
        is(post($nginx->port, $uri, @more)->{status}, $want, "$uri: $want");
    };
}

tells('a call that is answered', ask('/on', 200, $body, @key),
      'auth: client "shop"',
      'quota: client "shop" may call',
      "request: type json, declared length $length",
      'body: piece of \d+ bytes',
      "body: complete, $length bytes in \\d+ pieces",
      'image: accepted, jpeg, 800 x 600, 60000 bytes',
      'quota: client "shop" takes a call',
      'send: started, whole image, length \d+',
      $sent,
      'send: ended, status 200, attempts 1, billed yes',
      'quota: call stays counted',
      'outcome: ok',
      'answer: status 200, \d+ bytes',
      'end: outcome ok, billed yes');

tells('an answer that is masked', ask('/masked', 200, $body),
      'answer: rewritten, \d+ bytes, masks 2',
      'answer: status 200, \d+ bytes',
      'end: outcome ok, billed yes');

tells('an image that streams',
      ask('/stream', 200, $jpeg, 'Content-Type: image/jpeg'),
      'request: type binary, declared length 60000',
      'body: piece of \d+ bytes',
      'send: started, streaming image, length \d+',
      'body: complete, 60000 bytes in \d+ pieces',
      'image: accepted, jpeg, 800 x 600, 60000 bytes',
      $sent,
      'end: outcome ok, billed yes');

tells('an image that is too small', ask('/on', 400, json_body(jpeg(80, 60)),
                                        @key),
      'auth: client "shop"',
      'body: INVALID_PAYLOAD_IMAGE_SIZE, \d+ bytes in 1 pieces',
      'outcome: rejected',
      'answer: status 400, \d+ bytes',
      'end: outcome rejected, billed no');

tells('a wrong key', ask('/on', 401, '[]', 'App-ID: shop', 'API-Key: other'),
      'outcome: unauthorized',
      'auth: 401 in the time of an invalid body',
      'answer: status 401, \d+ bytes',
      'end: outcome unauthorized, billed no');

$up->answer({ hang => 1 });
tells('an upstream that is late', ask('/late', 504, $body),
      'send: started, whole image',
      $sent,
      'send: ended, status 0, attempts 1, billed unknown',
      'outcome: timeout',
      'answer: status 504, \d+ bytes',
      'end: outcome timeout, billed unknown');
$up->reset;

tells('an upstream that is not there', ask('/refused', 502, $body),
      'send: started, whole image',
      'send: ended, status 0, attempts 2, billed no',
      'outcome: upstream_error',
      'end: outcome upstream_error, billed no');

tells('a client that leaves', \&leave,
      'send: started, whole image',
      $sent,
      'send: aborted',
      'send: ended, status 0, attempts 1, billed unknown',
      'outcome: aborted',
      'end: outcome aborted, billed unknown');
$up->reset;

$images->answer(KTP::Upstream::response('200 OK', $jpeg,
                                        'Content-Type: image/jpeg'));
tells('an image that is fetched',
      ask('/fetch', 200, '{"image":"' . $images->url
                         . "/a?$canary{'URL of the image'}\"}"),
      'body: complete',
      'fetch: started',
      'fetch: complete, status 200, 60000 bytes',
      'image: accepted, jpeg, 800 x 600, 60000 bytes',
      'end: outcome ok, billed yes');

$nginx->stop;

# nginx itself logs the headers of a request at this level

my $log = $nginx->log_from(0);

like($log, qr/\[debug\]/, 'the log is at debug');
$log =~ s/^.*\bhttp header: ".*\n//mg;

for my $name (sort keys %canary) {
    is(index($log, $canary{$name}), -1, "no $name in the log");
}

done_testing();
