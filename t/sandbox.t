# "ktp_sandbox on": each row of the tables of docs/contract.md as an answer
# that a "reference_id" selects, on the way of any other request, without a
# call, and without cost.

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

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $jpeg = jpeg(800, 600);
my $doc = KTP::Nginx::read_file('docs/contract.md');

my $fields = '{"reference":"$ktp_reference_id","status":"$status",'
           . '"source":"$ktp_source","billed":"$ktp_billed",'
           . '"cost":"$ktp_cost","outcome":"$ktp_outcome",'
           . '"reason":"$ktp_error_reason","upstream":"$ktp_upstream_status"}';

# no keys of the vendor, and an upstream that would be warned of
ok($nginx->start($nginx->config(
    main   => KTP::load_module(),
    http   => <<"EOC",
        log_format sandbox '$fields';
        access_log logs/sandbox.log sandbox;
        ktp_zone ktp:1m;
        ktp_answer_zone answers:1m;
        ktp_price 1500 IDR;
        ktp_client one { quota 1/total; rate 1/m burst=3; }
        ktp_client none { quota 0/total; }
        map \$arg_c \$name { default \$arg_c; }
EOC
    server => <<"EOC",
        ktp_sandbox on;
        location = /e { ktp_pass http://ktp.example/v2; }
        location = /stream {
            ktp_pass $url/v2;
            ktp_request_buffering off;
        }
        location = /short { ktp_pass $url/v2; ktp_timeout 1500ms; }
        location = /stay {
            ktp_pass $url/v2;
            ktp_timeout 1s;
            ktp_ignore_client_abort on;
        }
        location = /leave { ktp_pass $url/v2; ktp_timeout 100s; }
        location = /mask {
            ktp_pass $url/v2;
            ktp_fields nik full_name;
            ktp_mask nik=last:4;
            ktp_nik_check on;
        }
        location = /client {
            ktp_pass $url/v2;
            ktp_auth \$name;
            add_header X-Left \$ktp_quota_left always;
        }
        location = /key { ktp_pass $url/v2; ktp_auth on; }
        location = /once {
            ktp_pass $url/v2;
            ktp_dedupe on reference_id=ignore;
        }
        location = /again {
            ktp_pass $url/v2;
            ktp_idempotency on;
        }
        location = /real {
            ktp_sandbox off;
            allow all;
            ktp_pass $url/v2;
            ktp_dedupe on;
        }
        location = /s { ktp_status; }
EOC
    log_level => 'debug')), 'nginx starts') or diag($nginx->complaint);

my $port = $nginx->port;

unlike(KTP::Nginx::read_file($nginx->prefix . '/logs/stderr'), qr/\[warn\]/,
       'no warning of an upstream that is never called');


# -- each row of the contract

my (@rows, %first);

for (rows('Reasons',
     qr/^\| `(\w+)` \| (\d+) \| `(\w+)` \| ([^|]+) \|/)) {
    my ($reason, $status, $code, $message) = @$_;

    # a word that two rows have is that of the first
    push @rows, [$reason, $status, $code, $message]
        unless $first{$reason}++ || $reason eq 'not_detected';
}

cmp_ok(scalar @rows, '>', 70, 'the table of reasons was found');

# those of 10 seconds are of their own, below
for (grep { $_->[0] ne 'timeout' } @rows) {
    my ($reason, $status, $code, $message) = @$_;

    my $got = ask('/e', "sandbox-$reason");
    my $error = eval { decode_json($got->{body}) } // {};

    is($got->{status}, $status, "$reason: $status");
    is($error->{error_code}, $code, "$reason: $code");
    is($error->{reason}, $reason, "$reason: the reason");
    is($error->{message}, $message, "$reason: the message");
    ok($error->{request_id}, "$reason: the id of the request");
}

my @errors = rows('Errors', qr/^\| (\d+) \| `(\w+)` \|/);
my %status;

cmp_ok(scalar @errors, '>', 20, 'the table of errors was found');

for (@errors) {
    my ($status, $code) = @$_;

    next if $status{$status}++;

    my $got = ask('/e', "sandbox-$status");

    is($got->{status}, $status, "sandbox-$status");
    is(decode_json($got->{body})->{error_code}, $code, "is the first: $code");
}

for (['sandbox-401', 'WWW-Authenticate: API-Key realm="ktp"'],
     ['sandbox-405', 'Allow: POST'], ['sandbox-429', 'Retry-After: 1'],
     ['sandbox-503', 'Retry-After: 2']) {
    like(ask('/e', $_->[0])->{head}, qr/^\Q$_->[1]\E\r?$/m,
         "$_->[0]: $_->[1]");
}

is(decode_json(ask('/e', 'sandbox-too-few-pixels')->{body})->{reason},
   'too_few_pixels', '"-" for "_"');
is_deeply([@{ decode_json(ask('/e', 'sandbox-too_few_pixels')->{body}) }
           {qw(width min_width)}], [800, 720], 'numbers are those of the image');

# of the upstream
for (['not-detected', 400, 'KTP_NOT_DETECTED'],
     ['fail-on-1',    200, 'FAIL_ON_1'],
     ['duplicate',    400, 'INVALID_PAYLOAD_REFERENCE_ID_EXISTS']) {
    my ($name, $status, $code) = @$_;

    my $got = ask('/e', "sandbox-$name");
    my $answer = decode_json($got->{body});

    is($got->{status}, $status, "$name: $status");
    is($answer->{error_code}, $code, "$name: $code");
    ok(!exists $answer->{reason}, "$name: as the upstream has it");
}

my %upstream = map { $_->[1] => 1 }
               rows('Errors of the upstream', qr/^\| (\d+) \| `(\w+)` \|/);

is_deeply([sort keys %upstream],
          ['FAIL_ON_1', 'INVALID_PAYLOAD_REFERENCE_ID_EXISTS'],
          'which are all that only the upstream has');

like(ask('/e', 'sandbox-not-detected')->{body},
     qr/^\{"message":"KTP not detected/, 'the words that clients look for');

my $data = decode_json(ask('/e', 'sandbox-fail-on-1')->{body})->{data};

ok(delete($data->{image_quality})->{blur}, 'bad quality: why');
is(delete $data->{reference_id}, 'sandbox-fail-on-1', 'whose it is');
is(join('', values %$data), '', 'no field has a value');
is(scalar(keys %$data), 16, 'and each is there');


# -- success

for my $id ('sandbox-ok', 'order-1041', 'Sandbox-500', 'sandbox', '"\\/<') {
    my $answer = decode_json(ask('/e', $id)->{body});

    is($answer->{status_code}, 'SIMULATED-0', "$id: success, of the sandbox");
    ok(!exists $answer->{error_code}, "$id: no error");
    is($answer->{data}{reference_id}, $id, "$id: the identifier");
}

my $got = post($port, '/e', json_body($jpeg));
my $person = decode_json($got->{body})->{data};

is($got->{status}, 200, 'no identifier');
is(delete $person->{reference_id}, '', 'and none in the answer');
is(ref delete $person->{image_quality}, 'HASH', 'the quality');
is(scalar(grep { length } values %$person), 16, 'sixteen fields with values');
like($person->{nik}, qr/^\d{4}99\d{10}\z/, 'of a NIK that is of no district');
like($person->{full_name}, qr/SPECIMEN/, 'and nobody');

for my $id (qw(sandbox- sandbox-x sandbox-200 sandbox-5000 sandbox-slow
               sandbox-slow-s sandbox-slow-3 sandbox-slow-1ss sandbox-slow--1s
               sandbox-slow-10000s sandbox-OK sandbox-ok- sandbox-quota-)) {
    like(ask('/e', $id)->{body},
         qr/"INVALID_PAYLOAD_REFERENCE_ID","reason":"sandbox_unknown"/,
         "$id selects nothing");
}


# -- what is before and after the call

like(ask('/e', 'sandbox-ok', 'no image')->{body}, qr/"reason":"type_unknown"/,
     'an invalid image is rejected first');
is(ask('/stream', 'sandbox-not-detected')->{status}, 400,
   'a body that would be streamed');
is(ask('/stream', 'sandbox-ok')->{status}, 200, 'is answered as well');

$data = decode_json(ask('/mask', 'sandbox-ok')->{body})->{data};
is_deeply([sort keys %$data], [qw(full_name nik nik_check)], 'fields');
like($data->{nik}, qr/^\*{12}\d{4}\z/, 'masks');
is_deeply($data->{nik_check},
          { valid_format => JSON::PP::true, province => 'JAWA BARAT',
            date_of_birth_matches => JSON::PP::true,
            gender_matches => JSON::PP::true,
            region_matches => JSON::PP::true }, 'the NIK is checked');

is(ask('/key', 'sandbox-ok')->{status}, 401, 'a key is required');
is(ask('/client?c=none', 'sandbox-ok')->{status}, 200,
   'a quota that is used up does not matter');
like(ask('/client?c=one', 'sandbox-ok')->{head}, qr/^X-Left: 1\r?$/m,
     'no quota is taken') for 1 .. 3;
like(ask('/client?c=one', 'sandbox-ok')->{body}, qr/"reason":"rate"/,
     'the rate is limited');


# -- time

for my $uri ('/short', '/stay') {
    my ($wait) = $uri eq '/short' ? 1.5 : 1;

    $got = ask($uri, 'sandbox-timeout');
    like($got->{body}, qr/"reason":"timeout"/, "$uri: 504");
    is($got->{status}, 504, 'of that status');
    cmp_ok($got->{seconds}, '>=', $wait - 0.01, 'after ktp_timeout');
}

$got = ask('/leave', 'sandbox-504');
is($got->{status}, 504, '504 by its status');
cmp_ok($got->{seconds}, '<', 50, 'without waiting for ktp_timeout');

$got = ask('/short', 'sandbox-slow-1s');
is($got->{status}, 200, 'a slow success');
cmp_ok($got->{seconds}, '>=', 0.99, 'takes its time');

$got = ask('/short', 'sandbox-slow-9999s');
is($got->{status}, 504, 'but not more than ktp_timeout');
cmp_ok($got->{seconds}, '>=', 1.49, 'which it takes');
is(ask('/short', 'sandbox-slow-0s')->{status}, 200, 'no time at all');

# the client leaves
my $call = post_begin($port, '/leave?reference_id=sandbox-slow-77s', $jpeg,
                      'Content-Type: image/jpeg');

syswrite $call->{sock}, $call->{out};
ok($nginx->wait_log(qr/ktp sandbox: answers in 77000 ms/),
   'a long wait begins');
close $call->{sock};

my $line = logged('sandbox-slow-77s');

is($line->{outcome}, 'aborted', 'it ends with the client');
is($line->{source}, 'sandbox', 'which it was for');


# -- once

my $answer = ask('/once', 'sandbox-ok')->{body};

is(ask('/once', 'sandbox-ok')->{body}, $answer, 'a stored answer');
like($nginx->log_from, qr/ktp flight: replayed/, 'that was replayed');
is(ask('/once', 'sandbox-not-detected')->{status}, 400,
   'the identifier still selects');

my @calls = map {
    post_begin($port, '/once?reference_id=sandbox-slow-1s', $jpeg,
               'Content-Type: image/jpeg')
} 1, 2;

my ($pid) = fork // die "fork: $!\n";

if ($pid == 0) {
    exit(answer_of($calls[1])->{status} == 200 ? 0 : 1);
}

is(answer_of($calls[0])->{status}, 200, 'two at a time');
waitpid $pid, 0;
is($?, 0, 'each with an answer');
like($nginx->log_from, qr/ktp flight: joined/, 'of which one has joined');

my @key = ('Content-Type: image/jpeg', 'Idempotency-Key: a');

is(post($port, '/again?reference_id=sandbox-ok', $jpeg, @key)->{status}, 200,
   'a key');
like(post($port, '/again?reference_id=sandbox-ok', $jpeg, @key)->{head},
     qr/^Idempotency-Replayed: true\r?$/m, 'replays');
is(post($port, '/again?reference_id=sandbox-500', $jpeg, @key)->{status}, 422,
   'and is bound to its request');

# before the real location is asked
unlike($nginx->log_from, qr/ktp call started/, 'no call was begun');
is(scalar($up->calls), 0, 'no call was made');
unlike(status(),
       qr/^ktp_(?:requests|errors|billed_calls|billable_calls|cost
                  |saved_calls)_total\{/mx, 'and nothing is counted');
$up->answer(KTP::Upstream::response('200 OK', $KTP::Upstream::Body));
is(ask('/real', 'sandbox-ok')->{body}, $KTP::Upstream::Body,
   'off: the upstream answers, and not a stored answer of the sandbox');
is(scalar($up->calls), 1, 'with a call');
is(logged('sandbox-ok', 'upstream')->{billed}, 'yes', 'that is billed');
like(status(), qr/^ktp_billed_calls_total\{[^}]*\} 1$/m, 'and counted');
is(ask('/once', 'sandbox-ok')->{body}, $answer, 'nor does the sandbox get it');


# -- the log

my %want = ('sandbox-ok'           => ['200', 'ok', '-'],
            'sandbox-not-detected' => ['400', 'not_accepted', '-'],
            'sandbox-fail-on-1'    => ['200', 'bad_quality', '-'],
            'sandbox-duplicate'    => ['400', 'not_accepted', '-'],
            'sandbox-quota'        => ['403', 'quota', 'quota'],
            'sandbox-rate'         => ['429', 'rejected', 'rate'],
            'sandbox-timeout'      => ['504', 'timeout', 'timeout'],
            'sandbox-connect'      => ['502', 'upstream_error', 'connect']);

for my $id (sort keys %want) {
    $line = logged($id, 'sandbox');

    is_deeply([@$line{qw(status outcome reason)}], $want{$id},
              "$id in the log");
    is_deeply([@$line{qw(source billed cost upstream)}],
              ['sandbox', 'no', '0', '-'], 'marked, and at no cost');
}

my @entries = lines();
my @sources = grep { $_ !~ /"source":"(?:sandbox|upstream|-)"/ } @entries;

is("@sources", '', 'joined and replayed answers are marked as well');
unlike($nginx->log_from, qr/\[(?:error|crit|alert|emerg)\]/, 'a clean log');

$nginx->stop('QUIT');

done_testing();


# The answer to an image with that reference_id.
sub ask {
    my ($uri, $id, $image) = @_;

    return post($port, $uri, multipart(['image', $image // $jpeg, 'a.jpg'],
                                       ['reference_id', $id]),
                'Content-Type: multipart/form-data; boundary=ktp');
}


# The cells that a pattern finds in the lines of a section of the contract.
sub rows {
    my ($heading, $pattern) = @_;

    my ($section) = $doc =~ /^##+ \Q$heading\E\n(.*?)(?=^##|\z)/ms;

    return map { my @cells = /$pattern/; @cells ? [@cells] : () }
           split /\n/, $section // '';
}


sub lines {
    return split /\n/,
           KTP::Nginx::read_file($nginx->prefix . '/logs/sandbox.log');
}


# The last line of the log of a request, once it is there.
sub logged {
    my ($id, $source) = @_;

    my @found;

    KTP::Nginx::wait_for(sub {
        @found = grep { /"reference":"\Q$id\E"/
                        && (!$source || /"source":"$source"/) } lines();
    }, 5 * $slow);

    return decode_json($found[-1] // '{}');
}


sub status { return KTP::Nginx::curl("http://127.0.0.1:$port/s")->{body} }
