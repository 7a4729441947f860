# ktp_breaker: each row of the table in src/gateway/shared/ngx_http_ktp_breaker.c,
# with calls that are made by several workers, over a reload and a killed
# worker.  Each part has an upstream name of its own, and so a breaker.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
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
my $up = KTP::Upstream->new;
my $nginx = KTP::Nginx->new(late => 1);
my $url = $up->url;
my $refused = KTP::Nginx::free_port();
my $workers = 3;
my $file = KTP::Nginx::scratch_dir() . '/go';

# the clock of nginx is put forward for these: calls that are held meanwhile
# have more time, and what has to time out does so by itself
my ($open, $max) = (100_000, 300_000);
my $window = 50_000;
my $short = 1000 * $slow;
my $log = $nginx->prefix . '/logs/breaker.log';
my $rule = "ktp_breaker failures=3 window=1h open=${open}ms max=${max}ms;";

my $server = <<"EOC";
        $rule
        ktp_timeout 10h;
        ktp_read_timeout 10h;
        location = /basic { ktp_pass $url/basic; access_log $log breaker; }
        location = /basic-2 { ktp_pass $url/basic?secret=s; }
        location = /window {
            ktp_pass $url/window;
            ktp_breaker failures=2 window=${window}ms open=1h max=1h;
        }
        location = /photo { ktp_pass $url/photo; ktp_breaker failures=1; }
        location = /busy { ktp_pass $url/busy; ktp_breaker failures=1; ktp_max_inflight 1; }
        location = /trial { ktp_pass $url/trial; }
        location = /longer { ktp_pass $url/longer; }
        location = /abort { ktp_pass $url/abort; }
        location = /killed { ktp_pass $url/killed; }
        location = /late { ktp_pass $url/late; ktp_timeout ${short}ms; }
        location = /reload { ktp_pass $url/reload; }
        location = /dead { ktp_pass http://127.0.0.1:$refused/dead; ktp_retries 0; }
        location = /slow { ktp_pass $url/slow; ktp_read_timeout 100ms; }
        location = /quota { ktp_pass $url/quota; ktp_auth \$name; }
        location = /dedupe {
            ktp_pass $url/dedupe;
            ktp_dedupe on;
            ktp_breaker failures=2 window=1h open=1h max=1h;
        }
        location = /stream {
            ktp_pass $url/stream;
            ktp_request_buffering off;
            ktp_timeout ${short}ms;
            ktp_breaker failures=1 window=1h open=1h max=1h;
        }
        location = /sandbox { ktp_pass $url/basic; ktp_sandbox on; access_log $log breaker; }
        location = /off { ktp_pass $url/basic; ktp_breaker off; access_log $log breaker; }
        location = '/quo"ted' {
            ktp_pass '$url/quo"ted\\\\';
            ktp_breaker failures=1;
        }
EOC

my %conf = (workers => $workers, dedupe => '', server => $server, http => <<'EOC');
    map $uri $name { default one; }
    ktp_client one { quota 1000/day; rate 1000/s burst=100; }
    log_format breaker '$uri $status $ktp_outcome $ktp_billed '
                       '$ktp_error_reason $ktp_breaker';
EOC

ok(KTP::Flights::start($nginx, $url, %conf), 'nginx starts')
    or BAIL_OUT($nginx->complaint);

my @forms = map { ['image/jpeg', photo($_)] } 1 .. 9;
my $bad = KTP::Upstream::response('503 Unavailable', '{"message":"down"}');
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my %states = (0 => 'closed', 1 => 'half-open', 2 => 'open');

sub pids { return sort { $a <=> $b } $nginx->workers }

# One request at a worker, by its number.
sub ask {
    my ($uri, $worker, %opt) = @_;

    my @pids = pids();

    return answer_of(begin($nginx, $pids[($worker // 0) % @pids],
                           $opt{form} || $forms[0], uri => $uri));
}

sub status { return ask(@_)->{status} }

sub metric { return gauge($nginx, qq($_[0]\{upstream="$_[1]"\})) }

sub state {
    my ($name) = @_;

    return $states{ metric('ktp_breaker_state',
                           $name =~ m{^http} ? $name : "$url/$name") } || '-';
}

sub opened { return metric('ktp_breaker_opened_total', "$url/$_[0]") }

# An open breaker whose time passes is half-open, and not before.
sub half_open {
    my ($name, $ms) = @_;

    $ms //= $open;

    # the time is up to a fifth shorter, by chance
    $nginx->pass(0.8 * $ms - 20_000);
    return 0 if state($name) ne 'open';

    $nginx->pass(0.2 * $ms + 20_000);
    return state($name) eq 'half-open';
}

# Opens a closed breaker.
sub break {
    my ($name, $failures) = @_;

    $up->answer($bad);
    status("/$name", $_) for 1 .. $failures || 3;

    return state($name) eq 'open';
}

# A request whose call waits until the file is there; returns when the upstream
# has it.
sub hold {
    my ($name, $worker, @then) = @_;

    my @pids = pids();

    unlink $file;
    $up->reset;
    $up->answer({until => $file}, @then);

    my $call = begin($nginx, $pids[$worker], $forms[0], uri => "/$name");

    ok($up->wait_calls(1), "$name: a call is in progress");

    return $call;
}

sub release { KTP::Nginx::write_file($file, '') }

sub refusal {
    my ($name, $answer) = @_;

    is($answer->{status}, 503, "$name: 503");
    like($answer->{body}, qr/"error_code":"SERVICE_UNAVAILABLE","reason":"breaker_open"/,
         "$name: the reason");

    my ($wait) = $answer->{head} =~ /^Retry-After: (\d+)\r?$/m;
    ok($wait && $wait >= 1, "$name: Retry-After") or diag($answer->{head});

    return $wait;
}


# closed, open

is(state('basic'), 'closed', 'it is closed at first');
$up->answer($bad);
is(status('/basic', $_), 503, "failure $_ is the upstream's") for 0, 1;
$up->answer($good);
is(status('/basic', 2), 200, 'a success in between');
is(state('basic'), 'closed', 'two failures: closed');
$up->answer($bad);

my $from = length $nginx->log_from(0);
is(status('/basic-2', 2), 503, 'the third, at another worker and location');
is(state('basic'), 'open', 'open');
is(opened('basic'), 1, 'which is counted');
like($nginx->log_from($from),
     qr{\[warn\] .*breaker of upstream "\Q$url\E/basic" is open for \d+ms, 3 calls failed within 3600000ms, the last one: bad_status},
     'and logged at warn, without arguments');

$up->reset;
$up->answer($good);
refusal("worker $_", ask('/basic', $_)) for 0 .. $workers - 1;
refusal('the other location', ask('/basic-2', 0));
is(scalar $up->calls, 0, 'no call is made');
is(status('/off', 0), 200, 'a location without it makes calls');
is(status('/sandbox', 0), 200, 'a sandbox answers');
ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::read_file($log) =~ m{^/off 200 ok yes - -$}m
        && KTP::Nginx::read_file($log) =~ m{^/sandbox 200 ok no - -$}m
}), '... and both have no state') or diag(KTP::Nginx::read_file($log));

my $sock = worker_socket($nginx, (pids())[0]);
print $sock "POST /basic HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            . "Content-Type: image/jpeg\r\nContent-Length: 100000\r\n"
            . "Expect: 100-continue\r\n\r\n";
$sock->flush;
my $answer = answer_of({sock => $sock, out => '', start => time()});
like($answer->{head}, qr{^HTTP/1\.1 503 }, 'before the body is sent');

ok(KTP::Nginx::wait_for(sub {
    KTP::Nginx::read_file($log) =~ m{^/basic 503 upstream_error no breaker_open open$}m
}), 'what the access log says') or diag(KTP::Nginx::read_file($log));

ok(half_open('basic'), 'the time has passed');
$from = length $nginx->log_from(0);
is(status('/basic', 1), 200, 'the next request is the trial');
is(state('basic'), 'closed', 'whose success closes it');
like($nginx->log_from($from), qr/\[warn\] .*is half-open.*\[warn\] .*is closed, the call was answered/s,
     'both are logged');
$up->answer($bad);
is(status('/basic', $_), 503, 'failures are counted anew') for 0, 1;
is(state('basic'), 'closed', 'still closed');

my $json = JSON::PP->new->decode(KTP::Nginx::curl(
    "http://127.0.0.1:$nginx->{flights_port}/metrics?format=json")->{body});
is_deeply([grep { $_->{upstream} eq "$url/basic" } @{ $json->{ktp_breaker_state} }],
          [{upstream => "$url/basic", value => 0}], 'the state as JSON');
is(state('quo?ted?'), 'closed', 'a name that would have to be escaped');


# failures that are too old

is(status('/window', 0), 503, 'a failure');
$nginx->pass($window + 1);
is(status('/window', 1), 503, 'another one');
is(state('window'), 'closed', 'one failure in the window: closed');
is(status('/window', 2), 503, 'a second');
is(state('window'), 'open', 'two: open');


# answers that do not count

for my $case ([400, '{"message":"m","error_code":"KTP_NOT_DETECTED"}'],
              [400, 'a page'], [401, '{"error_code":"UNAUTHORIZED"}'],
              [403, '{"error_code":"INSUFFICIENT_QUOTA"}'], [413, 'a page'],
              [429, '{"error_code":"TOO_MANY_REQUESTS"}']) {
    $up->answer(KTP::Upstream::response("$case->[0] No", $case->[1]));
    ok(status('/photo', $_) >= 400, "$case->[0] $case->[1]") for 0, 1;
    is(state('photo'), 'closed', '... does not count');
}

my $held = hold('busy', 0, $good);
is(status('/busy', 0), 503, 'no place for a call');
is(state('busy'), 'closed', '... does not count');
release();
is(answer_of($held)->{status}, 200, 'the call is answered');


# those that do

$up->answer(KTP::Upstream::response('302 Found', '', 'Location: /'));
is(status('/photo'), 502, 'a redirect');
is(state('photo'), 'open', '... counts');

is(status('/dead', $_), 502, 'a dead upstream') for 0 .. 2;
is(state("http://127.0.0.1:$refused/dead"), 'open', '... opens it');
refusal('then', ask('/dead'));

$up->answer({hang => 1});
is(status('/slow', $_), 504, 'a slow upstream') for 0 .. 2;
is(state('slow'), 'open', '... opens it');
$up->reset;
my $quick = ask('/slow');
refusal('then', $quick);
is(scalar $up->calls, 0, 'nobody waits for it');


# half-open: one call over all workers, and calls that began earlier

$held = hold('trial', 0, $bad);
break('trial') or fail('trial: open');
ok(half_open('trial'), 'trial: the time has passed');
release();
is(answer_of($held)->{status}, 503, 'a call that began earlier fails');
is(state('trial'), 'half-open', '... and changes nothing');
is(opened('trial'), 1, '... nor is counted');

$held = hold('trial', 0, $good);

for (0 .. $workers - 1) {
    is(refusal("worker $_ meanwhile", ask('/trial', $_)), 1, 'for a second');
}

is(scalar $up->calls, 1, 'one call is made');
release();
is(answer_of($held)->{status}, 200, 'the trial succeeds');
is(state('trial'), 'closed', 'closed');
$up->answer($good);
is(status('/trial', $_), 200, "worker $_ calls again") for 0 .. $workers - 1;

# many at once

ok(break('trial'), 'trial: open');
ok(half_open('trial'), 'trial: the time has passed again');
unlink $file;
$up->reset;
$up->answer({until => $file}, $good);
my @calls = map { begin($nginx, (pids())[$_ % $workers], $forms[0], uri => '/trial') } 1 .. 12;
$up->wait_calls(1);
my $twelve = IO::Select->new(map { $_->{sock} } @calls);
ok(KTP::Nginx::wait_for(sub { 11 == (() = $twelve->can_read(0)) }),
   'eleven of twelve are answered');
my %answered = map { $_ => 1 } $twelve->can_read(0);
my @many = map { $answered{ $_->{sock} } ? answer_of($_)->{status} : $_ } @calls;
is(scalar(grep { ref } @many), 1, 'one of twelve is the trial');
is(scalar(grep { !ref && $_ == 503 } @many), 11, 'the others are refused');
is(scalar $up->calls, 1, 'one call');
release();
is(answer_of($_)->{status}, 200, 'which succeeds') for grep { ref } @many;


# a trial that fails

$from = length $nginx->log_from(0);
ok(break('longer'), 'longer: open');

my @want = ($open, 2 * $open, $max, $max);

for (1 .. 3) {
    ok(half_open('longer', $want[$_ - 1]), "time $_ has passed");
    is(status('/longer', $_), 503, "trial $_ fails");
    is(state('longer'), 'open', 'open again');
}

my @times = $nginx->log_from($from) =~ m{/longer" is open (?:again )?for (\d+)ms}g;
is(scalar @times, 4, 'four times');
ok($times[$_] <= $want[$_] && $times[$_] >= 0.8 * $want[$_] - 1,
   "time $_: $times[$_] of $want[$_] ms") for 0 .. $#times;
like($nginx->log_from($from), qr/is open again for \d+ms, the call failed: bad_status/,
     'the log says why');
is(opened('longer'), 4, 'the counter');


# a trial whose client leaves

ok(break('abort'), 'abort: open');
ok(half_open('abort'), 'abort: the time has passed');
$held = hold('abort', 0, $good);
refusal('abort: meanwhile', ask('/abort', 1));
close $held->{sock};
ok($nginx->wait_log(qr/stays half-open/), 'the place is given back');
release();
$up->answer($good);
is(status('/abort', 1), 200, 'the next request is the trial');
is(state('abort'), 'closed', 'closed');


# a trial that lasts longer than its call may

ok(break('late'), 'late: open');
ok(half_open('late'), 'late: the time has passed');
$up->answer({hang => 1});
is(status('/late', 0), 504, 'a trial that times out');
is(state('late'), 'open', 'has failed');


# a trial whose worker is killed

ok(break('killed'), 'killed: open');
ok(half_open('killed'), 'killed: the time has passed');

my @before = pids();
$held = hold('killed', 1, $good);
refusal('killed: meanwhile', ask('/killed', 0));
kill 'KILL', $before[1];
ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($before[1])
                              && $nginx->workers == $workers }), 'killed');
release();
$up->answer($good);
is(status('/killed', 0), 200, 'the next request is the trial');
is(state('killed'), 'closed', 'closed');


# over a reload

ok(break('reload'), 'reload: open');
ok(half_open('reload'), 'reload: the time has passed');
$held = hold('reload', 0, $good);
@before = pids();
$nginx->signal('HUP');
my %old = map { $_ => 1 } @before;
ok(KTP::Nginx::wait_for(sub { $workers <= grep { !$old{$_} } $nginx->workers }),
   'new workers');
my @new = grep { !$old{$_} } pids();
refusal('reload: a new worker', answer_of(begin($nginx, $new[0], $forms[0], uri => '/reload')));
release();
is(answer_of($held)->{status}, 200, 'the trial of an old worker');
is(state('reload'), 'closed', '... closes it for all');
ok(KTP::Nginx::wait_for(sub { $nginx->workers == $workers }), 'old workers leave');
isnt(state('slow'), '-', 'the other breakers are there');
is(opened('longer'), 4, 'and their counters');


# nothing is taken from a quota

sub used { return gauge($nginx, 'ktp_client_quota_used_calls{client="one",period="day"}') }

ok(break('quota'), 'quota: open');
my $used = used();
refusal('quota', ask('/quota', $_)) for 0, 1;
is(used(), $used, 'the quota is as before');


# identical uploads

$up->answer($good);
is(status('/dedupe', 0), 200, 'an answer is stored');
unlink $file;
$up->reset;
$up->answer({until => $file}, $bad);
@calls = map { begin($nginx, (pids())[$_ % $workers], $forms[1], uri => '/dedupe') } 0 .. 3;
$up->wait_calls(1);
ok(wait_gauge($nginx, 'ktp_waiting_requests', 3), 'three join a call');
release();
is(answer_of($_)->{status}, 503, 'which fails for all') for @calls;
is(scalar $up->calls, 1, 'one call');
is(state('dedupe'), 'closed', 'one failure');
$up->answer($bad);
is(status('/dedupe', 1, form => $forms[2]), 503, 'a second failure');
is(state('dedupe'), 'open', 'opens it');
$up->reset;
is(status('/dedupe', 2), 200, 'the stored answer is replayed');
refusal('dedupe', ask('/dedupe', 0, form => $forms[3]));
is(scalar $up->calls, 0, 'without a call');


# a client that sends slowly

$up->answer($good);
my $png = png(800, 600, size => 200_000);
$sock = worker_socket($nginx, (pids())[0]);
print $sock "POST /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            . "Content-Type: image/png\r\nContent-Length: " . length($png)
            . "\r\n\r\n" . substr $png, 0, 100_000;
$sock->flush;
$answer = answer_of({sock => $sock, out => '', start => time()});
like($answer->{head}, qr{^HTTP/1\.1 504 }, 'a timeout for a slow client');
is(state('stream'), 'closed', '... does not count');
$up->answer($bad);
is(status('/stream', 0, form => ['image/png', $png]), 503, 'a failure does');
is(state('stream'), 'open', 'and opens it');

unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\](?!.*signal 9)/, 'no alert');
$nginx->stop;
is(KTP::Nginx::reports(), '', 'no sanitizer report');


# without a zone

my ($rc, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(), http => "ktp_breaker failures=3;",
    server => "location = /x { ktp_pass $url/x; }"));
isnt($rc, 0, 'a zone is needed');
like($said, qr{"ktp_breaker" in location "/x" requires "ktp_zone"}, 'which nginx -t says');

($rc, $said) = $nginx->test($nginx->config(
    main => KTP::load_module(),
    http => "ktp_breaker failures=3 open=2m max=1m;"));
like($said, qr{"ktp_breaker" directive has "max" less than "open"}, 'max below open');

done_testing();
