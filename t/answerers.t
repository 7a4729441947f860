# Who answers: each row of the table in src/gateway/request/
# ngx_http_ktp_answerers.c, with a vendor and a reader that are scripted, and
# what each of them is sent.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP ();
use KTP::Client;
use KTP::Flights;
use KTP::Image;
use KTP::Nginx;
use KTP::Reader;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

my $slow = $KTP::Nginx::Slow;
my $vendor = KTP::Upstream->new;
my $reader = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $refused = KTP::Nginx::free_port();
my ($v, $r) = ($vendor->url, $reader->url);
my $log = $nginx->prefix . '/logs/answerers.log';

# what those that hang are waited for, and those that answer at once may take
my $short = 2000 * $slow;

my $server = <<"EOC";
        ktp_retries 0;
        access_log $log answerers;
        location = /plain { ktp_pass $v/p; ktp_app_id app-v; ktp_api_key key-v; }
        location = /check { ktp_pass $v/c; ktp_app_id app-v; ktp_api_key key-v; ktp_precheck \@reader timeout=${short}ms; }
        location = /watch { ktp_pass $v/w; ktp_precheck \@reader shadow; }
        location = /check-down { ktp_pass $v/c; ktp_precheck \@down; }
        location = /first { ktp_pass $v/f; ktp_first \@reader confidence=0.9; ktp_app_id app-v; ktp_api_key key-v; }
        location = /first-two { ktp_pass $v/f; ktp_first \@reader confidence=0.9 fields=nik,full_name; }
        location = /first-mask { ktp_pass $v/f; ktp_first \@reader confidence=0.9; ktp_mask nik; ktp_fields nik full_name; }
        location = /both { ktp_pass $v/b; ktp_precheck \@reader; ktp_first \@reader confidence=0.9; }
        location = /dead { ktp_pass http://127.0.0.1:$refused/v; ktp_fallback \@reader; }
        location = /back { ktp_pass $v/x; ktp_fallback \@reader; ktp_read_timeout ${short}ms; }
        location = /back-all { ktp_pass $v/x; ktp_fallback \@reader on=connect,breaker,refused,timeout,error; ktp_read_timeout ${short}ms; ktp_app_id app-v; ktp_api_key key-v; }
        location = /back-down { ktp_pass $v/x; ktp_fallback \@down on=error; }
        location = /breaker { ktp_pass $v/breaker; ktp_fallback \@reader; ktp_breaker failures=1 open=1h max=1h; }
        location = /breaker-no { ktp_pass $v/breaker-no; ktp_fallback \@reader on=error; ktp_breaker failures=1 open=1h max=1h; }
        location = /joined { ktp_pass $v/j; ktp_fallback \@reader on=error; ktp_dedupe on; }
        location = /shadow { ktp_pass $v/s; ktp_shadow \@reader; }
        location = /shadow-down { ktp_pass $v/s; ktp_shadow \@down; }
        location = /block { ktp_pass $v/x; ktp_fallback \@block on=error; }
        location = /sandbox { ktp_pass $v/x; ktp_sandbox on; ktp_precheck \@reader; ktp_first \@reader confidence=0.9; ktp_fallback \@reader on=error; }
        location \@reader { ktp_pass $r/v2?k=1; ktp_app_id app-r; ktp_api_key key-r; ktp_timeout 5s; }
        location \@block { ktp_pass http://readers/v2; }
        location = /tripped { ktp_pass $v/t; ktp_precheck \@tripped; }
        location \@tripped { ktp_pass $r/tripped; ktp_breaker failures=1 open=1h max=1h; }
        location = /leave-precheck { ktp_pass $v/l; ktp_precheck \@reader timeout=1m; }
        location = /leave-first { ktp_pass $v/l; ktp_first \@reader confidence=0.9; }
        location = /leave-fallback { ktp_pass $v/l; ktp_fallback \@reader on=error; }
        location \@down { ktp_pass http://127.0.0.1:$refused/v2; }
EOC

my $http = <<"EOC";
    log_format answerers '\$uri \$status \$ktp_source \$ktp_outcome \$ktp_billed \$ktp_error_reason:\$ktp_upstream_status';
    upstream readers { server 127.0.0.1:@{[$reader->port]}; }
EOC

ok(KTP::Flights::start($nginx, $v, workers => 2, dedupe => '', http => $http,
                       server => $server), 'nginx starts')
    or BAIL_OUT($nginx->complaint);

my $image = KTP::Image::jpeg(1000, 640);

my $paid = answers('200 OK', json(ok_body('V-1', { %card, full_name => 'VENDOR' })));

sub lines { return KTP::Nginx::read_file($log) =~ /^(.*)$/mg }

# One request; its answer, with "line" of the access log.
sub ask {
    my ($uri, %opt) = @_;

    my $before = () = lines();
    my $args = $opt{args} ? "?$opt{args}" : '';

    $vendor->reset;
    $reader->reset;
    $vendor->answer(@{ $opt{vendor} || [$paid] });
    $reader->answer(@{ $opt{reader} || [] }) if $opt{reader};

    my $answer = post($nginx->port_of_flights, "$uri$args", $image,
                      'Content-Type: image/jpeg');

    KTP::Nginx::wait_for(sub { my $n = () = lines(); $n > $before });
    $answer->{line} = (lines())[-1];
    $answer->{json} = eval { JSON::PP::decode_json($answer->{body}) };

    return $answer;
}

sub KTP::Nginx::port_of_flights { return $_[0]{flights_port} }

sub counter {
    my ($name) = @_;

    return gauge($nginx, $name) // 0;
}

# is(answer, status, source, name of the test, calls of vendor and reader)
sub outcome {
    my ($answer, $status, $source, $name, $paid_calls, $reader_calls) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is($answer->{status}, $status, "$name: status $status");
    is((split / /, $answer->{line})[2], $source, "$name: $source answered");
    is(scalar($vendor->calls), $paid_calls, "$name: the vendor's calls");
    is(scalar($reader->calls), $reader_calls, "$name: the reader's calls")
        if defined $reader_calls;
    unlike($answer->{body}, qr/details|valid_until|"detected"/,
           "$name: nothing beyond the contract");
}


# -- ktp_precheck

my $answer = ask('/check', reader => [check(0, 0)]);

outcome($answer, 400, 'precheck', 'no card', 0, 1);
is_deeply($answer->{json}, { message => 'KTP not detected in the image',
                             error_code => 'KTP_NOT_DETECTED' },
          'in the shape of the contract');
like($answer->{line}, qr/ precheck not_accepted no /, 'and costs nothing');

my ($call) = $reader->calls;

like($call->{head}, qr{^POST /v2\?k=1&check=1 HTTP}, 'the reader is asked to check');
like($call->{head}, qr/^App-ID: app-r\r$/m, 'with its own key');
unlike($call->{head}, qr/key-v|app-v/, 'and not with that of the vendor');

for my $case (
    ['a card', [check(1, 1)], 'passed'],
    ['a card of which it is not sure', [check(0, 0.5)], 'unsure'],
    ['a bad photo, when quality is not asked for',
     [check(1, 1, blur => \1)], 'passed'],
    ['status 500', [answers('500 Oops', '{"message":"x"}')], 'failed'],
    ['status 401', [answers('401 No', '{"message":"x"}')], 'failed'],
    ['no JSON', [answers('200 OK', '<html>')], 'failed'],
    ['an answer with fields', [$paid], 'failed'],
    ['a confidence that is no number', [check(0, '0')], 'failed'],
    ['a confidence over 1', [check(0, 2)], 'failed'],
    ['a closed connection', [{ close => 1 }], 'failed'],
    ['no answer in time', [{ hang => 1 }], 'failed']) {

    my ($name, $steps, $result) = @$case;
    my $metric = qq(ktp_prechecks_total{result="$result"});
    my $before = counter($metric);

    $answer = ask('/check', reader => $steps);
    outcome($answer, 200, 'upstream', "check: $name", 1);
    ok(wait_gauge($nginx, $metric, $before + 1),
       "check: $name: $result is counted");
}

($call) = $vendor->calls;
like($call->{head}, qr/^App-ID: app-v\r$/m, 'the vendor gets its key');
unlike($call->{head}, qr/key-r|app-r/, 'and not that of the reader');

outcome(ask('/check-down'), 200, 'upstream', 'check: refused connection', 1, 0);
like($nginx->log_from(0),
     qr/upstream call failed \(connect\).* while asking ktp_precheck, /,
     'the log says who failed');

$answer = ask('/check', args => 'validate_quality=true',
              reader => [check(1, 1, blur => \1)]);
outcome($answer, 200, 'precheck', 'a bad photo', 0, 1);
is($answer->{json}{error_code}, 'FAIL_ON_1', 'a bad photo: its code');
is_deeply([map { $answer->{json}{data}{$_} } sort keys %card],
          [map { '' } keys %card], 'a bad photo: fields are there and empty');
ok($answer->{json}{data}{image_quality}{blur}, 'a bad photo: the flag says why');

outcome(ask('/check', args => 'validate_quality=true', reader => [check(0, 0.5, blur => \1)]),
        200, 'upstream', 'a bad photo of what may be no card', 1, 1);

outcome(ask('/watch', reader => [check(0, 0)], vendor => [$paid]), 200,
        'upstream', 'shadow of a check', 1, 1);
is(counter('ktp_precheck_calls_total{result="refused",outcome="ok"}'), 1,
   'counts what it would have refused, beside the outcome');
ask('/watch', reader => [check(0, 0)],
    vendor => [answers('400 Bad', '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}')]);
is(counter('ktp_precheck_calls_total{result="refused",outcome="not_accepted"}'),
   1, 'also where the vendor says the same');


# -- ktp_first

$answer = ask('/first', reader => [reading(0.95)]);
outcome($answer, 200, 'first', 'sure', 0, 1);
is($answer->{json}{data}{full_name}, $card{full_name}, 'sure: its fields');
is($answer->{json}{status_code}, 'LOCAL-0', 'sure: its code');
($call) = $reader->calls;
like($call->{head}, qr{^POST /v2\?k=1&details=1 HTTP}, 'sure: details are asked for');
is(counter('ktp_saved_calls_total{client="-",reason="first"}'), 1,
   'sure: a call is saved');

for my $case (
    ['one field below', [reading(0.95, sure => { address => 0.899 })]],
    ['an empty field', [reading(0.95, value => { blood_type => '' })]],
    ['another date', [reading(0.95, value => { date_of_birth => '18-08-1990' })]],
    ['another gender', [reading(0.95, value => { gender => 'LAKI-LAKI' })]],
    ['another region', [reading(0.95, value => { city => 'KOTA MEDAN', state => 'SUMATERA UTARA' })]],
    ['no number', [reading(0.95, value => { nik => '32739957089000' })]],
    ['no details', [$paid]],
    ['no card', [answers('400 Bad', '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}')]],
    ['a bad photo', [answers('200 OK', json({ %{ ok_body('LOCAL-0', {}) }, error_code => 'FAIL_ON_1' }))]],
    ['a key twice', [answers('200 OK', '{"message":"a","message":"b"}')]],
    ['status 500', [answers('500 Oops', '{"message":"x"}')]],
    ['a closed connection', [{ close => 1 }]]) {

    my ($name, $steps) = @$case;

    $answer = ask('/first', reader => $steps);
    outcome($answer, 200, 'upstream', "first: $name", 1, 1);
    is($answer->{json}{data}{full_name}, 'VENDOR', "first: $name: fields of the vendor");
}

outcome(ask('/first-two', reader => [reading(0.1, sure => { nik => 0.9, full_name => 1 })]),
        200, 'first', 'fields that are asked for are sure', 0, 1);

$answer = ask('/first-mask', reader => [reading(0.1, sure => { nik => 0.9, full_name => 1 })]);
outcome($answer, 200, 'first', 'only fields that the client gets count', 0, 1);
is_deeply($answer->{json}{data}, { nik => '*' x 8, full_name => $card{full_name} },
          'they are masked as those of the vendor');

outcome(ask('/both', reader => [{ once => 1 }, check(1, 1)]), 200, 'upstream',
        'both roles', 1, 2);


# -- ktp_fallback

$answer = ask('/dead', reader => [reading(0.1)]);
outcome($answer, 200, 'fallback', 'a vendor that is down', 0, 1);
like($answer->{line}, qr/ fallback ok no -:-$/, 'a vendor that is down: no failure of the request');
is(counter('ktp_answers_total{source="fallback"}'), 1, 'it is counted');
is(counter('ktp_upstream_calls_total{outcome="upstream_error"}'), 1,
   "and so is the vendor's failure");

my $down = [answers('503 Down', '{"message":"down"}')];
my %failure = (
    connect => [{ early => 1 }, { close => 1 }],
    refused => [answers('401 No', '{"message":"no","error_code":"UNAUTHORIZED"}')],
    rate    => [answers('429 Slow down', '{"message":"no"}', 'Content-Type: application/json', 'Retry-After: 7')],
    balance => [answers('403 No', '{"message":"no","error_code":"INSUFFICIENT_QUOTA"}')],
    timeout => [{ hang => 1 }],
    error   => $down,
    reset   => [{ reset => 1 }],
    unusable => [answers('200 OK', '<html>')]);
my %status = (refused => 401, rate => 429, balance => 403, timeout => 504,
              error => 503, reset => 502, unusable => 502);

for my $name (sort keys %status) {
    $answer = ask('/back', reader => [reading(0.5)], vendor => $failure{$name});
    outcome($answer, $status{$name}, 'upstream', "$name, not named", 1, 0);

    $answer = ask('/back-all', reader => [reading(0.5)], vendor => $failure{$name});
    outcome($answer, 200, 'fallback', "$name, named", 1, 1);
    unlike($answer->{head}, qr/^Retry-After:/mi, "$name, named: no time to retry");
}

($call) = $reader->calls;
like($call->{head}, qr{^POST /v2\?k=1 HTTP}, 'a fallback is asked as a vendor is');
unlike($call->{head}, qr/app-v|key-v/, 'without the keys of the vendor');

for my $case (
    ['fields', $paid, 200, 'ok'],
    ['no card', answers('400 Bad', '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}'), 400, 'not_accepted'],
    ['a bad photo', answers('200 OK', json({ %{ ok_body('LOCAL-0', {}) }, error_code => 'FAIL_ON_1' })), 200, 'bad_quality']) {

    my ($name, $steps, $status, $outcome) = @$case;

    $answer = ask('/back-all', vendor => [$steps], reader => [reading(0.5)]);
    outcome($answer, $status, 'upstream', "an answer ($name) is none of the cases", 1, 0);

    $answer = ask('/back-all', vendor => $down, reader => [$steps]);
    outcome($answer, $status, 'fallback', "a fallback's answer ($name)", 1, 1);
    like($answer->{line}, qr/ fallback $outcome unknown /, "$name: its outcome");
}

for my $case (['status 500', [answers('500 Oops', '{"message":"x"}')]],
              ['status 401', [answers('401 No', '{"message":"x"}')]],
              ['a key twice', [answers('200 OK', '{"message":"a","message":"b"}')]],
              ['a closed connection', [{ close => 1 }]]) {

    my ($name, $steps) = @$case;

    $answer = ask('/back-all', vendor => $down, reader => $steps);
    outcome($answer, 503, 'upstream', "a fallback that fails: $name", 1, 1);
    is($answer->{json}{message}, 'down', "$name: the vendor's failure is sent");
    like($answer->{line}, qr/ upstream upstream_error unknown bad_status:503/,
         "$name: and logged");
}

outcome(ask('/back-down', vendor => $down), 503, 'upstream',
        'a fallback that is down', 1, 0);
outcome(ask('/block', vendor => $down, reader => [reading(0.5)]), 200,
        'fallback', 'a fallback of several servers', 1, 1);

outcome(ask('/breaker', vendor => $down), 503, 'upstream', 'before the breaker opens', 1, 0);
$answer = ask('/breaker', vendor => $down, reader => [reading(0.5)]);
outcome($answer, 200, 'fallback', 'an open breaker', 0, 1);
$answer = ask('/breaker', vendor => $down, reader => $down);
outcome($answer, 503, '-', 'an open breaker, and a fallback that fails', 0, 1);
like($answer->{head}, qr/^Retry-After: \d+\r$/m, 'has the time of the breaker');
like($answer->{line}, qr/ upstream_error no breaker_open:/, 'and its reason');

ask('/breaker-no', vendor => $down, reader => [reading(0.5)]);
outcome(ask('/breaker-no', vendor => $down), 503, '-',
        'an open breaker that is not named', 0, 0);

# all who wait for the same call
{
    my $gate = KTP::Nginx::scratch_dir() . '/gate';

    $vendor->reset;
    $reader->reset;
    $vendor->answer({ until => $gate }, @$down);
    $reader->answer(reading(0.5));

    my @calls = map {
        post_begin($nginx->port_of_flights, '/joined', $image,
                   'Content-Type: image/jpeg')
    } 1 .. 6;

    for my $call (@calls) {
        $call->{sock}->syswrite($call->{out});
        $call->{out} = '';
    }

    ok(KTP::Nginx::wait_for(sub { counter('ktp_waiting_requests') == 5 }),
       'others wait');
    KTP::Nginx::write_file($gate, '');

    my $logged = () = lines();
    my @answers = map { answer_of($_) } @calls;

    is(scalar(grep { $_->{status} == 200 } @answers), 6,
       'all get the answer of the fallback');
    is(scalar(grep { $_->{body} =~ /details/ } @answers), 0, 'without details');
    is(scalar($vendor->calls), 1, 'of one call of the vendor');
    is(scalar($reader->calls), 1, 'and one of the reader');

    ok(KTP::Nginx::wait_for(sub { my $n = () = lines(); $n >= $logged + 6 }),
       'and are logged');

    $answer = ask('/joined', vendor => [$paid]);
    outcome($answer, 200, 'upstream', 'an answer of a fallback is not stored', 1, 0);
}


# -- ktp_shadow

sub shadowed {
    my ($result, $uri, %opt) = @_;

    my $metric = qq(ktp_shadow_answers_total{result="$result"});
    my $before = counter($metric);
    my $answer = ask($uri, %opt);

    ok(KTP::Nginx::wait_for(sub { counter($metric) == $before + 1 }),
       "$uri: $result");

    return $answer;
}

my @shadow = (vendor => [answers('200 OK', json(ok_body('V-1', { %card, full_name => 'Specimen  Percobaan', city => 'KOTA CIMAHI' })))]);

$answer = shadowed('compared', '/shadow', @shadow,
                   reader => [reading(0.96, sure => { full_name => 0.72, city => 0.991 })]);
outcome($answer, 200, 'upstream', 'shadow', 1, 1);

for my $case (['nik', '0.95', 'yes'], ['full_name', '0.7', 'yes'], ['city', '0.99', 'no']) {
    my ($field, $bin, $agree) = @$case;

    ok(wait_gauge($nginx, qq(ktp_shadow_fields_total{field="$field",)
                          . qq(bin="$bin",agree="$agree"}), 1),
       "$field: $agree at $bin");
}

ok(wait_gauge($nginx, 'ktp_shadow_cards_total{bin="0.7",agree="no"}', 1),
   'a card is as sure as its least sure field');
shadowed('failed', '/shadow', reader => [answers('500 Oops', '{}')]);
shadowed('failed', '/shadow-down');

# no more than there are places, and nobody waits
{
    my $gate = KTP::Nginx::scratch_dir() . '/shadow-gate';
    my $metric = 'ktp_shadow_answers_total{result="dropped"}';
    my $compared = 'ktp_shadow_answers_total{result="compared"}';
    my $before = counter($compared);

    $vendor->reset;
    $reader->reset;
    $vendor->answer($paid);
    $reader->answer({ until => $gate }, reading(0.5));

    my @statuses = map {
        post($nginx->port_of_flights, '/shadow', $image,
             'Content-Type: image/jpeg')->{status}
    } 1 .. 20;

    is_deeply(\@statuses, [(200) x 20], 'clients do not wait for a shadow');

    # after the answer
    ok(KTP::Nginx::wait_for(sub { counter($metric) >= 20 - 2 * 4 }),
       'what has no place is dropped');
    KTP::Nginx::write_file($gate, '');
    ok(KTP::Nginx::wait_for(sub {
        counter($compared) + counter($metric) == $before + 20
    }), 'the rest is compared');
}


# -- failures of the reader, and of the client

ask('/tripped', reader => $down);

my $errors = length $nginx->log_from(0);

outcome(ask('/tripped'), 200, 'upstream', 'an open breaker of the reader', 1, 0);
like($nginx->log_from($errors),
     qr/\[info\] .*call was not made \(breaker_open\).* while asking ktp_precheck, /,
     'is told at another level');
unlike($nginx->log_from($errors), qr/\[error\]/, 'than failures');

for my $case (['precheck', '/leave-precheck', '', '-', 'no', 0],
              ['first', '/leave-first', '', '-', 'no', 0],
              ['fallback', '/leave-fallback', $down, 'upstream', 'unknown', 1]) {

    my ($role, $uri, $vendor_says, $source, $billed, $paid_calls) = @$case;
    my $before = () = lines();

    $vendor->reset;
    $reader->reset;
    $vendor->answer(@$vendor_says) if $vendor_says;
    $reader->answer({ hang => 1 });

    my $call = post_begin($nginx->port_of_flights, $uri, $image,
                          'Content-Type: image/jpeg');

    $call->{sock}->syswrite($call->{out});
    ok(KTP::Nginx::wait_for(sub { $reader->calls == 1 }), "$role: it is asked");
    close $call->{sock};
    ok(KTP::Nginx::wait_for(sub { my $n = () = lines(); $n > $before }),
       "$role: a client that leaves ends it");
    like((lines())[-1], qr/^$uri 499 $source aborted $billed /,
         "$role: which is logged");
    is(scalar($vendor->calls), $paid_calls, "$role: the vendor's calls");
}

is(counter('ktp_calls_in_flight'), 0, 'no call is left');


# -- other directives

$answer = ask('/sandbox', args => 'reference_id=sandbox-500');
outcome($answer, 500, 'sandbox', 'a rehearsal makes no calls', 0, 0);

$answer = ask('/plain', reader => [reading(1)]);
outcome($answer, 200, 'upstream', 'a location without any of them', 1, 0);

$nginx->stop;
is($nginx->reports, '', 'no memory is lost');
unlike($nginx->log_from(0),
       qr/\[(?:alert|emerg|crit)\]/, 'and no alert is logged');

done_testing();
