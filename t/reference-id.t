# What is sent as reference_id if the client sent none, what the client and
# the log get of it, and a vendor that takes each only once.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP qw(decode_json);
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $up = KTP::Upstream->new;
my $images = KTP::Upstream->new;
my $url = $up->url;
my $jpeg = jpeg(800, 600);
my $other = jpeg(800, 601);

# more than one buffer of the streamed call, and no multiple of three
my $large = jpeg(800, 600, size => 200_002);

sub location {
    my ($path, @directives) = @_;

    return "location = $path { ktp_pass $url/v2; "
         . join('', map { "$_; " } @directives) . "}\n";
}

my $key = 'ktp_log_key "a key of the log, 32 characters."';
my $derive = 'ktp_reference_id derive';

my @conf = (
    main => KTP::load_module(),
    http => <<'EOC',
    ktp_zone zone:1m;
    log_format ktp '$request_id $status $ktp_outcome $ktp_billed '
                   '$ktp_error_code $ktp_error_reason $ktp_reference_id';
    access_log logs/ktp.log ktp;
    ktp_api_key canary-api-key;
    ktp_app_id canary-app-id;
    add_header X-Request-Id $request_id always;
    ktp_client one { }
    ktp_client two { }
    ktp_answer_zone answers:1m;
EOC
    server => join('',
        location('/pass'),
        location('/generate', 'ktp_reference_id generate'),
        location('/generate-stream', 'ktp_reference_id generate',
                 'ktp_request_buffering off'),
        location('/generate-masked', 'ktp_reference_id generate',
                 'ktp_fields nik reference_id'),
        location('/derive', $derive, $key),
        location('/stream', $derive, $key, 'ktp_request_buffering off'),
        location('/strip', $derive, $key, 'ktp_strip_metadata on',
                 'ktp_request_buffering off'),
        location('/url', $derive, $key, 'ktp_image_url fetch',
                 'ktp_image_url_allow 127.0.0.0/8'),
        location('/app', $derive, $key, 'ktp_app_id another'),
        location('/key', $derive, 'ktp_log_key "another key of 32 letters."'),
        location('/quality', $derive, $key, 'ktp_validate_quality on'),
        location('/client', $derive, $key, 'ktp_auth $arg_c'),
        location('/no-key', $derive, 'ktp_log_key $arg_k'),
        location('/free', $derive, $key, 'ktp_billed_codes none'),
        location('/paid', $derive, $key, 'ktp_billed_codes '
                 . 'INVALID_PAYLOAD_REFERENCE_ID_EXISTS'),
        location('/once', 'ktp_reference_id generate', 'ktp_dedupe on'),
        location('/once-stream', 'ktp_reference_id generate', 'ktp_dedupe on',
                 'ktp_request_buffering off'),
        location('/once-derive', $derive, $key, 'ktp_dedupe on'),
        location('/ignore', 'ktp_dedupe on reference_id=ignore'),
        location('/ignore-masked', 'ktp_dedupe on reference_id=ignore',
                 'ktp_fields reference_id'),
        location('/scope-client', $derive, $key, 'ktp_auth $arg_c',
                 'ktp_dedupe on ttl=1ms'),
        location('/scope-all', $derive, $key, 'ktp_auth $arg_c',
                 'ktp_dedupe on ttl=1ms scope=all'),
        location('/idempotent', $derive, $key, 'ktp_idempotency on'),
        'location = /status { ktp_status; }',
        "location = /path { ktp_pass $url/v3; $derive; $key; }"),
    log_level => 'debug');

my $nginx = KTP::Nginx->new;
my $conf = $nginx->config(@conf);

ok($nginx->start($conf), 'nginx starts') or BAIL_OUT($nginx->complaint);

my $binary = 'Content-Type: image/jpeg';
my $form = 'Content-Type: multipart/form-data; boundary=ktp';
my $hex = qr/^[0-9a-f]{32}\z/;


# What of the module's log format follows the id of an answer's request.
sub log_line {
    my ($answer) = @_;

    my ($id) = $answer->{head} =~ /^X-Request-Id: (\w+)/mi;
    my $deadline = time() + 3 * $KTP::Nginx::Slow;

    do {
        return $1
            if KTP::Nginx::read_file($nginx->prefix . '/logs/ktp.log')
               =~ /^$id (.*)$/m;
        sleep 0.005;
    } until time() > $deadline;

    return '';
}


# A request, which must end in one call: the call's JSON, the answer and the
# log line.
sub call {
    my ($path, $body, @headers) = @_;

    $up->reset;
    $up->answer({ vendor => 'free' });

    my $answer = post($nginx->port, $path, $body, @headers);
    my @calls = $up->calls;

    is(scalar @calls, 1, "$path: one call");

    my $sent = KTP::Upstream::body_of($calls[0] // {});

    return { sent => eval { decode_json($sent) } // {}, answer => $answer,
             log => log_line($answer) };
}


# Four requests at a time, of which three have joined the call of the first;
# their answers.
sub together {
    my ($path, $image) = @_;

    my $go = $nginx->prefix . '/go';

    unlink $go;
    $up->reset;
    $up->answer({ until => $go }, { vendor => 'free' });

    my @calls = map {
        my $call = post_begin($nginx->port, $path, $image, $binary);

        syswrite $call->{sock}, $call->{out};
        $call->{out} = '';
        wait_status($_ == 1 ? ('ktp_shared_calls_in_flight', 1)
                            : ('ktp_waiting_requests', $_ - 1));
        $call;
    } 1 .. 4;

    KTP::Nginx::write_file($go, '');

    return map { answer_of($_) } @calls;
}


# Waits until a metric has a value.
sub wait_status {
    my ($name, $value) = @_;

    my $base = 'http://127.0.0.1:' . $nginx->port;

    KTP::Nginx::wait_for(sub {
        my ($seen) = KTP::Nginx::curl("$base/status")->{body}
                     =~ /^$name (\d+)$/m;

        return defined $seen && $seen == $value;
    });
}


# The id of a call that is derived.
sub id_of {
    my ($path, $body, @headers) = @_;

    my $got = call($path, $body, @headers);
    my $id = $got->{sent}{reference_id} // '';

    like($id, $hex, "$path: an id is sent");
    like($got->{log}, qr/ \Q$id\E\z/, "$path: and logged");

    return $id;
}


# none is sent, unless the client sends one

my $got = call('/pass', $jpeg, $binary);
is($got->{sent}{reference_id}, undef, 'pass: none is sent');
is($got->{log}, '200 ok yes - - -', 'pass: none is logged');

for my $path (qw(/pass /generate /generate-stream /derive /stream)) {
    my $mine = "mine $path";

    $got = call("$path?reference_id=mine%20$path", $jpeg, $binary);
    is($got->{sent}{reference_id}, $mine, "$path: that of a client is sent");
    is($got->{log}, "200 ok yes - - $mine", "$path: and logged");
    is(eval { decode_json($got->{answer}{body})->{data}{reference_id} },
       $mine, "$path: and comes back");
}

$got = call('/generate-stream', qq({"image":"${\ base64($large)}",)
                                . '"reference_id":"behind"}');
is($got->{sent}{reference_id}, 'behind', 'streamed: one behind the image');
is($got->{log}, '200 ok yes - - behind', 'streamed: it is logged');

# a new one with each call, which the client does not see

my %seen;

for my $path (qw(/generate /generate-stream /generate-masked)) {
    for (1, 2) {
        $got = call($path, $large, $binary);

        my $id = $got->{sent}{reference_id} // '';

        like($id, $hex, "$path: an id is sent");
        is($seen{$id}++, 0, "$path: a new one");
        is($got->{log}, "200 ok yes - - $id", "$path: and logged");
        is($got->{sent}{image}, base64($large), "$path: with the image");
        is($got->{answer}{body},
           $path eq '/generate-masked'
               ? '{"message":"Success","status_code":"V-1","data":'
                 . '{"nik":"3171234567890001","reference_id":""}}'
               : $KTP::Upstream::Body =~ s/\}\}\z/,"reference_id":""}}/r,
           "$path: the client gets none");
    }
}

# an answer in which it cannot be replaced is passed as it is

$up->reset;
$up->answer(KTP::Upstream::response('200 OK', '{"message":"","data":'
                                  . '{"reference_id":["x"]}}'));
is(post($nginx->port, '/generate', $jpeg, $binary)->{body},
   '{"message":"","data":{"reference_id":["x"]}}',
   'an answer of another form is passed');

# the same id for the same image, whatever the way, and after a restart

my $id = id_of('/derive', $large, $binary);

$images->answer("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
                . 'Content-Length: ' . length($large) . "\r\n\r\n$large");

my $text = base64($large);
my @ways = (
    ['a bare file', '/derive', $large, $binary],
    ['JSON', '/derive', json_body($large)],
    ['a form', '/derive', multipart(['image', $large, 'a.jpg']), $form],
    ['base64 of another alphabet', '/derive',
     '{"image":"' . ($text =~ tr{+/}{-_}r) . '"}'],
    ['a URL', '/url', qq({"image":"${\ $images->url}/a.jpg"})],
    ['options as they are by default', '/derive',
     json_body($large, validate_quality => 'false', is_quality => 'true')],
    ['a streamed file', '/stream', $large, $binary],
    ['a streamed file, chunked', '/stream', [chunked($large, 5000)], $binary,
     'Transfer-Encoding: chunked'],
    ['streamed JSON', '/stream', json_body($large)],
    ['a streamed form', '/stream', multipart(['image', $large, 'a.jpg']),
     $form],
);

sub same {
    for my $way (@ways) {
        my ($name, @request) = @$way;
        my $got = call(@request);

        is($got->{sent}{reference_id}, $id, "$name: the same id");
        is($got->{answer}{status}, 409, "$name: the vendor has seen it");
    }
}

same();

# metadata that is removed does not count

is(id_of('/strip', jpeg(800, 600, size => 5000), $binary),
   id_of('/strip', jpeg(800, 600, size => 6000), $binary),
   'the same image without its metadata');

# another one for what makes another call

my %id = ("$id" => 'the first');

for my $row (
    ['another image', '/derive', $other, $binary],
    ['validate_quality', '/derive?validate_quality=true', $large, $binary],
    ['is_quality', '/derive?is_quality=false', $large, $binary],
    ['another App-ID', '/app', $large, $binary],
    ['another upstream', '/path', $large, $binary],
    ['another key', '/key', $large, $binary],
    ['a client', '/client?c=one', $large, $binary],
    ['another client', '/client?c=two', $large, $binary],
) {
    my ($name, @request) = @$row;
    my $new = id_of(@request);

    is($id{$new}, undef, "$name: another id");
    $id{$new} = $name;
}

is($id{id_of('/quality', $large, $binary)}, 'validate_quality',
   'an option counts as it is sent');

# a vendor that has seen the image

for my $kind ('free', 'paid') {
    my $image = jpeg($kind eq 'free' ? 810 : 820, 600);

    $up->reset;
    $up->answer({ vendor => $kind });

    my @answers = map { post($nginx->port, '/derive', $image, $binary) } 1, 2;
    my @charged = $up->charged;

    is($answers[0]{status}, 200, "$kind: the first time");
    is($answers[1]{status}, 409, "$kind: the second time");
    is(scalar @charged, $kind eq 'free' ? 1 : 2, "$kind: what is charged");

    my $error = eval { decode_json($answers[1]{body}) } // {};

    delete $error->{request_id};
    is_deeply($error, { error_code => 'DUPLICATE_REQUEST',
                        reason => 'duplicate_request',
                        message => 'image was sent before, and its answer is '
                                   . 'no longer stored' },
              "$kind: what the client gets");
    is(log_line($answers[1]), '409 not_accepted unknown DUPLICATE_REQUEST '
                              . "duplicate_request $charged[0]",
       "$kind: the log");

    # an id of the client's own is the client's matter, and has another charged

    @answers = map { post($nginx->port, "/derive?reference_id=own-$kind",
                          $image, $binary) } 1, 2;
    is($answers[0]{status}, 200, "$kind: an id of the client's own");
    is($answers[1]{status}, 400, "$kind: the same again");
    is(eval { decode_json($answers[1]{body})->{error_code} },
       'INVALID_PAYLOAD_REFERENCE_ID_EXISTS', "$kind: the vendor's error");
    like(log_line($answers[1]), qr/^400 not_accepted unknown \w+_EXISTS - own/,
         "$kind: the log of it");

    # nor is any other error of the vendor's a repetition

    $up->answer(KTP::Upstream::response('400 Bad Request',
        '{"message":"no","error_code":"KTP_NOT_DETECTED"}'));
    is(post($nginx->port, '/derive', $image, $binary)->{status}, 400,
       "$kind: no card");
}

# the operator knows whether the vendor charges a refusal

for my $row (['/free', 'no'], ['/paid', 'yes']) {
    my ($path, $billed) = @$row;
    my $got = call($path, $large, $binary);

    like($got->{log}, qr/^409 not_accepted $billed DUPLICATE_REQUEST /,
         "$path: billed $billed");
}

# requests that share a call: none gets the id of another

my $n = 0;

for my $path ('/once', '/once-stream', '/once-derive') {
    my $image = jpeg(830, 600, size => 100_000 + ++$n);
    my @answers = together($path, $image);
    my @charged = $up->charged;
    my @lines = map { log_line($_) } @answers;

    push @answers, post($nginx->port, $path, $image, $binary);

    is(scalar(() = $up->calls), 1, "$path: one call for all");
    like($charged[0], $hex, "$path: with an id");

    my %body = map { $_->{body} => 1 } @answers;

    is(join(' ', keys %body),
       $KTP::Upstream::Body =~ s/\}\}\z/,"reference_id":""}}/r,
       "$path: nobody gets it");
    is(join('; ', sort @lines), join('; ', ('200 ok no - - -') x 3,
                                     "200 ok yes - - $charged[0]"),
       "$path: it is logged once");
    is(log_line($answers[-1]), '200 ok no - - -', "$path: a stored answer");
}

for my $path ('/ignore', '/ignore-masked') {
    my $image = jpeg(830, 600, size => 100_000 + ++$n);

    $up->reset;
    $up->answer({ vendor => 'free' });

    for my $mine ("first $path", "second $path", '') {
        my $args = $mine ? '?reference_id=' . ($mine =~ s/ /%20/r) : '';
        my $answer = post($nginx->port, "$path$args", $image, $binary);

        is(eval { decode_json($answer->{body})->{data}{reference_id} }, $mine,
           "$path: the id of each");
    }

    is(scalar(() = $up->calls), 1, "$path: one call");
}

# what the vendor refuses, it refuses for all who wait

{
    my $image = jpeg(850, 600);

    id_of('/derive', $image, $binary);

    my @answers = together('/once-derive', $image);

    is(join(' ', map { $_->{status} } @answers), '409 409 409 409',
       'who joins a call that is refused');
    is(scalar(() = $up->calls), 1, 'one call');
}

# the id is that of the flight

my $first = id_of('/scope-client?c=one', $jpeg, $binary);

isnt(id_of('/scope-client?c=two', $jpeg, $binary), $first,
     'scope=client: another client is another flight');

my $second = id_of('/scope-all?c=one', $jpeg, $binary);

sleep 0.01;
is(id_of('/scope-all?c=two', $jpeg, $binary), $second,
   'scope=all: another client is the same');

$first = id_of('/idempotent', $jpeg, $binary, 'Idempotency-Key: a');
isnt(id_of('/idempotent', $jpeg, $binary, 'Idempotency-Key: b'), $first,
     'another key is another request');

# a key that has no value cannot be used, and no call is made without an id

$up->reset;

my $none = post($nginx->port, '/no-key', $jpeg, $binary);

is($none->{status}, 500, 'without a key no id is derived');
is(scalar(() = $up->calls), 0, 'and no call is made');
like($nginx->log_from(0),
     qr/\[error\].* reference_id cannot be made, "ktp_log_key" may be empty/,
     'the log says why');

# a request that is rejected has sent none

is(log_line(post($nginx->port, '/derive', jpeg(640, 480), $binary)),
   '400 rejected no INVALID_PAYLOAD_IMAGE_SIZE too_few_pixels -',
   'an image that is rejected');

# what came from a client with a wrong key is not logged

like(log_line(post($nginx->port, '/client?c=none&reference_id=x', $jpeg,
                   $binary)), qr/^403 .* -\z/, 'a client that is unknown');

# another process with the same key

$nginx->stop;
$nginx = KTP::Nginx->new;
$conf = $nginx->config(@conf);
ok($nginx->start($conf), 'nginx starts again') or diag($nginx->complaint);
same();
$nginx->stop;

# the configuration

for my $row (
    ["$derive;", '"ktp_reference_id derive" requires "ktp_log_key"'],
    ['ktp_reference_id on;', 'invalid value "on" in "ktp_reference_id" '
     . 'directive, it must be "pass", "generate", or "derive"'],
    ["$derive; $derive;", '"ktp_reference_id" directive is duplicate'],
    ['ktp_reference_id;', 'invalid number of arguments in '
     . '"ktp_reference_id" directive'],
) {
    my $out = $nginx->test($nginx->config(
        main => KTP::load_module(),
        server => "location = /e { ktp_pass $url/v2; $row->[0] }"));

    like($out, qr/\[emerg\].*\Q$row->[1]\E/, $row->[1]);
}

done_testing();
