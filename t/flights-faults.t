# Faults that others had with calls in flight, by their names.

use strict;
use warnings;

use lib 't/lib';
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $KTP::Nginx::Slow;
my $seconds = 6 * $slow; # of ktp_timeout
my $limits = "ktp_timeout ${seconds}s; ktp_read_timeout ${seconds}s;"
           . ' ktp_retries 0;';
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $dir = KTP::Nginx::scratch_dir();
my $upstream = KTP::Upstream->new;
my $number = 0;
my ($nginx, $gate, @workers, @forms, $late);


# Each test has an nginx, an image and a call that waits for the gate.
sub fresh {
    my ($name, @answer) = @_;

    note($name);
    $nginx->stop if $nginx;
    $nginx = KTP::Nginx->new(late => $late);
    start($nginx, $upstream->url, workers => 2, http => $limits,
          server => "location = /f { ktp_forget; }") 
        or BAIL_OUT($nginx->complaint);
    @workers = $nginx->workers;
    fresh_image(@answer);
}


# A call that waits, whether or not there was one before.
sub fresh_image {
    my (@answer) = @_;

    @forms = forms(photo(++$number, 20_000));
    $gate = "$dir/gate-$number";
    $upstream->reset;
    $upstream->answer({ until => $gate }, @answer ? @answer : $good);
}


# The same with a call that is not sent as a whole: a photo larger than what
# the kernels take, to an upstream that is deaf.
sub unsent_image {
    my (@end) = @_;

    @forms = forms(photo(++$number, 5_000_000));
    $upstream->reset;
    $upstream->answer({ once => 1 }, { accept => 1 }, { deaf => 1 },
                      { until => $gate }, @end);
}


sub land { KTP::Nginx::write_file($gate, '') }
sub calls { return scalar($upstream->calls) }


# A leader at the first worker, and waiters in turn at the second and the
# first.
sub leader {
    my $call = begin($nginx, $workers[0], $forms[0]);

    ok($upstream->wait_calls(1), 'the call is at the upstream');

    return $call;
}


sub waiters {
    my ($n) = @_;

    my @calls = map { begin($nginx, $workers[$_ % 2], $forms[$_ % 3]) }
                1 .. $n;

    ok(wait_gauge($nginx, 'ktp_waiting_requests', $n), "$n requests wait");

    return @calls;
}


sub statuses { return join ' ', map { answer_of($_)->{status} } @_ }


sub nothing_left {
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'nobody waits any more');
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'for no call');
    unlike($nginx->log_from, qr/\[(?:alert|crit|emerg)\]/, 'a clean log');
}


# -- the leader's client leaves and all fail

fresh("the leader's client leaves and all fail");
{
    my $leader = leader();
    my @waiters = waiters(4);

    close $leader->{sock};

    # the worker has heard of it before it accepts another connection
    worker_socket($nginx, $workers[0]);
    land();
    is(statuses(@waiters), '200 200 200 200', 'all others have the answer');
    is(calls(), 1, 'of one call');
    is(post($nginx->{flights_port}, '/d', $forms[0][1],
            'Content-Type: image/jpeg')->{status}, 200, 'it is stored');
    is(calls(), 1, 'and replayed');
    nothing_left();
}


# -- a waiter that leaves removes the flight

fresh('a waiter that leaves removes the flight');
{
    my $leader = leader();
    my @waiters = waiters(2);

    close $_->{sock} for @waiters;
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'they are gone');
    is(gauge($nginx, 'ktp_shared_calls_in_flight'), 1, 'the call is not');

    my @later = waiters(2);

    land();
    is(statuses($leader, @later), '200 200 200', 'who comes later joins it');
    is(calls(), 1, 'one call');
    nothing_left();
}


# -- a failed leader gives waiters an empty success

my $html = KTP::Upstream::response('200 OK', '<html>',
                                   'Content-Type: text/html');

for my $case (
    ['500', 500, KTP::Upstream::response('500 Oops',
        '{"message":"no","error_code":"INTERNAL"}')],
    ['reset', 502, { reset => 1 }],
    ['closed', 502, { close => 1 }],
    ['half an answer', 502, substr($good, 0, length($good) - 20),
     { close => 1 }],
    ['an empty answer', 502, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ['no JSON', 502, $html],
    ['400 of the vendor', 400, KTP::Upstream::response('400 Bad',
        '{"message":"no","error_code":"INVALID_PAYLOAD"}')],
    ['silence', 504, { hang => 1 }],
) {
    my ($name, $status, @answer) = @$case;

    fresh("a failed leader gives waiters an empty success: $name", @answer);

    my $leader = leader();
    my @waiters = waiters(3);
    my $start = time();

    land();

    my @answers = map { answer_of($_) } $leader, @waiters;

    is(join(' ', map { $_->{status} } @answers), join(' ', ($status) x 4),
       "$name: each has the error");
    is(scalar(grep { $_->{body} =~ /"error_code":"\w+"/ } @answers), 4,
       "$name: and its words");
    cmp_ok(time() - $start, '<', $seconds + 5 * $slow,
           "$name: in the time of ktp_timeout");
    is(calls(), 1, "$name: nobody repeats what may be billed");

    # nor is it kept
    $upstream->reset;
    is(answer_of(begin($nginx, undef, $forms[1]))->{status}, 200,
       "$name: the next upload is a call of its own");
    is(calls(), 1, "$name: which is made");
    nothing_left();
}


# -- what the vendor has refused, and surely not billed, is refused for all

for my $case (['401', 401, 'Unauthorized'], ['429', 429, 'Too Many Requests']) {
    my ($code, $status, $words) = @$case;

    fresh("a refused call: $code",
          KTP::Upstream::response("$code $words", '{"error_code":"X"}'));

    my $leader = leader();
    my @waiters = waiters(3);

    land();
    is(statuses($leader, @waiters), join(' ', ($status) x 4),
       "$code: each has the error");
    is(calls(), 1, "$code: of one call");
    $upstream->answer($good);
    is(answer_of(begin($nginx, undef, $forms[1]))->{status}, 200,
       "$code: the next upload is a call of its own");
    is(calls(), 2, "$code: which is made");
    nothing_left();
}


# -- a call that cannot have been taken: one of those who wait makes it again

for my $ways (['one that succeeds', 1, $good],
              ['one that fails, too', 0, { accept => 1 }, { reset => 1 }]) {
    my ($name, $succeeds, @second) = @$ways;

    fresh("a call that was not sent, and $name");
    unsent_image({ reset => 1 });

    my $leader = begin($nginx, $workers[0], $forms[0]);

    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 1),
       "$name: a call in flight");

    my @waiters = waiters(3);

    $upstream->answer(@second);
    my $connections = $upstream->connections;
    land();

    is(statuses($leader, @waiters),
       $succeeds ? '502 200 200 200' : '502 502 502 502',
       "$name: the answer of each");
    is(calls(), $succeeds ? 1 : 0, "$name: calls that were taken");
    cmp_ok($upstream->connections - $connections, '<=', 2,
           "$name: one of them repeats it");
    nothing_left();
}


# -- a cancelled leader poisons the next flight

fresh('a cancelled leader poisons the next flight');
{
    my $leader = leader();

    my $closes = $upstream->closes;

    close $leader->{sock};
    ok(KTP::Nginx::wait_for(sub { $upstream->closes > $closes }),
       'a call that nobody waits for is given up');
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'and is no flight');
    $upstream->answer($good);
    is(answer_of(begin($nginx, undef, $forms[1]))->{status}, 200,
       'the next upload has an answer');
    is(calls(), 2, 'of a call of its own');
    nothing_left();
}


# -- the zone is full and requests get 500

for my $zone ('128k', '160k') {
    note("the zone is full and requests get 500: $zone");
    $nginx->stop;
    $nginx = KTP::Nginx->new;

    next unless ok(start($nginx, $upstream->url, workers => 2, zone => $zone,
                         http => 'ktp_timeout 60s; ktp_read_timeout 60s;'),
                   "a zone of $zone")
        || !diag($nginx->complaint);

    @workers = $nginx->workers;
    fresh_image();

    # far more calls in the air than there is room for
    my @calls = map {
        begin($nginx, undef, (forms(photo(1000 + $_)))[0])
    } 1 .. 300;

    ok(KTP::Nginx::wait_for(sub { calls() == 300 }, 30),
       "$zone: 300 calls at a time");
    land();

    my %got;
    $got{ answer_of($_)->{status} }++ for @calls;

    is_deeply(\%got, { 200 => 300 }, "$zone: each is answered")
        or diag(explain(\%got));
    cmp_ok(gauge($nginx, 'ktp_answer_zone_full_total')
           + gauge($nginx, 'ktp_answers_evicted_total'), '>', 0,
           "$zone: it was full");

    # and one that is full of answers takes a new one
    $upstream->answer($good);
    my $before = calls();

    answer_of(begin($nginx, undef, (forms(photo(2000)))[$_ % 3])) for 1 .. 3;
    is(calls(), $before + 1, "$zone: the newest answer is stored");
    nothing_left();
}


# -- a purge is overtaken by a write in flight

fresh('a purge is overtaken by a write in flight');
{
    my $leader = leader();
    my @waiters = waiters(2);

    is(answer_of(begin($nginx, undef, $forms[1], uri => '/f'))->{status}, 200,
       'an image is forgotten while its call is in flight');
    land();
    is(statuses($leader, @waiters), '200 200 200', 'who waits has the answer');
    ok(wait_gauge($nginx, 'ktp_stored_answers', 0), 'which is not stored');
    is(answer_of(begin($nginx, undef, $forms[2]))->{status}, 200,
       'the next upload has an answer');
    is(calls(), 2, 'of a call of its own');
    ok(wait_gauge($nginx, 'ktp_stored_answers', 1), 'which is stored');
    is(answer_of(begin($nginx, undef, $forms[0], uri => '/f'))->{status}, 200,
       'and forgotten, too');
    ok(wait_gauge($nginx, 'ktp_stored_answers', 0), 'at once');
    nothing_left();
}


# -- two generations after a reload share the zone

$late = 1;
fresh('two generations after a reload share the zone');
$late = 0;
{
    my $leader = leader();
    my @waiters = waiters(2);
    my %old = map { $_ => 1 } @workers;

    $nginx->signal('HUP');
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 4 }), 'two generations');
    ok(KTP::Nginx::wait_for(sub {
        $nginx->log_from =~ /gracefully shutting down/
    }), 'the old one leaves');

    my @new = grep { !$old{$_} } $nginx->workers;
    my @later = map { begin($nginx, $new[$_ % 2], $forms[$_]) } 0 .. 2;

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 5), 'the new one joins');

    # at once: those who wait look every half second, which now takes longer
    $nginx->slow_down(1);
    my $start = time();
    land();
    is(statuses($leader, @waiters, @later), '200 200 200 200 200 200',
       'all have the answer');
    cmp_ok(time() - $start, '<', 25, 'since they are woken');
    $nginx->slow_down(0);
    is(calls(), 1, 'of one call');
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }),
       'the old workers leave');
    is(answer_of(begin($nginx, undef, $forms[1]))->{status}, 200,
       'what they stored');
    is(calls(), 1, 'is replayed by the new ones');
    nothing_left();
}


# -- a killed leader

for my $sent (0, 1) {
    my $what = $sent ? 'after the call was sent' : 'while it was sent';

    fresh("a killed leader, $what");

    unsent_image({ close => 1 }) unless $sent;

    my $before = $upstream->connections;
    my $leader = begin($nginx, $workers[0], $forms[0]);

    $sent ? ok($upstream->wait_calls(1), "$what: it was sent")
          : ok(KTP::Nginx::wait_for(sub {
                $upstream->connections > $before
            }), "$what: a connection");
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 1),
       "$what: a call in flight");

    my @waiters = map { begin($nginx, $workers[1], $forms[$_]) } 0 .. 2;

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 3), "$what: three wait");

    my $start = time();
    kill 'KILL', $workers[0];
    $upstream->answer($good) unless $sent;

    my $statuses = statuses(@waiters);

    is($statuses, join(' ', ($sent ? 502 : 200) x 3),
       $sent ? "$what: what may be billed is an error of each"
             : "$what: what is surely not billed is called again");
    cmp_ok(time() - $start, '<', $seconds + 5 * $slow,
           "$what: in the time of ktp_timeout");
    land();
    $upstream->answer($good);
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }),
       "$what: another worker begins");
    is(answer_of(begin($nginx, undef, $forms[1]))->{status}, 200,
       "$what: the next upload has an answer");
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), "$what: nobody waits");
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0),
       "$what: for no call");
}

# -- a killed leader of an old generation, which both generations wait for

fresh('a killed leader of an old generation');
{
    my $leader = leader();
    my @waiters = waiters(2);
    my %old = map { $_ => 1 } @workers;

    $nginx->signal('HUP');
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 4 }), 'two generations');

    my @new = grep { !$old{$_} } $nginx->workers;
    my @later = map { begin($nginx, $new[$_ % 2], $forms[$_]) } 0 .. 2;

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 5), 'five wait');

    # one of the waiters has the same worker
    my $start = time();
    kill 'KILL', $workers[0];
    is(statuses(@waiters, @later), '502 0 502 502 502',
       'each but that of the same worker has the error');
    cmp_ok(time() - $start, '<', $seconds + 5 * $slow,
           'in the time of ktp_timeout');
    land();
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }),
       'the other old worker leaves');
    is(calls(), 1, 'nobody repeats what may be billed');
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'nobody waits');
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'for no call');
}

$nginx->stop;
done_testing();
