# Counters over workers, reloads and killed workers; Prometheus reads them.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use POSIX ();
use Time::HiRes qw(sleep time);

my $dir = KTP::Nginx::scratch_dir();
my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $server = <<EOC;
    location = /e { ktp_pass ${\ $upstream->url}/x; ktp_auth \$arg_c; }
    location = /p {
        ktp_pass ${\ $upstream->url}/x;
        if (\$request_method = OPTIONS) { return 204; }
        deny all;
    }
    location = /s { ktp_status; access_log off; }
    location = /a { ktp_status; ktp_auth \$arg_c; }
EOC

ok($nginx->start($nginx->config(
    main => KTP::load_module(), master => 'on', workers => 2,
    log_level => 'info', server => $server,
    http => 'ktp_zone ktp:1m; ktp_client one { } ktp_client two { }')),
   'nginx starts') or BAIL_OUT($nginx->complaint);

my $base = 'http://127.0.0.1:' . $nginx->port;

KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, 600));
KTP::Nginx::write_file("$dir/none.jpg", 'no image');


# 8 at a time, each a new connection, so that both workers get some
sub calls {
    my ($client, $file, $n) = @_;

    my @curl = ('curl', '-sS', '-Z', '--parallel-max', 8,
                '--parallel-immediate', '--max-time', 30, '-o', '/dev/null',
                '-H', 'Content-Type: image/jpeg', '-H', 'Connection: close',
                '--data-binary', "\@$dir/$file");
    my $pid = fork // die "fork: $!";

    unless ($pid) {
        open STDERR, '>', '/dev/null';
        exec @curl, "$base/e?c=$client&n=[1-$n]" or POSIX::_exit(127);
    }

    return $pid;
}


# Metrics as a hash: the name with its labels, and the value.
sub scrape {
    my $text = KTP::Nginx::curl("$base/s")->{body};

    return { $text =~ /^([^#\s]\S*) (\S+)$/mg };
}


# Waits until a metric has a value, since a request is counted when it is
# logged, which is after its answer; returns the last one seen.
sub wait_metric {
    my ($name, $value) = @_;

    my $deadline = time() + 20;
    my $seen;

    do {
        $seen = scrape()->{$name};
        return $seen if defined $seen && $seen == $value;
        sleep 0.02;
    } until time() > $deadline;

    return $seen;
}


# exact over workers, and over reloads in the middle

my @children = (calls('one', 'card.jpg', 150), calls('two', 'none.jpg', 100));

for (1 .. 3) {
    $upstream->wait_calls(40 * $_, 20);
    $nginx->signal('HUP');
}

waitpid $_, 0 for @children;

my $ok = 'ktp_requests_total{client="one",outcome="ok",error_code=""}';
my $rejected = 'ktp_requests_total{client="two",outcome="rejected",'
             . 'error_code="INVALID_PAYLOAD_IMAGE_FORMAT"}';

is(wait_metric($ok, 150), 150, 'calls of one client');
is(wait_metric($rejected, 100), 100, 'refused requests of another');

is(wait_metric('ktp_errors_total{error_code="INVALID_PAYLOAD_IMAGE_FORMAT",'
               . 'reason="type_unknown"}', 100), 100, 'by their reason too');

my $now = scrape();

is($now->{'ktp_billable_calls_total{client="one",billed="yes"}'}, 150,
   'all of the calls are billed');
is($now->{'ktp_billable_calls_total{client="two",billed="yes"}'}, 0,
   'none of what was refused');
is($now->{ktp_request_duration_seconds_count}, 250, 'times of all');
is($now->{ktp_image_size_bytes_sum}, 150 * -s "$dir/card.jpg",
   'bytes of images that were right');
is(scalar(grep /^ktp_requests_total/, keys %$now), 2,
   'there is nothing else');

# a request is logged before its connection is closed, which both wait for

my $bad = post($nginx->port, '/e?c=two', ["zz\r\n"],
               'Content-Type: image/jpeg', 'Transfer-Encoding: chunked');
is($bad->{status}, 400, 'nginx refuses a body from its first bytes on');
is(scalar(grep { /^ktp_requests_total.*outcome="aborted"/ }
               keys %{ scrape() }), 0,
   'which is no request that the client gave up');

# a preflight request that nginx answers, and one that it denies

my %earlier = %{ scrape() };

KTP::Nginx::curl("$base/p", '-X', $_, '-H', 'Connection: close')
    for qw(OPTIONS GET);

$rejected = 'ktp_requests_total{client="-",outcome="unauthorized",'
            . 'error_code="FORBIDDEN"}';
is(wait_metric($rejected, 1), 1, 'a request that is denied is counted');
is(join(' ', grep { /^ktp_requests_total/ && !exists $earlier{$_} }
                  sort keys %{ scrape() }),
   $rejected, 'one that "return" answers is not');

my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $nginx->port);
my $other = answer_of({ sock => $sock, start => time(),
                        out => "GET /a?c=one HTTP/1.1\r\nHost: a\r\n"
                               . "Connection: close\r\n\r\n" });
is($other->{status}, 200, 'a client is let in to another location');
is(join(' ', grep { /^ktp_requests_total.*client="one"/ }
                  sort keys %{ scrape() }),
   $ok, 'which is no request for a card');


# gauges go with a worker that is killed, and nothing else does

my $until = "$dir/go";

$upstream->reset;
$upstream->answer({ until => $until });

my $hanging = calls('one', 'card.jpg', 6);

is(wait_metric('ktp_calls_in_flight', 6), 6, 'calls in flight');

my %before = map { $_ => 1 } $nginx->workers;
my @killed = keys %before;

kill 'KILL', @killed;
waitpid $hanging, 0;

is(wait_metric('ktp_workers', 2), 2, 'new workers count');
is(wait_metric('ktp_calls_in_flight', 0), 0, 'no call is in flight');
is(scalar(grep { $before{$_} } $nginx->workers), 0, 'all were killed');
is(wait_metric($ok, 150), 150, 'counters are as they were');

KTP::Nginx::write_file($until, '');
$upstream->reset;

waitpid calls('one', 'card.jpg', 1), 0;
is(wait_metric($ok, 151), 151, 'and go on');


# what Prometheus' own tools say

SKIP: {
    skip 'prometheus is not installed', 4
        unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};

    KTP::Nginx::write_file("$dir/metrics", KTP::Nginx::curl("$base/s")->{body});
    is(system("promtool check metrics < $dir/metrics > $dir/promtool 2>&1"),
       0, 'promtool has nothing to say')
        or diag(KTP::Nginx::read_file("$dir/promtool"));

    my $port = KTP::Nginx::free_port();
    my $target = '127.0.0.1:' . $nginx->port;

    KTP::Nginx::write_file("$dir/prometheus.yml", <<EOC);
scrape_configs:
  - job_name: ktp
    metrics_path: /s
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ['$target']}]
EOC

    my $pid = fork // die "fork: $!";

    unless ($pid) {
        open STDOUT, '>', "$dir/prometheus.log";
        open STDERR, '>&', \*STDOUT;
        exec 'prometheus', "--config.file=$dir/prometheus.yml",
             "--storage.tsdb.path=$dir/tsdb",
             "--web.listen-address=127.0.0.1:$port"
            or POSIX::_exit(127);
    }

    is(query($port, 'sum(ktp_requests_total)', 253), 253,
       'Prometheus has all requests');
    is(query($port, 'sum by (client) (ktp_billable_calls_total'
                    . '{client="one",billed="yes"})', 151), 151,
       'and the calls that are billed');
    is(query($port, 'histogram_quantile(1, ktp_image_size_bytes_bucket)',
             50000), 50000, 'and the histogram');

    kill 'KILL', $pid;
    waitpid $pid, 0;
}

$nginx->stop;
unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\](?!.*signal 9)/,
       'nothing but the killed workers is in the log');


# a state file whose directory is gone, and is back

{
    my $other = KTP::Nginx->new;
    my $state = $other->prefix . '/state';

    mkdir $state;
    chmod 0777, $state;
    ok($other->start($other->config(
        main => KTP::load_module(), master => 'on', server => $server,
        http => "ktp_zone ktp:1m state=$state/ktp; ktp_client one { }")),
       'nginx starts') or diag($other->complaint);

    $base = 'http://127.0.0.1:' . $other->port;

    is(wait_metric('ktp_state_failing', 0), 0, 'the state file can be written');

    rename $state, "$state.away" or die "rename: $!\n";
    waitpid calls('one', 'card.jpg', 1), 0;
    is(wait_metric('ktp_state_failing', 1), 1, 'it cannot');

    rename "$state.away", $state or die "rename: $!\n";
    is(wait_metric('ktp_state_failing', 0), 0, 'it can again');
    $other->stop;
}


# prices over reloads: what was counted stays, and columns are for one currency

{
    my $money = KTP::Nginx->new;
    my $card = "$dir/card.jpg";
    my $conf = sub {
        my ($amount, @currencies) = @_;

        return $money->config(
            main => KTP::load_module(), master => 'on', http => 'ktp_zone k:1m;',
            server => join "\n", 'location = /s { ktp_status; }', map {
                "location = /$_ { ktp_pass ${\ $upstream->url}/x; "
                . "ktp_price $amount $_; }"
            } @currencies);
    };
    my $reload = sub {
        my $seen = length $money->log_from(0);
        my $said;

        KTP::Nginx::write_file($money->prefix . '/conf/nginx.conf', $conf->(@_));
        $money->signal('HUP');
        KTP::Nginx::wait_for(sub {
            $said = $money->log_from($seen);
            $said =~ /\[emerg\]|worker process \d+ exited/;
        });

        return $said =~ /\[emerg\] \S+ (.*)/ ? $1 : '';
    };
    my $pay = sub {
        for (@_) {
            KTP::Nginx::curl("$base/$_", '-H', 'Content-Type: image/jpeg',
                             '-H', 'Connection: close',
                             '--data-binary', "\@$card");
        }
    };
    my $cost = sub {
        my ($currency, $want) = @_;

        return wait_metric(
            qq{ktp_cost_total{client="-",currency="$currency"}}, $want);
    };

    ok($money->start($conf->(2, qw(IDR USD))), 'nginx starts')
        or diag($money->complaint);
    $base = 'http://127.0.0.1:' . $money->port;

    $pay->(qw(IDR USD USD));
    is($cost->(IDR => 2), 2, 'the price of a call');
    is($cost->(USD => 4), 4, 'and of two in another currency');

    is($reload->(0.5, qw(EUR USD SGD MYR JPY AUD GBP)), '', 'other prices');
    $pay->(qw(USD EUR GBP));
    is($cost->(USD => 4.5), 4.5, 'a new price is added to what was paid');
    is($cost->(IDR => 2), 2, 'a currency that is gone keeps its sum');
    is($cost->(EUR => 0.5), 0.5, 'a new one has its own');
    is($cost->(GBP => 0.5), 0.5, 'also the eighth');

    like($reload->(1, qw(PHP)), qr/"k" has room for 8 currencies/,
         'there is no room for a ninth');
    $pay->(qw(USD));
    is($cost->(USD => 5), 5, 'the configuration before goes on');
    $money->stop;
}

done_testing();


# The value of a query once it is what is waited for, or the last one.
sub query {
    my ($port, $query, $value) = @_;

    my $deadline = time() + 30;
    my $seen;

    do {
        my $answer = KTP::Nginx::curl(
            '--no-show-error', '-G', '--data-urlencode', "query=$query",
            '--noproxy', '*', "http://127.0.0.1:$port/api/v1/query");

        ($seen) = ($answer->{body} // '') =~ /"value":\[[^,]+,"([^"]+)"\]/;
        return $seen if defined $seen && $seen == $value;
        sleep 0.1;
    } until time() > $deadline;

    return $seen;
}
