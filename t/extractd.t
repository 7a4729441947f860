# ktp-extractd: what a client gets, and how it starts.

use strict;
use warnings;

use FindBin qw($Bin);
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep time);
use lib "$Bin/lib";

use KTP::Extractd;
use KTP::Image;
use KTP::Specimen;

my ($card, $truth) = KTP::Specimen::draw(1);
my ($dark_card) = KTP::Specimen::draw(1, '--dark', 0.12);
my ($page) = KTP::Specimen::draw(1, '--page', '--size', '800x560');

my $d = KTP::Extractd->new('--workers', 1);


# -- a card

{
    my $answer = $d->request(uri => "$KTP::Extractd::Uri?reference_id=abc-1",
                             body => $card);
    my $data = $answer->{json}{data};
    my $quality = delete $data->{image_quality};

    is($answer->{status}, 200, 'a card is read');
    is($answer->{json}{status_code}, 'LOCAL-0', 'nothing is billed');
    is(delete $data->{reference_id}, 'abc-1', 'its reference_id comes back');
    is_deeply($data, $truth, 'all 16 fields are as printed');
    is_deeply([sort keys %$quality],
              [sort qw(blur dark flashlight grayscale blur_score dark_score
                       flashlight_score grayscale_score)],
              'the quality is there, with scores');
    ok(!grep({ $quality->{$_} } qw(blur dark flashlight grayscale)),
       'a good photo has no flaw');
    like($answer->{head}, qr/^Cache-Control: no-store\r?$/m,
         'nobody may keep the answer');
}

for my $way (
    ['JSON', 'application/json', json_body($card)],
    ['multipart', 'multipart/form-data; boundary=ktp',
     multipart(['image', $card, 'a.jpg', 'image/jpeg'])],
) {
    my ($name, $type, $body) = @$way;
    my $answer = $d->request(type => $type, body => $body);

    is($answer->{json}{data}{nik}, $truth->{nik}, "$name: the card is read");
    is($answer->{json}{data}{reference_id}, '',
       "$name: no reference_id is an empty string");
}

{
    my $answer = $d->request(uri => "$KTP::Extractd::Uri?a=b&details=1",
                             body => $card);

    is($answer->{json}{data}{nik}, $truth->{nik}, 'details: the fields');
    like($answer->{body}, qr/"confidence"/, 'details: and how sure each is');
    unlike($d->request(body => $card)->{body}, qr/"confidence"/,
           'no details unasked');
}

# a check, which reads no field
for my $case ([$card, 'a card', 1], [$page, 'a page', 0]) {
    my ($body, $name, $detected) = @$case;

    my $answer = $d->request(uri => "$KTP::Extractd::Uri?check=1&details=1",
                             body => $body);
    my $data = $answer->{json}{data};

    is($answer->{status}, 200, "check of $name: 200");
    is($answer->{json}{status_code}, 'LOCAL-0', 'which costs nothing');
    is_deeply([sort keys %$data], [qw(confidence detected image_quality)],
              'there are no fields');
    is($data->{detected} ? 1 : 0, $detected, "$name: detected, or not");
    ok($detected ? $data->{confidence} >= .7 : $data->{confidence} < .7,
       "$name: and how sure: $data->{confidence}");
    is_deeply([sort keys %{ $data->{image_quality} }],
              [sort qw(blur dark flashlight grayscale blur_score dark_score
                       flashlight_score grayscale_score)],
              'the quality, with scores');
}

is($d->request(uri => "$KTP::Extractd::Uri?check=1",
               body => substr $card, 0, 1000)->{status}, 400,
   'a check of half an image');
is($d->request(uri => "$KTP::Extractd::Uri?check=0",
               body => $card)->{json}{data}{nik}, $truth->{nik},
   'check=0 reads');

{
    my $answer = $d->request(body => $page);

    is($answer->{status}, 400, 'a page of prose: 400');
    is($answer->{json}{error_code}, 'KTP_NOT_DETECTED', 'a page: the code');
    is($answer->{json}{status_code}, 'LOCAL-0', 'a page: it costs nothing');
    like($answer->{json}{message}, qr/^KTP not detected/, 'a page: the words');
}

# dots of a coarse print, and each may be a letter: over 20,000 of them

{
    my $dot = "\0" x 4 . "\xff" x 3;
    my $dots = "\0" . $dot x 143;
    my $paper = "\0" . "\xff" x 1001;
    my $band = $dots x 4 . $paper x 3;
    my $rows = $band x 143;
    my $answer = $d->request(type => 'image/png',
                             body => png(1001, 1001, rows => $rows));

    is($answer->{status}, 400, 'a picture full of dots: 400');
    is($answer->{json}{error_code}, 'KTP_NOT_DETECTED', 'dots: the code');
}

{
    my $uri = "$KTP::Extractd::Uri?validate_quality=true";
    my $answer = $d->request(uri => $uri, body => $dark_card);
    my $data = $answer->{json}{data};

    is($answer->{status}, 200, 'a dark photo, quality asked for: 200');
    is($answer->{json}{error_code}, 'FAIL_ON_1', 'a dark photo: the code');
    ok($data->{image_quality}{dark}, 'a dark photo: says that it is dark');
    is_deeply([grep { $data->{$_} ne '' } keys %$truth], [],
              'a dark photo: all fields are there and empty');
    is($d->request(uri => $uri, body => $card)->{json}{error_code}, undef,
       'a good photo, quality asked for: no error');
}


# -- who may ask

for my $case (
    ['neither header', undef, undef],
    ['no App-ID', undef, $KTP::Extractd::Api_key],
    ['no API-Key', $KTP::Extractd::App_id, undef],
    ['a wrong key', $KTP::Extractd::App_id, 'canary'],
    ['a key that begins right', $KTP::Extractd::App_id,
     substr($KTP::Extractd::Api_key, 0, -1)],
    ['a key with more behind', $KTP::Extractd::App_id,
     "${KTP::Extractd::Api_key}x"],
    ['an unknown App-ID', 'nobody', $KTP::Extractd::Api_key],
    ['the two swapped', $KTP::Extractd::Api_key, $KTP::Extractd::App_id],
    ['the colon elsewhere', 'canary', "app-id:$KTP::Extractd::Api_key"],
) {
    my ($name, $app_id, $api_key) = @$case;
    my $answer = $d->request(app_id => $app_id, api_key => $api_key,
                             body => $page);

    is($answer->{status}, 401, "$name: 401");
    is($answer->{json}{error_code}, 'UNAUTHORIZED', "$name: the code");
}

is($d->request(api_key => "${KTP::Extractd::App_id}-2", body => $page)
     ->{status}, 400, 'a second key of the same App-ID is known');
is($d->request(app_id => undef, api_key => undef, body => $page,
               headers => "app-id: $KTP::Extractd::App_id\r\n"
                        . "aPI-kEY: $KTP::Extractd::Api_key\r\n")
     ->{status}, 400, 'the case of the headers does not matter');


# -- where and how

for my $case (
    ['GET', '/v2/ktp/extract', 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', '/v2/ktp/extract', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/', 404, 'NOT_FOUND'],
    ['POST', '/v2/ktp/extract/', 404, 'NOT_FOUND'],
    ['POST', '/v2/ktp', 404, 'NOT_FOUND'],
    ['POST', '/V2/ktp/extract', 404, 'NOT_FOUND'],
) {
    my ($method, $uri, $status, $code) = @$case;
    my $answer = $d->request(method => $method, uri => $uri);

    is($answer->{status}, $status, "$method $uri: $status");
    is($answer->{json}{error_code}, $code, "$method $uri: $code");
    like($answer->{head}, qr/^Allow: POST\r?$/m, "$method $uri: Allow")
        if $status == 405;
}

is($d->request(type => undef, body => $page)->{status}, 415,
   'no Content-Type: 415');

{
    my $c = $d->connect;

    $c->{head} = 1;
    my $answer = $c->send(method => 'HEAD')->answer;
    is($answer->{status}, 405, 'HEAD: 405');
    is($c->{buffer}, '', 'HEAD: no body');
    $c->{head} = 0;

    $c->send(body => 'no image');
    is($c->answer->{status}, 400, 'keep-alive: a refusal after a HEAD');
    $c->send(body => $card);
    is($c->answer->{status}, 200, 'keep-alive: a card after a refusal');
    $c->send(body => $page);
    is($c->answer->{status}, 400, 'keep-alive: a page after a card');
}

{
    my $c = $d->connect;

    $c->send(api_key => 'wrong', body => '',
             headers => "Expect: 100-continue\r\nContent-Length: 1000\r\n");
    is($c->answer->{status}, 401,
       'a client that asks first is refused without its body');

    $c = $d->connect;
    $c->send(body => '', headers => "Expect: 100-continue\r\n"
                                  . 'Content-Length: ' . length($page)
                                  . "\r\n");
    is($c->answer->{status}, 100, 'one that may come is told to go on');
    is($c->write($page)->answer->{status}, 400, 'and answered');
}

{
    my $c = $d->connect;

    $c->send(body => '', headers => "Content-Length: 99999999999\r\n");

    my $answer = $c->answer;
    is($answer->{status}, 400, 'a declared length over the limit: 400');
    is($answer->{json}{error_code}, 'INVALID_PAYLOAD_IMAGE_SIZE',
       'a declared length over the limit: the code');

    # 6 MB: over the limit of a bare file, below what is dropped
    my $large = jpeg(800, 600, size => 6_000_000);
    for my $chunked (0, 60_000) {
        $c = $d->connect;
        $answer = $c->send(body => $large, chunked => $chunked)->answer;
        is($answer->{json}{error_code}, 'INVALID_PAYLOAD_IMAGE_SIZE',
           "6 MB, chunks of $chunked: refused");
        is($c->send(body => $page)->answer->{status}, 400,
           "6 MB, chunks of $chunked: the connection goes on");
    }
}


# -- places, 34 here: one worker, an empty queue, and 32 uploads; connections
# that have none yield

{
    my $small = KTP::Extractd->new('--workers', 1, '--queue', 1);
    my $length = 'Content-Length: ' . length($card) . "\r\n";

    for my $case (
        ['idle connections', sub { $_[0] }],
        ['half a header', sub { $_[0]->write("POST /v2/ktp/extract HT") }],
        ['kept alive', sub { $_[0]->send(method => 'GET');
                             $_[0]->answer; $_[0] }],
        ['uploads without credentials',
         sub { $_[0]->send(api_key => 'wrong', body => '',
                           headers => $length) }],
        ['uploads that stand still',
         sub { $_[0]->send(body => '', headers => $length) }],
    ) {
        my ($name, $begin) = @$case;
        my @held = map { $begin->($small->connect) } 1 .. 60;
        my ($answer, $begun, $ended) = (undef, time);

        # a refusal comes at once, with the time of the next attempt
        while (time - $begun < 40 * $KTP::Nginx::Slow) {
            $answer = $small->request(body => $page);
            $ended = time;
            last unless $answer && $answer->{status} == 503;
            like($answer->{head}, qr/^Retry-After: 1\r?$/m,
                 "60 $name: Retry-After");
            cmp_ok($answer->{seconds}, '<', 15,
                   "60 $name: refused at once");
            select undef, undef, undef, 1;
        }

        is($answer && $answer->{status}, 400, "60 $name: a request passes");
        cmp_ok($ended - $begun, '<', 40 * $KTP::Nginx::Slow,
               "60 $name: and soon");
    }

    $small->stop;
    is($small->status, 0, 'places: it stops with exit code 0');
}


# -- a request that the server ends itself leaves nothing

for my $case (
    ['a query of many arguments', "GET /x?%s HTTP/1.1\r\nHost: x\r\n\r\n"],
    ['a header of many lines', "GET /x HTTP/1.1\r\nHost: x\r\nA: %s\r\n"],
    ['no Host', "GET /x HTTP/1.1\r\n\r\n"],
    ['a length that is no number',
     "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"],
    ['another version', "GET /x HTTP/7.1\r\nHost: x\r\n\r\n"],
    ['half a header', "GET /x HTTP/1.1\r\nHost: x\r\n"],
    ['half a body',
     "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"],
    ['a chunk that is none', "POST /x HTTP/1.1\r\nHost: x\r\n"
     . "Transfer-Encoding: chunked\r\n\r\nx\r\n"],
) {
    my ($name, $format) = @$case;
    my $other = KTP::Extractd->new('--workers', 1);
    my $text = $format =~ s/%s/'a=b&' x 6000/er;

    for (1 .. 3) {
        my $c = $other->connect->write($text);

        $c->answer(0.2);
        $c->close;
    }

    is($other->request(body => $page)->{status}, 400, "$name: it goes on");
    $other->signal('TERM');
    ok($other->wait_end, "$name: it stops");
    is($other->status, 0, "$name: with exit code 0");
}

# cameras of 50 megapixels; rows are missing, which only the decoder sees

for my $case (
    [8160, 6144, 'INVALID_PAYLOAD_IMAGE_FORMAT'],
    [8192, 6144, 'INVALID_PAYLOAD_IMAGE_FORMAT'],
    [8192, 6401, 'INVALID_PAYLOAD_IMAGE_SIZE'],
) {
    my ($w, $h, $code) = @$case;

    is($d->request(type => 'image/png', body => png($w, $h, rows => "\0" x 100))
         ->{json}{error_code}, $code, "${w}x$h: $code");
}

# files that take long to decode: scans times pixels, and bytes of all rows

for my $case (
    ['few scans of many pixels', 'KTP_NOT_DETECTED', 'not_detected',
     'image/jpeg', jpeg(8192, 6144, scans => 30)],
    ['many scans of few pixels', 'KTP_NOT_DETECTED', 'not_detected',
     'image/jpeg', jpeg(1600, 1200, scans => 400)],
    ['many scans of many pixels', 'INVALID_PAYLOAD_IMAGE_FORMAT', 'too_costly',
     'image/jpeg', jpeg(8192, 6144, scans => 34)],
    ['arithmetic coding', 'INVALID_PAYLOAD_IMAGE_FORMAT', 'too_costly',
     'image/jpeg', jpeg(8192, 6144, scans => 5, sof => 0xca)],
    ['16 bits, few pixels', 'INVALID_PAYLOAD_IMAGE_FORMAT', 'damaged',
     'image/png', png(6000, 4000, type => [16, 6], rows => "\0" x 100)],
    ['16 bits, many pixels', 'INVALID_PAYLOAD_IMAGE_FORMAT', 'too_costly',
     'image/png', png(8192, 6144, type => [16, 6], rows => "\0" x 100)],
) {
    my ($name, $code, $reason, $type, $image) = @$case;
    my $json = $d->request(type => $type, body => $image)->{json};

    is($json->{error_code}, $code, "$name: $code");
    is($json->{reason}, $reason, "$name: $reason");
}

like($d->log, qr/\A\Qktp-extractd: listening on unix:\E\S+\n\z/,
     'the log has its one line, and nothing of a request');


# -- its socket

{
    my $path = $d->socket;

    is(sprintf('%04o', (stat $path)[2] & 07777), '0660',
       'the socket is for its user and group');

    my $second = KTP::Extractd->try('--socket', $path);
    is($second->status, 256, 'a socket in use is refused');
    like($second->log, qr/is in use by another server/, 'and told');
    is($d->request(body => $page)->{status}, 400, 'the first one goes on');

    $d->stop;
    is($d->status, 0, 'it stops with exit code 0');
    ok(!-e $path, 'its socket is gone');

    my $stale = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    close $stale;
    ok(-S $path, 'a socket that nobody answers on ...');
    $d = KTP::Extractd->new('--workers', 1, '--socket', $path,
                            '--socket-mode', '0600');
    is($d->request(body => $page)->{status}, 400, '... is replaced');
    is(sprintf('%04o', (stat $path)[2] & 07777), '0600', '--socket-mode');

    # somebody else's socket in its place is left alone
    unlink $path;
    my $other = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    $d->stop;
    ok(-S $path, 'a socket that is not its own stays');
}

for my $listen ('127.0.0.1:0', '[::1]:0') {
  SKIP: {
    $d = KTP::Extractd->try('--workers', 1, '--listen', $listen);

    skip "no IPv6 here", 2
        if $listen =~ /::/ && $d->log =~ /cannot listen/;
    like($d->{address}, qr/^\Q@{[$listen =~ s{0$}{}r]}\E[1-9]\d*$/,
         "--listen $listen: says where");
    skip "no client for IPv6", 1 if $listen =~ /::/;
    is($d->request(body => $page)->{status}, 400,
       "--listen $listen: answers");
  }
}


# -- what it refuses to start with

my $dir = KTP::Nginx::scratch_dir();
my $good = $d->file('good', "# ours\n\na:b\r\n");

symlink $good, "$dir/link";

for my $case (
    [qr/one of --socket and --listen/, '--check', '--socket', "$dir/s",
     '--listen', '127.0.0.1:0'],
    [qr/"0\.0\.0\.0:0" is not of loopback/, '--listen', '0.0.0.0:0'],
    [qr/"10\.0\.0\.1:80" is not of loopback/, '--listen', '10.0.0.1:80'],
    [qr/"\[::\]:0" is not of loopback/, '--listen', '[::]:0'],
    [qr/invalid address "localhost:0"/, '--listen', 'localhost:0'],
    [qr/invalid address "127\.0\.0\.1"/, '--listen', '127.0.0.1'],
    [qr/invalid address "127\.0\.0\.1:65536"/, '--listen', '127.0.0.1:65536'],
    [qr/invalid address "127\.0\.0\.1:x"/, '--listen', '127.0.0.1:x'],
    [qr/invalid socket ""/, '--socket', ''],
    [qr/invalid socket "x{200}"/, '--socket', 'x' x 200],
    [qr/is there and is no socket/, '--socket', $good],
    [qr/socket ".*": Not a directory/, '--socket', "$good/s"],
    [qr/cannot listen on .*No such file/, '--socket', "$dir/none/s"],
    [qr/invalid workers "0", it is 1 to 64/, '--workers', 0],
    [qr/invalid workers "65"/, '--workers', 65],
    [qr/invalid workers "2x"/, '--workers', '2x'],
    [qr/invalid workers "-1"/, '--workers', '-1'],
    [qr/invalid queue "1025", it is 0 to 1024/, '--queue', 1025],
    [qr/invalid timeout "0", it is 1 to 600/, '--timeout', 0],
    [qr/invalid timeout ""/, '--timeout', ''],
    [qr/invalid socket-mode "0888", it is 0 to 777/, '--socket-mode', '0888'],
    [qr/invalid socket-mode "01777"/, '--socket-mode', '01777'],
    [qr/unknown argument "x"/, '--check', 'x'],
    [qr/address "192\.0\.2\.1:80" is not of loopback/, '--check', '--listen',
     '192.0.2.1:80'],
    [qr/invalid address "localhost:80"/, '--check', '--listen',
     'localhost:80'],
    [qr/invalid socket "\/x+", it has 1 to 107 bytes/, '--check', '--socket',
     '/' . 'x' x 107],
    [qr/unrecognized option '--nonsense'/, '--nonsense'],
    [qr/language data cannot be loaded/, '--check', '--tessdata', $dir],
    [qr/language data cannot be loaded/, '--tessdata', $dir],
    [qr/credentials "\S+" cannot be opened: No such file/, '--check',
     '--credentials', "$dir/none"],
    [qr/are not a regular file/, '--check', '--credentials', $dir],
    [qr/are open to others, mode 0644/, '--check', '--credentials',
     $d->file('mode-644', "a:b\n", 0644)],
    [qr/are open to others, mode 0620/, '--check', '--credentials',
     $d->file('mode-620', "a:b\n", 0620)],
    [qr/line 2 is not app_id:api_key/, '--check', '--credentials',
     $d->file('no-colon', "a:b\ncanary\n")],
    [qr/line 1 is not app_id:api_key/, '--check', '--credentials',
     $d->file('no-key', "canary:\n")],
    [qr/line 1 is not app_id:api_key/, '--check', '--credentials',
     $d->file('no-id', ":canary\n")],
    map({ my ($name, $pattern, $text) = @$_;
          [$pattern, '--check', '--credentials', $d->file($name, $text)] }
        ['bom', qr/line 1 begins with a byte order mark/, "\xef\xbb\xbfa:k\n"],
        ['bom2', qr/line 1 begins with a byte order mark/,
         "\xef\xbb\xbf# a comment\na:k\n"],
        ['behind', qr/line 2 has a space in the API-Key/, "b:c\na:k \n"],
        ['tab', qr/line 1 has a space in the API-Key/, "a:k\t\n"],
        ['after', qr/line 1 has a space in the API-Key/, "a: k\n"],
        ['before', qr/line 1 has a space in the App-ID/, " a:k\n"],
        ['between', qr/line 1 has a space in the App-ID/, "a :k\n"],
        ['cr', qr/line 1 has an API-Key with other than visible/, "a:k\rl\n"],
        ['nbsp', qr/line 1 has an API-Key with other than visible/,
         "a:k\xc2\xa0\n"],
        ['umlaut', qr/line 1 has an App-ID with other than visible/,
         "\xc3\xa4:k\n"]),
    [qr/have no pair/, '--check', '--credentials', $d->file('empty', "#\n")],
    [qr/have a null byte/, '--check', '--credentials',
     $d->file('null', "a:b\0canary\n")],
    [qr/have over 64 pairs/, '--check', '--credentials',
     $d->file('many', "a:b\n" x 65)],
    [qr/are too long/, '--check', '--credentials',
     $d->file('long', '#' x 65536)],
) {
    my ($message, @args) = @$case;
    my $bad = KTP::Extractd->try(@args);

    is($bad->status, 256, "@args: exit code 1");
    like($bad->log, $message, "@args: says why");
    unlike($bad->log, qr/canary/, "@args: quotes no secret");
}

my $check = KTP::Extractd->try('--check', '--credentials', $good);
is($check->status, 0, '--check: good options');
like($check->log, qr/language data are usable/, '--check: says so');

SKIP: {
    skip 'not root', 4 if $> != 0;

    my $nobody = getpwnam 'nobody';
    my $file = $d->file('others', "a:b\n");

    chown $nobody, -1, $file;
    $check = KTP::Extractd->try('--check', '--credentials', $file);
    is($check->status, 256, 'credentials of another user: exit code 1');
    like($check->log, qr/belong to another user/, 'and told');

    $check = KTP::Extractd->try('--check', '--user', 'no-such-user');
    is($check->status, 256, '--user: an unknown one');
    like($check->log, qr/no user "no-such-user"/, 'and told');
}


# -- what is no HTTP: libmicrohttpd answers, and the daemon goes on

{
    my $strict = KTP::Extractd->new('--workers', 1);
    my $line = "POST $KTP::Extractd::Uri HTTP/1.1\r\n";
    my $head = $line . "Host: x\r\nApp-ID: $KTP::Extractd::App_id\r\n"
             . "API-Key: $KTP::Extractd::Api_key\r\n"
             . "Content-Type: image/jpeg\r\n";
    my $chunked = $head . "Transfer-Encoding: chunked\r\n\r\n";

    for my $case (
        [400, 'no Host', "$line\r\n"],
        [400, 'a header with no colon', "${head}nothing\r\n\r\n"],
        [400, 'a length that is no number',
         "${head}Content-Length: x\r\n\r\n"],
        [413, 'a length over 64 bits',
         $head . 'Content-Length: ' . '9' x 20 . "\r\n\r\n"],
        [400, 'a chunk with no length', "${chunked}x\r\n"],
        [413, 'a chunk over 64 bits', $chunked . 'f' x 17 . "\r\n"],
        [414, 'a long line', 'GET /' . 'x' x 65536 . " HTTP/1.1\r\n\r\n"],
        [431, 'long headers', $head . 'X: ' . 'x' x 65536 . "\r\n\r\n"],
        [505, 'HTTP/3.7', $head =~ s/1\.1/3.7/r . "\r\n"],
        [undef, 'no request line', "\x16\x03\x01\r\n\r\n"],
    ) {
        my ($status, $name, $bytes) = @$case;
        my $answer = $strict->connect->write($bytes)->answer;

        is($answer && $answer->{status}, $status, $name);
    }

    is($strict->request(type => 'text/plain')->{status}, 415,
       'and then a request is answered');
}

done_testing;
