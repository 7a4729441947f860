# GET /health and GET /metrics of ktp-extractd: each reason of the table in
# src/extractd/ktpd_stats.c, what clears it, and what is counted.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::Extractd;
use KTP::Nginx;
use KTP::Specimen;

my ($card) = KTP::Specimen::draw(1);
my %nobody = (app_id => undef, api_key => undef, type => undef);

sub get {
    my ($d, $uri, %opt) = @_;

    return $d->request(method => 'GET', uri => $uri, %nobody, %opt);
}

# Waits until the health is as it should be; the answer.
sub is_health {
    my ($d, $status, $word, $reasons, $name, %opt) = @_;

    my $want = "$status $word @$reasons";
    my ($answer, $got);

    KTP::Nginx::wait_for(sub {
        $answer = get($d, '/health');
        $got = "$answer->{status} $answer->{json}{status} "
             . "@{ $answer->{json}{reasons} }";
        $got eq $want
    }, $opt{seconds});

    is($got, $want, $name);

    return $answer;
}


# -- a daemon that has nothing to do

my $d = KTP::Extractd->new('--workers', 1, '--queue', 0, '--timeout', 300);
my $answer = is_health($d, 200, 'ok', [], 'nothing to do');

is_deeply($answer->{json}, { status => 'ok', reasons => [], workers => 1,
                             busy => 0, ready => 1, waiting => 0, queue => 0 },
          'the members');
like($answer->{head}, qr/^Content-Type: application\/json\r$/m, 'its type');
like($answer->{head}, qr/^Cache-Control: no-store\r$/m, 'it is not stored');

my $length = length $answer->{body};
my $head = KTP::Nginx::curl('-I', '--unix-socket', $d->socket,
                            'http://localhost/health');

is($head->{status}, 200, 'HEAD');
like($head->{head}, qr/^Content-Length: $length\r$/m, 'has the same length');

for my $uri ('/health', '/metrics') {
    my $post = $d->request(uri => $uri, body => 'x');

    is($post->{status}, 405, "POST $uri");
    like($post->{head}, qr/^Allow: GET, HEAD\r$/m, "what $uri allows");
}

is(get($d, '/health/')->{status}, 404, 'another path');

# -- what is counted

is($d->request(body => $card)->{status}, 200, 'a card');
$d->workers(1);
is($d->request(body => 'x')->{status}, 400, 'no image');
is($d->request(body => $card, api_key => 'x')->{status}, 401, 'a wrong key');

$answer = get($d, '/metrics');
is($answer->{status}, 200, 'metrics');
like($answer->{head}, qr{^Content-Type: text/plain; version=0\.0\.4; charset=utf-8\r$}m,
     'their type');

for my $line (
    'ktp_extractd_responses_total{status="200",error_code="",reason=""} 1',
    'ktp_extractd_responses_total{status="401",error_code="UNAUTHORIZED",reason="unauthorized"} 1',
    'ktp_extractd_responses_total{status="404",error_code="NOT_FOUND",reason="not_found"} 1',
    'ktp_extractd_duration_seconds_bucket{le="60"} 1',
    'ktp_extractd_duration_seconds_bucket{le="+Inf"} 1',
    'ktp_extractd_duration_seconds_count 1',
    'ktp_extractd_workers 1', 'ktp_extractd_workers_busy 0',
    'ktp_extractd_waiting_requests 0', 'ktp_extractd_queue_size 0',
) {
    like($answer->{body}, qr/^\Q$line\E$/m, $line);
}

like($answer->{body}, qr/status="400",error_code="INVALID_PAYLOAD_\w+",reason="\w+"\} 1$/m,
     'and the image that was none');
unlike($answer->{body}, qr/405|canary/, 'not its own pages, and no names');

my ($sum) = $answer->{body} =~ /^ktp_extractd_duration_seconds_sum (\d+\.\d{3})$/m;

cmp_ok($sum, '>', 0, 'the card took time');

my @families = $answer->{body} =~ /^# TYPE (\S+)/mg;
my %seen = map { $_ => 1 } $answer->{body} =~ /^(ktp_\w+?)(?:_(?:bucket|sum|count))?[ {]/mg;

is_deeply([sort @families], [sort keys %seen], 'each metric has its type');

SKIP: {
    skip 'no promtool', 1 if system('promtool --version > /dev/null 2>&1') != 0;

    open my $tool, '|-', 'promtool check metrics > /dev/null 2>&1'
        or die "promtool: $!";
    print $tool $answer->{body};
    ok(close $tool, 'promtool finds nothing wrong');
}

# nginx passes them on as docs/ktp-extractd.md says

{
    my $nginx = KTP::Nginx->new;
    my ($location) = KTP::Nginx::read_file('docs/ktp-extractd.md')
                     =~ m{^(    location = /extractd/metrics \{\n.*?^    \}\n)}ms;
    my $socket = $d->socket;

    $location =~ s{/run/ktp-extractd/ktp-extractd\.sock}{$socket};
    ok($nginx->start($nginx->config(server => $location)), 'nginx starts')
        or diag($nginx->complaint);
    like(KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port
                          . '/extractd/metrics')->{body},
         qr/^ktp_extractd_workers 1$/m, 'metrics through nginx');
    $nginx->stop;
}

# -- a worker at work, behind which nobody may wait

my ($worker) = $d->workers(1);

kill 'STOP', $worker;

my $sent = $d->send(body => $card);

# a request without a worker fills the queue, too, for a moment
ok(KTP::Nginx::wait_for(sub { get($d, '/health')->{json}{busy} == 1 }),
   'a card is taken by a worker');
$answer = is_health($d, 200, 'degraded', ['queue_full'], 'the queue is full');
is($answer->{json}{busy}, 1, 'a worker is at work');
is($answer->{json}{ready}, 0, 'none is free');
kill 'CONT', $worker;
is($sent->answer->{status}, 200, 'the card is read');
is_health($d, 200, 'ok', [], 'and the next can come');

# -- a connection that was open before the daemon was told to stop

($worker) = $d->workers(1);
kill 'STOP', $worker;

my $held = $d->send(body => $card);
my $open = $d->connect;

is_health($d, 200, 'degraded', ['queue_full'], 'a worker is at work');
is($open->send(method => 'GET', uri => '/health', %nobody)->answer->{status},
   200, 'a connection');
$d->signal('TERM');
ok(KTP::Nginx::wait_for(sub { !$d->connect(may_fail => 1) }), 'nobody is let in');
$answer = $open->send(method => 'GET', uri => '/health', %nobody)->answer;
is($answer->{status}, 503, 'it is not healthy any more');
is_deeply($answer->{json}{reasons}, ['stopping'], 'since it stops');
kill 'CONT', $worker;
is($held->answer->{status}, 200, 'the card is read');
ok($d->wait_end, 'it has ended');
is($d->status, 0, 'as it should');

# -- no worker: the master does not make a new one

$d = KTP::Extractd->new('--workers', 1, '--timeout', 1);
($worker) = $d->workers(1);
kill 'STOP', $d->pid;
kill 'KILL', $worker;
is($d->request(body => $card)->{status}, 504, 'a card without a worker');
$answer = is_health($d, 503, 'failing', ['no_worker'], 'there is no worker',
                    seconds => 20);
is($answer->{json}{ready} + $answer->{json}{busy}, 0, 'neither free nor at work');
kill 'CONT', $d->pid;
is_health($d, 200, 'ok', [], 'there is one again');
$d->stop;

done_testing();
