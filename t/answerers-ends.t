# A request ends while one of the answerers is asked: its client leaves, its
# worker is killed or replaced; those who wait for it get an answer, and the
# vendor is not paid twice.

use strict;
use warnings;

use lib 't/lib';
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Reader;
use KTP::Upstream;
use Test::More;

my $vendor = KTP::Upstream->new;
my $reader = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $refused = KTP::Nginx::free_port();
my ($v, $r) = ($vendor->url, $reader->url);
my $log = $nginx->prefix . '/logs/ends.log';
my $workers = 3;
my $photos = 0;

start($nginx, $v, workers => $workers, dedupe => '', http => <<'EOC',
    log_format ends '$uri $status $ktp_source $ktp_billed';
    ktp_timeout 1m;
    ktp_read_timeout 1m;
    ktp_retries 0;
EOC
      server => <<EOC) or BAIL_OUT($nginx->complaint);
    access_log $log ends;
    location = /check { ktp_pass $v/x; ktp_precheck \@reader timeout=1m; }
    location = /check-on { ktp_pass $v/x; ktp_precheck \@reader timeout=1m; ktp_ignore_client_abort on; }
    location = /first { ktp_pass $v/x; ktp_first \@reader confidence=0.9; }
    location = /first-on { ktp_pass $v/x; ktp_first \@reader confidence=0.9; ktp_ignore_client_abort on; }
    location = /back { ktp_pass $v/x; ktp_fallback \@reader on=error; }
    location = /back-on { ktp_pass $v/x; ktp_fallback \@reader on=error; ktp_ignore_client_abort on; }
    location = /joined-check { ktp_pass $v/x; ktp_precheck \@reader timeout=1m; ktp_dedupe on; }
    location = /joined-first { ktp_pass $v/x; ktp_first \@reader confidence=0.9; ktp_dedupe on; }
    location = /joined-back { ktp_pass $v/x; ktp_fallback \@reader on=error; ktp_dedupe on; }
    location = /joined-dead { ktp_pass http://127.0.0.1:$refused/x; ktp_fallback \@reader; ktp_dedupe on; }
    location = /shadow { ktp_pass $v/x; ktp_shadow \@reader; }
    location \@reader { ktp_pass $r/v2; }
EOC

my $paid = answers('200 OK', $KTP::Upstream::Body);
my $down = answers('503 Down', '{"message":"down"}');

# a worker that begins has fewer
$nginx->settle;
my %descriptors = map { $_ => descriptors($_) } $nginx->workers;

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }

sub lines { return KTP::Nginx::read_file($log) =~ /^(.+)$/mg }

# Prepares the two for a next request; returns the file for which the reader
# waits.
sub ready {
    my (%opt) = @_;

    my $gate = $nginx->prefix . '/gate-' . ++$photos;

    $_->reset for $vendor, $reader;
    $vendor->answer($opt{vendor} || $paid);
    $reader->answer({ until => $gate }, $opt{reader});

    return $gate;
}

sub upload { return (forms(photo($photos)))[0] }


# -- the client leaves

for (['check', $paid, check(1, 1), 0], ['first', $paid, reading(0.1), 0],
     ['back', $down, reading(0.1), 1]) {
    my ($uri, $vendor_says, $reader_says, $before) = @$_;

    ready(vendor => $vendor_says, reader => $reader_says);

    my $logged = () = lines();
    my $closes = $reader->closes;
    my $call = begin($nginx, 0, upload(), uri => "/$uri");

    ok($reader->wait_calls(1), "$uri: the reader is asked");
    close $call->{sock};
    ok(KTP::Nginx::wait_for(sub { $reader->closes > $closes }),
       "$uri: the client leaves, and the call ends");
    ok(KTP::Nginx::wait_for(sub { my $n = () = lines(); $n > $logged }),
       "$uri: and the request");
    like((lines())[-1], qr{^/$uri 499 }, "$uri: as one whose client has left");
    is(scalar($vendor->calls), $before, "$uri: the vendor's calls");

    # with ktp_ignore_client_abort, it goes on
    my $gate = ready(vendor => $vendor_says, reader => $reader_says);

    $logged = () = lines();
    $call = begin($nginx, 0, upload(), uri => "/$uri-on");
    ok($reader->wait_calls(1), "$uri-on: the reader is asked");
    close $call->{sock};
    KTP::Nginx::write_file($gate, '');
    ok(KTP::Nginx::wait_for(sub { my $n = () = lines(); $n > $logged }),
       "$uri-on: the client leaves, the request comes to its end");
    like((lines())[-1], $before ? qr{^/$uri-on 200 fallback unknown$}
                                : qr{^/$uri-on 200 upstream yes$},
         "$uri-on: with an answer");
    is(scalar($vendor->calls), 1, "$uri-on: the vendor was called");
}


# -- the worker is killed, and others wait on other workers

sub killed {
    my ($uri, %opt) = @_;

    my $gate = ready(%opt);
    my $form = upload();
    my ($first, @others) = $nginx->workers;
    my $lost = begin($nginx, $first, $form, uri => "/$uri");

    ok($reader->wait_calls(1), "$uri: the leader asks the reader");

    my @calls = map { begin($nginx, $_, $form, uri => "/$uri") } @others, @others;

    ok(wait_gauge($nginx, 'ktp_waiting_requests', scalar @calls),
       "$uri: others wait");

    kill 'KILL', $first;

    if ($opt{again}) {
        ok($reader->wait_calls(2), "$uri: its worker is killed, another asks");
        KTP::Nginx::write_file($gate, '');
    }

    my @answers = map { answer_of($_) } @calls;

    KTP::Nginx::write_file($gate, '');
    is_deeply([map { $_->{status} } @answers], [($opt{status}) x @calls],
              "$uri: all get $opt{status}");
    is(answer_of($lost)->{status}, 0, "$uri: but for the one that is lost");
    is(scalar($vendor->calls), $opt{calls}, "$uri: calls of the vendor");
    is(scalar($reader->calls), $opt{again} ? 2 : 1, "$uri: and of the reader");
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), "$uri: nobody waits");
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), "$uri: for no call");
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == $workers }),
       "$uri: there is another worker");

    return $answers[0];
}

killed('joined-check', reader => check(1, 1), again => 1, status => 200,
       calls => 1);
killed('joined-first', reader => reading(0.95), again => 1, status => 200,
       calls => 0);
like(killed('joined-first', reader => reading(0.1), again => 1, status => 200,
            calls => 1)->{body}, qr/V-1/, 'not sure: the vendor answers');
killed('joined-dead', reader => reading(0.1), again => 1, status => 200,
       calls => 0);

# the vendor may have been paid by the leader: nobody calls it again
killed('joined-back', vendor => $down, reader => reading(0.1), status => 502,
       calls => 1);


# -- a worker that is replaced compares to the end

{
    my $gate = ready(reader => reading(0.5));
    my $metric = 'ktp_shadow_answers_total{result="compared"}';
    my @old = $nginx->workers;
    my $answer = answer_of(begin($nginx, 0, upload(), uri => '/shadow'));
    my ($pid) = $answer->{head} =~ /^X-Pid: (\d+)/m;

    is($answer->{status}, 200, 'an answer that is to be compared');
    ok($reader->wait_calls(1), 'the reader is asked');
    $nginx->signal('HUP');
    ok(KTP::Nginx::wait_for(sub {
        my %now = map { $_ => 1 } $nginx->workers;

        $now{$pid} && keys %now == $workers + 1
            && 1 == grep { $now{$_} } @old;
    }), 'the worker that compares is there after a reload, alone');

    KTP::Nginx::write_file($gate, '');
    ok(wait_gauge($nginx, $metric, 1), 'it has compared');
    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($pid) }), 'and leaves');
}


# -- nothing is left

my ($most) = sort { $b <=> $a } values %descriptors;

ok(KTP::Nginx::wait_for(sub {
    !grep { descriptors($_) > $most } $nginx->workers
}), 'descriptors are back') or diag(join ' ', $most, map { descriptors($_) } $nginx->workers);

$nginx->stop('QUIT');

my @alarms = grep { !/worker process \d+ exited on signal 9/ }
             $nginx->log_from =~ /^.*\[(?:alert|crit|emerg)\].*$/mg;

is_deeply(\@alarms, [], 'nothing alarming');
is($nginx->reports, '', 'no memory is lost');

done_testing();
