# ktp_health: each reason of the table in
# src/gateway/console/ngx_http_ktp_health.c, what clears it, and that nobody is
# asked for it.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Upstream;
use POSIX ();
use Test::More;

my $up = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $up->url;
my $dir = KTP::Nginx::scratch_dir();
my ($version) = KTP::Nginx::read_file('CHANGES')
                =~ /^Changes with ngx_http_ktp (\S+)/m;
my $go = "$dir/go";
my $base;

KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, 600));

my @all = qw(status reasons version workers upstream last_success_s
             last_failure_s breakers calls state_file fleet zone
             answer_zone);
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $bad = KTP::Upstream::response('500 Oh', '{"message":"down"}');

sub start {
    my ($server, %opt) = @_;

    $nginx->start($nginx->config(
        main => KTP::load_module(), master => 'on',
        workers => $opt{workers} // 2,
        http => 'ktp_zone k:1m; ktp_client secret-name { }'
                . ($opt{http} // ''),
        server => "location = /health { ktp_health; }\n"
                  . "location = /metrics { ktp_status; }\n$server"))
        or BAIL_OUT($nginx->complaint);
    $base = 'http://127.0.0.1:' . $nginx->port;

    # a worker that listens may be the only one so far
    ok(KTP::Nginx::wait_for(sub { health()->{workers} == ($opt{workers} // 2) }),
       'all workers are there');
}

# The answer, with the members of its JSON.
sub health {
    my $answer = KTP::Nginx::curl("$base/health");

    my $json = JSON::PP->new->decode($answer->{body});

    return { %$answer, %$json, code => $answer->{status},
             word => $json->{status}, members => [sort keys %$json] };
}

sub is_health {
    my ($status, $word, $reasons, $name) = @_;

    my $want = "$status $word @$reasons";
    my ($health, $got);

    # a call is counted when it is logged, after its answer
    KTP::Nginx::wait_for(sub {
        $health = health();
        $got = "$health->{code} $health->{word} @{ $health->{reasons} }";
        $got eq $want
    });

    is($got, $want, $name);

    return $health;
}

sub post {
    return KTP::Nginx::curl('-H', 'Content-Type: image/jpeg', '--data-binary',
                            "\@$dir/card.jpg", "$base$_[0]")->{status};
}


# -- without a call, and after each kind of them

start("ktp_max_inflight 3;
       location = /e { ktp_pass $url/secret-path; ktp_max_inflight 7; }
       location = /f { ktp_pass $url/secret-path; }
       location = /auth { ktp_pass $url/e; ktp_auth \$arg_c; }
       location = /rehearse { ktp_pass $url/e; ktp_sandbox on;
                              ktp_max_inflight 99; }");

my $health = is_health(200, 'ok', [], 'nothing has happened');

is_deeply($health->{members}, [sort @all], 'the members');

my ($example) = KTP::Nginx::read_file('docs/reference.md')
                =~ /^### ktp_health\n.*?^(    \{"status":.*?\n)\n/ms;

is_deeply([sort keys %{ JSON::PP->new->decode($example) }], [sort @all],
          'those of the reference');
is($health->{version}, $version, 'version');
is($health->{workers}, 2, 'workers');
is($health->{upstream}, 'unknown', 'upstream');
is($health->{last_success_s}, undef, 'no success');
is($health->{last_failure_s}, undef, 'no failure');
is_deeply($health->{breakers}, { closed => 0, half_open => 0, open => 0 },
          'no breakers');
is_deeply($health->{calls}, { in_flight => 0, limit => 14 },
          'the limit is that of two workers, without the sandbox');
is($health->{state_file}, 'none', 'no state file');
is($health->{fleet}, 'none', 'no fleet');
is($health->{zone}{size_bytes}, 1024 * 1024, 'size of the zone');
cmp_ok($health->{zone}{free_bytes}, '>', 256 * 1024, 'some of it is free');
cmp_ok($health->{zone}{free_bytes}, '<', 1024 * 1024, 'not all of it');
is($health->{answer_zone}, undef, 'no zone of answers');
like($health->{head}, qr/^Content-Type: application\/json\r$/m, 'its type');
like($health->{head}, qr/^Cache-Control: no-store\r$/m, 'it is not stored');

my $length = length $health->{body};
my $head = KTP::Nginx::curl('-I', "$base/health");

is($head->{status}, 200, 'HEAD');
like($head->{head}, qr/^Content-Length: $length\r$/m, 'with the same length');
is(KTP::Nginx::curl('-d', 'x', "$base/health")->{status}, 405, 'POST');
is(scalar(() = $up->calls), 0, 'no call was made for it');

is(post('/e'), 200, 'a call');
$health = is_health(200, 'ok', [], 'a call has succeeded');
ok(KTP::Nginx::wait_for(sub { health()->{upstream} eq 'ok' }), 'upstream is ok');
$health = health();
like($health->{last_success_s}, qr/^\d$/, 'not long ago');
is($health->{last_failure_s}, undef, 'and none has failed');
unlike($health->{body}, qr/secret|$url/, 'neither names nor addresses');

for my $row (
    ['an error', $bad, 1],
    ['no answer that is one', KTP::Upstream::response('200 OK', 'hm'), 1],
    ['keys are refused', KTP::Upstream::response('401 No', '{"message":"x",'
        . '"error_code":"UNAUTHORIZED"}'), 1],
    ['the rate is limited', KTP::Upstream::response('429 No', '{"message":"x",'
        . '"error_code":"TOO_MANY_REQUESTS"}'), 0],
    ['a photo without a card', KTP::Upstream::response('400 No',
        '{"message":"x","error_code":"KTP_NOT_DETECTED"}'), 0],
) {
    my ($name, $answer, $failing) = @$row;
    my $before = count();

    $up->answer($answer);
    post('/f');
    ok(KTP::Nginx::wait_for(sub { count() > $before }), "$name: counted");
    is_health(200, $failing ? ('degraded', ['upstream_failing']) : ('ok', []),
              $name);
    is(health()->{upstream}, $failing ? 'failing' : 'ok', "$name: upstream");

    $before = count();
    $up->answer($good);
    post('/f');
    ok(KTP::Nginx::wait_for(sub { count() > $before }), "$name: counted again");
    is_health(200, 'ok', [], 'the next succeeds');
}

like(health()->{last_failure_s}, qr/^\d+$/, 'when it failed is still known');

# what the gateway itself refuses says nothing of the upstream
is(post('/auth?c=nobody'), 403, 'a client is refused');
is_health(200, 'ok', [], 'which is no failure');
$nginx->stop;


# -- breakers, of which one, and then all, are open

my $rule = 'ktp_breaker failures=1 window=1h';
my $short = 100 * $KTP::Nginx::Slow;

start("location = /a { ktp_pass $url/a; $rule open=1h max=1h; }
       location = /b { ktp_pass $url/b; $rule open=1h max=1h; }");
$up->answer($bad);
post('/a');
$health = is_health(200, 'degraded', ['breaker_not_closed', 'upstream_failing'],
                    'one of two breakers is open');
is_deeply($health->{breakers}, { closed => 1, half_open => 0, open => 1 },
          'it is counted');
post('/b');
$health = is_health(503, 'failing', ['breakers_open', 'upstream_failing'],
                    'both are open');
is_deeply($health->{breakers}, { closed => 0, half_open => 0, open => 2 },
          'they are counted');
like($health->{head}, qr/^Cache-Control: no-store\r$/m, 'it is not stored');
$head = KTP::Nginx::curl('-I', "$base/health");
is($head->{status}, 503, 'HEAD');
$nginx->stop;

start("location = /a { ktp_pass $url/a; $rule open=${short}ms; }");
post('/a');
is_health(200, 'degraded', ['breaker_not_closed', 'upstream_failing'],
          'a breaker whose time has passed lets a request through');
$up->answer($good);
is(post('/a'), 200, 'which is answered');
$health = is_health(200, 'ok', [], 'and closes it');
is_deeply($health->{breakers}, { closed => 1, half_open => 0, open => 0 },
          'it is closed');
$nginx->stop;


# -- calls in progress

start("location = /e { ktp_pass $url/e; ktp_max_inflight 1; }", workers => 1,
      http => 'ktp_answer_zone answers:1m;');
$up->answer({ until => $go }, $good);

my $pid = fork // die "fork: $!";
POSIX::_exit(post('/e') == 200 ? 0 : 1) unless $pid;

$health = is_health(200, 'degraded', ['calls_at_limit'], 'a call in progress');
is_deeply($health->{calls}, { in_flight => 1, limit => 1 }, 'it is the last');
KTP::Nginx::write_file($go, '');
waitpid $pid, 0;
is($?, 0, 'it is answered');
$up->answer($good);
$health = is_health(200, 'ok', [], 'it has ended');
is($health->{calls}{in_flight}, 0, 'none is in progress');
is($health->{answer_zone}{size_bytes}, 1024 * 1024, 'size of the zone of answers');
cmp_ok($health->{answer_zone}{free_bytes}, '>', 0, 'some of it is free');
$nginx->stop;


# -- the state file

my $state = "$prefix/state";

mkdir $state;
chmod 0777, $state;
$nginx->start($nginx->config(
    main => KTP::load_module(), master => 'on',
    http => "ktp_zone k:1m state=$state/file; ktp_client c { }",
    server => "location = /health { ktp_health; }
               location = /e { ktp_pass $url/e; ktp_auth \$arg_c; }"))
    or BAIL_OUT($nginx->complaint);
$base = 'http://127.0.0.1:' . $nginx->port;

is(is_health(200, 'ok', [], 'with a state file')->{state_file}, 'ok',
   'it is written');
rename $state, "$state.away" or die "rename: $!\n";
is(post('/e?c=c'), 200, 'a call');
is(is_health(200, 'degraded', ['state_not_written'],
             'its directory is gone')->{state_file}, 'not_written',
   'it is not written');
rename "$state.away", $state or die "rename: $!\n";
is(is_health(200, 'ok', [], 'it is back')->{state_file}, 'ok',
   'it is written again');
$nginx->stop;


# -- a fleet

my $redis = KTP::Redis->new;

start('', http => 'ktp_redis unix:' . $redis->path . ';');
is(is_health(200, 'ok', [], 'with a fleet')->{fleet}, 'ok', 'it is reached');
$redis->stop;
is(is_health(200, 'degraded', ['fleet_unreachable'], 'Redis is away')->{fleet},
   'unreachable', 'uploads are not sent elsewhere');
$redis->start;
is(is_health(200, 'ok', [], 'it is back')->{fleet}, 'ok', 'it is reached again');
$nginx->stop;

done_testing();


# Upstream calls that were counted.
sub count {
    my $text = KTP::Nginx::curl("$base/metrics")->{body};
    my $n = 0;

    $n += $_ for $text =~ /^ktp_upstream_calls_total\S+ (\d+)$/mg;

    return $n;
}
