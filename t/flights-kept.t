# What becomes of stored answers and of calls in flight when nginx is reloaded
# with another zone, restarted, or its binary is upgraded, when a worker hangs,
# and when too many requests wait.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'processes are found by /proc' unless -e "/proc/$$/stat";

my $slow = $KTP::Nginx::Slow;
my $seconds = 4 * $slow; # of ktp_timeout, at /late
my $dir = KTP::Nginx::scratch_dir();
my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $conf = "$prefix/conf/nginx.conf";
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $port = $nginx->{flights_port} = KTP::Nginx::free_port();
my ($number, $gate) = (0, '');

# an upgraded binary gets the environment from here
sub config {
    my (%opt) = @_;

    my $zone = $opt{zone} || '1m';

    return $nginx->config(
        log_level => 'info', master => 'on', workers => 2, root => 0,
        main => KTP::load_module() . "\n$KTP::Nginx::Environment",
        http => <<EOC);
    ktp_zone counters:1m;
    ktp_answer_zone answers:$zone;
    ktp_dedupe on;
    ktp_timeout 60s;
    ktp_read_timeout 60s;
    log_format flights '\$arg_id \$pid \$status \$ktp_outcome \$ktp_billed '
                       '\$ktp_source:\$ktp_flight';
    server {
        listen 127.0.0.1:$port reuseport;
        client_max_body_size 30M;
        access_log $prefix/logs/flights.log flights;
        location = /pid { access_log off; return 200 "\$pid\\n"; }
        location = /metrics { access_log off; ktp_status; }
        location = /d { ktp_pass $url/x; }
        location = /late { ktp_pass $url/x; ktp_timeout ${seconds}s; }
        location = /few { ktp_pass $url/x; ktp_max_inflight 1; }
        location = /on { ktp_pass $url/x; ktp_ignore_client_abort on; }
    }
EOC
}

# a new image, and an upstream that waits for the gate
sub gated {
    $gate = "$dir/gate-" . ++$number;
    $upstream->reset;
    $upstream->answer({ once => 1 }, { until => $gate }, $good);

    return (forms(photo($number, 20_000)))[0];
}

sub open_gate { KTP::Nginx::write_file($gate, '') }

sub upload { return answer_of(begin($nginx, undef, $_[0])) }

# the number of calls for one more upload of an image
sub calls_of {
    my ($form) = @_;

    my $before = () = $upstream->calls;

    is(upload($form)->{status}, 200, 'it is answered');

    return (() = $upstream->calls) - $before;
}

sub master { return $nginx->daemon_pid }

sub reload {
    my (@conf) = @_;

    my %old = map { $_ => 1 } KTP::Nginx::children(master());

    KTP::Nginx::write_file($conf, config(@conf));
    kill 'HUP', master();

    return KTP::Nginx::wait_for(sub {
        my @now = KTP::Nginx::children(master());

        return @now == 2 && !grep { $old{$_} } @now;
    });
}

$nginx->start_daemon(config()) or BAIL_OUT($nginx->complaint);

my $form = (forms(photo(++$number, 20_000)))[0];

$upstream->answer($good);
is(calls_of($form), 1, 'an upload is a call');
is(calls_of($form), 0, 'and stored');


# -- a reload

ok(reload(), 'a reload');
is(calls_of($form), 0, 'a stored answer stays over a reload');

{
    my $other = gated();
    my $leader = begin($nginx, undef, $other);

    ok($upstream->wait_calls(1), 'a call');

    my $waiter = begin($nginx, undef, $other);

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 1), 'one waits for it');
    KTP::Nginx::write_file($conf, config(zone => '2m'));
    kill 'HUP', master();
    ok(KTP::Nginx::wait_for(sub {
        gauge($nginx, 'ktp_answer_zone_size_bytes') == 2 * 1024 * 1024
    }), 'a reload with a zone of another size');
    open_gate();
    is(answer_of($_)->{status}, 200, 'the old one answers') for $leader, $waiter;
    is(scalar(() = $upstream->calls), 1, 'with its call');
    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::children(master()) == 2 }),
       'and ends');
    is(calls_of($form), 1, 'the new one is empty');
    is(calls_of($form), 0, 'and takes answers');
}


# -- an upgrade of the binary, with a call in flight

{
    my $form = gated();
    my $leader = begin($nginx, undef, $form);

    ok($upstream->wait_calls(1), 'a call of the old binary');

    my $waiter = begin($nginx, undef, $form);

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 1), 'one waits for it');

    my $old = master();

    kill 'USR2', $old;
    ok(KTP::Nginx::wait_for(sub {
        $nginx->daemon_pid('.oldbin') == $old && master()
            && KTP::Nginx::children(master()) == 2
    }), 'a new binary');

    # both old workers do not accept any more, and end with their requests
    my $from = length $nginx->log_from(0);

    kill 'WINCH', $old;
    ok(KTP::Nginx::wait_for(sub {
        2 == (() = $nginx->log_from($from) =~ /gracefully shutting down/g)
    }), 'the old one leaves');

    is(upload($form)->{status}, 200, 'the new one makes a call of its own');
    is(scalar(() = $upstream->calls), 2, 'since it has a zone of its own');
    open_gate();
    is(answer_of($_)->{status}, 200, 'the old one answers') for $leader, $waiter;
    is(scalar(() = $upstream->calls), 2, 'with its call');
    kill 'QUIT', $old;
    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($old) }), 'and ends');
    is(calls_of($form), 0, 'what the new one has stored is there');
}


# -- a restart

{
    my $old = master();

    is(calls_of($form), 1, 'what the old one had stored is not');
    kill 'QUIT', $old;
    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($old) }), 'a stop');
    ok($nginx->start_daemon(config()), 'and a start');
    is(calls_of($form), 1, 'leave nothing stored');
    is(calls_of($form), 0, 'until it is stored again');
}


# -- a leader that hangs

{
    my $form = gated();
    my @workers = KTP::Nginx::children(master());
    my $leader = begin($nginx, $workers[0], $form, uri => '/late');

    ok($upstream->wait_calls(1), 'a call');

    # the kernel gives new connections also to a worker that is stopped
    my $waiter = post_begin(worker_socket($nginx, $workers[1]), '/late',
                            $form->[1], "Content-Type: $form->[0]");

    kill 'STOP', $workers[0];

    my $start = time();
    my $answer = answer_of($waiter);

    is($answer->{status}, 504, 'its worker hangs: who waits has an error');
    cmp_ok(time() - $start, '<', $seconds + 5 * $slow, 'after ktp_timeout');
    kill 'CONT', $workers[0];
    open_gate();
    answer_of($leader);
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'it goes on');
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'and nobody waits');
}


# -- more that wait in a worker than ktp_max_inflight

{
    my $form = gated();
    my ($worker) = KTP::Nginx::children(master());
    my $leader = begin($nginx, $worker, $form, uri => '/few');

    ok($upstream->wait_calls(1), 'a call');

    my $waiter = begin($nginx, $worker, $form, uri => '/few');

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 1), 'one waits');

    my $refused = answer_of(begin($nginx, $worker, $form, uri => '/few'));

    is($refused->{status}, 503, 'another one may not');
    like($refused->{body}, qr/"reason":"too_many_waiting"/, 'with its reason');
    like($refused->{head}, qr/^Retry-After: \d+\r?$/m, 'and when to come back');
    open_gate();
    is(answer_of($_)->{status}, 200, 'the others are answered')
        for $leader, $waiter;
}


# -- ktp_ignore_client_abort: a call that nobody waits for

{
    my $form = gated();
    my $stored = gauge($nginx, 'ktp_stored_answers');
    my $leader = begin($nginx, undef, $form, uri => '/on');

    ok($upstream->wait_calls(1), 'a call');
    close $leader->{sock};

    # every worker has heard of it before it accepts another connection
    worker_socket($nginx, $_) for KTP::Nginx::children(master());
    open_gate();
    ok(wait_gauge($nginx, 'ktp_stored_answers', $stored + 1), 'its answer is stored');
    is(calls_of($form), 0, 'for who comes later');
}


# -- the size that docs/once.md calculates with: 600 answers in a megabyte

{
    my $fields = '{"message":"ok","status_code":"V-1","data":{"address":"';
    my $body = $fields . 'A' x (900 - 3 - length $fields) . '"}}';
    my %client;

    ok(reload(zone => "${_}m"), 'an empty zone') for 2, 1;
    $upstream->reset;
    $upstream->answer(KTP::Upstream::response('200 OK', $body));

    my $failed = grep {
        my $form = (forms(photo(10_000 + $_)))[0];

        client_post(\%client, $port, '/d', $form)->{status} != 200;
    } 1 .. 600;

    is($failed, 0, '600 uploads with answers of 900 bytes');
    ok(wait_gauge($nginx, 'ktp_stored_answers', 600), 'all of them are stored');
    is(gauge($nginx, 'ktp_answers_evicted_total'), 0, 'and none is removed');
}

unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\]/, 'a clean log');

done_testing();
