# The dashboard, the alert rules and the log formats of conf-examples hold
# against what the gateway really gives.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $dir = KTP::Nginx::scratch_dir();
my $upstream = KTP::Upstream->new;
my $nik = '3273010107900001';
my $person = qq({"message":"ok","status_code":"V-1","data":{"nik":"$nik",)
           . '"full_name":"BUDI SANTOSO","date_of_birth":"01-07-1990",'
           . '"city":"KOTA BANDUNG"}}';

$upstream->answer(KTP::Upstream::response(200, $person));
KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, 600));
KTP::Nginx::write_file("$dir/none.jpg", 'no image');


# metrics: no query asks for one that there is not

my ($nginx, $port) = example('fleet.conf');
my $text = KTP::Nginx::curl("http://127.0.0.1:$port/metrics")->{body};
$nginx->stop;

($nginx, $port, my $port2) = example('metrics.conf');
$text .= KTP::Nginx::curl("http://127.0.0.1:$port2/metrics")->{body};
my %known = map { $_ => 1 } $text =~ /^# TYPE (\S+)/mg;

for my $name ($text =~ /^# TYPE (\S+) histogram/mg) {
    $known{"${name}_$_"} = 1 for qw(bucket sum count);
}

ok(keys %known > 10, 'there are metrics');
$nginx->stop;

my $rules = KTP::Nginx::read_file('conf-examples/prometheus-alerts.yml');
my $board = JSON::PP->new->decode(
    KTP::Nginx::read_file('conf-examples/grafana-dashboard.json'));
my %query = map { my $panel = $_;
                  map { ("$panel->{title}: $_->{refId}" => $_->{expr}) }
                      @{ $panel->{targets} } } @{ $board->{panels} };
my @queries = map { $_->{expr} } map { @{ $_->{targets} } }
              @{ $board->{panels} };

ok(@queries > 10, 'the dashboard has queries');
is_deeply(unknown($rules =~ s/^#.*//mgr), [], 'metrics of the alert rules');
is_deeply(unknown("@queries"), [], 'metrics of the dashboard');

# the queries of docs/answerers.md, which are checked like those of the panels

my @shown = KTP::Nginx::read_file('docs/answerers.md')
            =~ /^    (sum.*\n(?:    +\/.*\n)?)/mg;

ok(@shown > 5, 'docs/answerers.md has queries');
is_deeply(unknown("@shown"), [], 'metrics of docs/answerers.md');
push @queries, @shown;

my %ids = map { $_->{id} => 1 } @{ $board->{panels} };
is(scalar keys %ids, scalar @{ $board->{panels} }, 'panels are told apart');

# each alert is described, and has its section in the runbook

my @alerts = $rules =~ /^      - (alert: .*?)(?=^      - |\z)/gms;
my $runbook = KTP::Nginx::read_file('docs/failures.md');
my $docs = 'file:///usr/share/doc/libnginx-mod-http-ktp';
my @names;

for my $alert (@alerts) {
    my ($name) = $alert =~ /^alert: (\w+)/;

    push @names, $name;
    like($alert, qr/^          $_: /m, "$name has a $_")
        for qw(summary description);
    like($alert, qr{^          runbook_url: $docs/failures\.md#\L$name\E$}m,
         "$name names its section");
    like($runbook, qr/^### $name$/m, 'which is there');
}


# An ordinary day in which no alert fires, a sample a minute: 10 % of photos
# have no card, some are refused, some keys are wrong, a call fails now and
# then, and at 10:00 a deploy restarts the gateway.

sub counter { return "0+$_[0]x599 _ 0+$_[0]x840" }

sub requests {
    my ($outcome, $code, $client) = @_;

    return sprintf 'ktp_requests_total{instance="gw",outcome="%s",'
                   . 'error_code="%s",client="%s"}',
                   $outcome, $code || '', $client || 'shop';
}

sub calls { return qq{ktp_upstream_calls_total{instance="gw",outcome="$_[0]"}} }

sub answers  { return qq{ktp_answers_total{instance="gw",source="$_[0]"}} }
sub checks   { return qq{ktp_prechecks_total{instance="gw",result="$_[0]"}} }
sub compared { return qq{ktp_shadow_answers_total{instance="gw",result="$_[0]"}} }

sub card {
    return qq{ktp_shadow_cards_total{instance="gw",bin="$_[0]",agree="$_[1]"}};
}

sub field {
    return sprintf 'ktp_shadow_fields_total{instance="gw",field="%s",'
                   . 'bin="%s",agree="%s"}', @_;
}

sub evicted { return qq{ktp_answers_evicted_total{instance="gw"}} }
sub full    { return qq{ktp_answer_zone_full_total{instance="gw"}} }

sub billable {
    return qq{ktp_billable_calls_total{instance="gw",client="shop",billed="$_[0]"}};
}

sub billed {
    return qq{ktp_billed_calls_total{instance="gw",client="shop",outcome="$_[0]"}};
}

my $slow = 'ktp_upstream_duration_seconds_bucket{instance="gw",le="10"}';
my $breaker = 'ktp_breaker_opened_total{instance="gw",upstream="https://api.test/v2"}';
my $left = 'ktp_client_quota_left_calls{client="shop",period="month"}';

my %day = (
    'up{job="ktp",instance="gw"}'                       => '1x599 0 1x840',
    requests('ok')                                      => counter(50),
    requests('bad_quality', 'FAIL_ON_1')                => counter(2),
    requests('not_accepted', 'KTP_NOT_DETECTED')        => counter(6),
    requests('rejected', 'INVALID_PAYLOAD_IMAGE_SIZE')  => counter(6),
    requests('rejected', 'INVALID_PAYLOAD', 'night')    => counter(0.05),
    requests('ok', '', 'night')                         => counter(0.04),
    requests('unauthorized', 'UNAUTHORIZED', '-')       => counter(0.5),
    requests('upstream_limited', 'TOO_MANY_REQUESTS')   => counter(0.1),
    requests('upstream_error', 'INTERNAL_SERVER_ERROR') => counter(0.1),
    requests('timeout', 'INTERNAL_SERVER_ERROR')        => counter(0.1),
    requests('aborted')                                 => counter(0.5),
    calls('ok')                                         => counter(50),
    calls('bad_quality')                                => counter(2),
    calls('not_accepted')                               => counter(6),
    calls('upstream_refused')                           => counter(0),
    calls('upstream_limited')                           => counter(0.1),
    calls('upstream_error')                             => counter(0.1),
    calls('timeout')                                    => counter(0.1),
    calls('aborted')                                    => counter(0.5),
    billable('yes')                                     => counter(56),
    billable('unknown')                                 => counter(7),
    billed('ok')                                        => counter(50),
    billed('bad_quality')                               => counter(2),
    billed('not_accepted')                              => counter(4),
    'ktp_cost_total{instance="gw",client="shop",currency="IDR"}'
                                                        => counter(84000),
    'ktp_saved_calls_total{instance="gw",client="shop",reason="replayed"}'
                                                        => counter(3),
    'ktp_saved_calls_total{instance="gw",client="shop",reason="joined"}'
                                                        => counter(2),
    'ktp_waiting_requests{instance="gw"}'               => '3x1440',
    'ktp_shared_calls_in_flight{instance="gw"}'         => '2x1440',
    'ktp_stored_answers{instance="gw"}'                 => '600x1440',
    'ktp_idempotency_keys{instance="gw"}'               => '200x1440',
    evicted()                                           => counter(0.1),
    full()                                              => counter(0.01),
    'ktp_client_calls{instance="gw",client="shop",period="month"}'
                                                        => '500000+63x1440',
    'ktp_upstream_unclear_total{instance="gw"}'         => counter(0.7),
    $breaker                                            => counter(0.02),
    $breaker =~ s/_opened_total/_state/r                => '0x1440',
    answers('upstream')                                 => counter(58),
    answers('precheck')                                 => counter(2),
    answers('fallback')                                 => counter(0.1),
    checks('passed')                                    => counter(56),
    checks('refused')                                   => counter(2),
    checks('failed')                                    => counter(0.2),
    compared('compared')                                => counter(10),
    compared('dropped')                                 => counter(0.2),
    compared('failed')                                  => counter(0.2),
    card('0.99', 'yes')                                 => counter(4),
    card('0.98', 'yes')                                 => counter(1.9),
    card('0.98', 'no')                                  => counter(0.1),
    card('0.9', 'yes')                                  => counter(1),
    card('0.9', 'no')                                   => counter(1),
    card('0', 'no')                                     => counter(2),
    field('nik', '0.995', 'yes')                        => counter(8),
    field('nik', '0.7', 'no')                           => counter(2),
    field('full_name', '0.98', 'yes')                   => counter(7),
    field('full_name', '0.98', 'no')                    => counter(1),
    'ktp_calls_in_flight{instance="gw"}'                => '20x1440',
    'ktp_state_failing{instance="gw"}'                  => '0x599 1 0x840',
    $slow                                               => counter(58),
    $slow =~ s/"10"/"2.5"/r                             => counter(50),
    $slow =~ s/"10"/"30"/r                              => counter(59),
    $slow =~ s/"10"/"+Inf"/r                            => counter(59),
    'ktp_client_quota_limit_calls{client="shop",period="month"}'
                                                        => '3000000x1440',
    $left                                               => '2500000-60x1440',
    'ktp_fleet_up{instance="gw"}'                       => '1x1440',
    'ktp_client_lease_held_calls{instance="gw",client="shop",period="month"}'
                                                        => '1000x1440',
);

# What goes wrong from 15:00 on, by the alert for it.

sub fault { return "0x899 0+$_[0]x540" }

my %faults = (
    KtpGatewayDown     => { 'up{job="ktp",instance="gw"}' => '1x899 0x540' },
    KtpVendorRefusesUs => {
        calls('upstream_refused') => fault(0.5) },
    KtpUpstreamFails   => {
        calls('upstream_error') => fault(6) },
    KtpVendorLimitsUs  => { calls('upstream_limited') => fault(3) },
    KtpBreakerOpens    => { $breaker => fault(0.5) },
    KtpFleetDown       => {
        'ktp_fleet_up{instance="gw"}' => '1x899 0x540' },
    KtpFallbackAnswers => { answers('fallback') => '0+0.1x899 90+5x540' },
    KtpPrecheckFails   => { checks('failed') => '0+0.2x899 180+8x540' },
    KtpShadowDrops     => { compared('dropped') => '0+0.2x899 180+2x540' },
    KtpUpstreamSlow    => { $slow => '0+58x899 52200+50x540' },
    KtpKeyRefused      => {
        requests('unauthorized', 'UNAUTHORIZED', '-') => fault(30) },
    KtpMostRejected    => {
        requests('rejected', 'INVALID_PAYLOAD', 'night') => fault(3) },
    KtpQuotaNearlyUsed => { $left => '200000-10x1440' },
    KtpBillUnclear     => {
        'ktp_upstream_unclear_total{instance="gw"}' => fault(3) },
    KtpSpendJumps      => {
        billable('yes') => '0+56x899 50344+600x540' },
    KtpPaidInVain      => {
        billed('bad_quality') => '0+2x899 1798+30x540' },
    KtpStateNotWritten => {
        'ktp_state_failing{instance="gw"}' => '0x899 1x540' },
    KtpCallsPileUp     => {
        'ktp_calls_in_flight{instance="gw"}' => '20x899 900x540' },
    KtpAnswersEvicted  => { evicted() => '0+0.1x899 90+6x540' },
    KtpAnswerZoneFull  => { full() => '0+0.01x899 9+1x540' },
);

# A day in which nine of ten requests are answered without a call, for every
# ratio of calls: the same faults fire as without these requests.

my %shared = (
    requests('ok')                                      => counter(500),
    requests('upstream_error', 'INTERNAL_SERVER_ERROR') => counter(8),
    requests('timeout', 'INTERNAL_SERVER_ERROR')        => counter(8),
    requests('upstream_limited', 'TOO_MANY_REQUESTS')   => counter(8),
    requests('upstream_refused', 'UNAUTHORIZED')        => counter(0),
);

is_deeply([sort keys %faults], [sort @names], 'each alert has its fault');

# What the panels about money and about answerers show of the ordinary day at
# 09:00, when an hour has 3360 billed calls of 1500 rupiah, 3000 of which were
# of use, and 600 compared cards.

my %shown = (
    'Spent this month: A'           => [5040000, 'currency="IDR"'],
    'Saved this month: A'           => [450000, 'currency="IDR"'],
    'Paid and of use: A'            => [0.893, ''],
    'Unknown whether paid: A'       => [420, ''],
    'Spent by client this month: A' => [5040000, 'client="shop",currency="IDR"'],
    'Calls by client this month: A' => [534020, 'client="shop"'],
    'Calls saved, an hour: A'       =>
        [180, 'reason="replayed"', 120, 'reason="joined"'],
    'Calls saved, an hour: B'       => [363, ''],
    'Waiting requests: A'           => [3, ''],
    'Waiting requests: B'           => [2, ''],
    'Stored answers: A'             => [600, ''],
    'Stored answers: B'             => [200, ''],
    'Removed before they expired, an hour: A' => [6, ''],
    'Removed before they expired, an hour: B' => [0.6, ''],
    'Who answered: A' => [0.967, 'source="upstream"', 0.033, 'source="precheck"',
                          0.002, 'source="fallback"'],
    'Breakers: A' => [0, 'upstream="https://api.test/v2"'],
    'Images checked, an hour: A' => [3360, 'result="passed"',
                                     120, 'result="refused"',
                                     12, 'result="failed"'],
    'Answers compared, an hour: A' => [600, 'result="compared"',
                                       12, 'result="dropped"',
                                       12, 'result="failed"'],
    'Fields that differ from 0.98 on: A' => [0.125, 'field="full_name"'],
    'Calls that ktp_first would save: A' => [0.8, ''],
    'Calls that ktp_first would save: B' => [0.6, ''],
    'Calls that ktp_first would save: C' => [0.6, ''],
    'Calls that ktp_first would save: D' => [0.4, ''],
    'Wrong answers among them: A'        => [0.138, ''],
    'Wrong answers among them: B'        => [0.017, ''],
    'Wrong answers among them: C'        => [0.017, ''],
    'Wrong answers among them: D'        => [0, ''],
    'Paid and of no use, an hour: A' =>
        [120, 'outcome="bad_quality"', 240, 'outcome="not_accepted"'],
);

SKIP: {
    skip 'prometheus is not installed', 3
        unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};

    promtool('check rules', 'conf-examples/prometheus-alerts.yml');

    KTP::Nginx::write_file("$dir/alerts.yml",
                           KTP::Nginx::read_file(
                               'conf-examples/prometheus-alerts.yml'));
    KTP::Nginx::write_file("$dir/alerts-test.yml", join '',
        "rule_files: [alerts.yml]\nevaluation_interval: 1m\ntests:\n",
        day({}, map { ($_ * 60 + 3 => '') } 0 .. 23),
        (map { day($faults{$_}, 960 => $_) } sort keys %faults),
        day(\%shared, map { ($_ * 60 + 3 => '') } 0 .. 23),
        map { day({%shared, %{ $faults{$_} }}, 960 => $_) }
            grep { /^KtpVendor|^KtpUpstreamFails/ } sort keys %faults);
    promtool('test rules', "$dir/alerts-test.yml");

    # queries are right, as rules with Grafana's variables filled in

    my $n = 0;

    KTP::Nginx::write_file("$dir/queries.yml", "groups: [{name: q, rules: [\n"
        . join(",\n", map { '{record: "q:' . $n++ . '", expr: '
                            . JSON::PP->new->allow_nonref->encode(filled($_))
                            . '}' } @queries) . "]}]\n");
    promtool('check rules', "$dir/queries.yml");

    KTP::Nginx::write_file("$dir/money.yml",
        "rule_files: []\nevaluation_interval: 1m\ntests:\n- interval: 1m\n"
        . "  input_series:\n"
        . join('', map { "  - series: '$_'\n    values: '$day{$_}'\n" }
                       sort keys %day)
        . "  promql_expr_test:\n"
        . join('', map { "  - expr: 'round(" . filled($query{$_}) . ", 0.001)'\n"
                         . "    eval_time: 540m\n    exp_samples:\n"
                         . samples(@{ $shown{$_} }) } sort keys %shown));
    promtool('test rules', "$dir/money.yml");
}


# A test of a day with other series: at each minute, the alert that fires.
sub day {
    my ($series, %firing) = @_;

    my %all = (%day, %$series);

    return "- interval: 1m\n  input_series:\n"
        . join('', map { "  - series: '$_'\n    values: '$all{$_}'\n" }
                   sort keys %all)
        . "  promql_expr_test:\n"
        . join('', map {
              "  - expr: count by (alertname) (ALERTS{alertstate=\"firing\"})\n"
              . "    eval_time: ${_}m\n    exp_samples:"
              . ($firing{$_} ? "\n    - {labels: '{alertname=\"$firing{$_}\"}',"
                               . " value: 1}\n" : " []\n")
          } sort { $a <=> $b } keys %firing);
}


# A query of the dashboard, of an hour.
sub filled {
    my ($query) = @_;

    return $query =~ s/\$instance/.*/gr =~ s/\$__range\b/1h/gr
                  =~ s/\$__rate_interval/5m/gr;
}


sub samples {
    my $text = '';

    while (my ($value, $labels) = splice @_, 0, 2) {
        $text .= "    - {labels: '{$labels}', value: $value}\n";
    }

    return $text;
}


sub promtool {
    my ($what, $file) = @_;

    is(system("promtool $what $file > $dir/promtool 2>&1"), 0,
       "promtool $what")
        or diag(KTP::Nginx::read_file("$dir/promtool"));
}


# the audit log: JSON, and nothing of the card in it

($nginx, $port) = example('audit-log.conf');
post($port, "card.jpg", '?reference_id=rahasia');
post($port, "none.jpg", '', 'App-ID: nobody');
$nginx->stop;

my @lines = split /\n/, KTP::Nginx::read_file(
    $nginx->prefix . '/logs/ktp-audit.log');
my @audit = map { eval { JSON::PP->new->decode($_) } || {} } @lines;

is(scalar @audit, 2, 'a line each');
is($audit[0]{outcome}, 'ok', 'the first was answered');
is($audit[0]{billed}, 'yes', 'and is billed');
is($audit[0]{source}, 'upstream', 'by a call');
is($audit[1]{source}, '', 'which the second did not get to');
is($audit[0]{width}, 800, 'with its width');
like($audit[0]{nik_hmac}, qr/^[0-9a-f]{64}$/, 'a digest of the number');
like($audit[0]{image_hmac}, qr/^[0-9a-f]{64}$/, 'and of the image');
is($audit[1]{outcome}, 'rejected', 'the second was refused');
is($audit[1]{error_code}, 'INVALID_PAYLOAD_IMAGE_FORMAT', 'with its code');
is($audit[1]{billed}, 'no', 'and cost nothing');
is($audit[1]{reason}, 'type_unknown', 'and its reason');
is($audit[1]{app_id}, 'nobody', 'with the name that the client claims');
unlike("@lines", qr/$nik|BUDI|SANTOSO|07-1990|BANDUNG|rahasia/i,
       'no personal data');


# the billing log: calls only

($nginx, $port) = example('billing-log.conf');
post($port, "none.jpg", '');
$upstream->answer(KTP::Upstream::response(200, $person =~ s/V-1/LOCAL-0/r));
post($port, "card.jpg", '');
$upstream->answer(KTP::Upstream::response(200, $person));
post($port, "card.jpg", '');
$nginx->stop;

my $billing_log = $nginx->prefix . '/logs/ktp-billing.log';
my @billing = map { eval { JSON::PP->new->decode($_) } || {} }
              split /\n/, KTP::Nginx::read_file($billing_log);

is(scalar @billing, 1,
   'one line for the call of the vendor, none for what was refused or free');
like($billing[0]{$_->[0]}, $_->[1], "with $_->[0]")
    for [time => qr/^\d{4}-\d\d-\d\dT/], [request => qr/^[0-9a-f]{32}$/],
        [client => qr/^$/], [source => qr/^upstream$/], [billed => qr/^yes$/],
        [cost => qr/^1500$/],
        [upstream_status => qr/^200$/], [status_code => qr/^V-1$/],
        [error_code => qr/^$/], [upstream_time => qr/^[0-9.]+$/],
        [retries => qr/^0$/];

# the reader of this log understands it
my $id = $billing[0]{reference_id} // '';
like($id, qr/^[0-9a-f]{32}$/, 'with the reference_id that was sent');
KTP::Nginx::write_file("$dir/export.csv", "ref\n$id\n");
is(system("scripts/ktp-reconcile --id=ref --from=2000-01-01"
          . " $dir/export.csv $billing_log > $dir/out"), 0,
   'it agrees with an export of one call')
    or diag(KTP::Nginx::read_file("$dir/out"));

done_testing();


# Starts a configuration of conf-examples with the scripted upstream; returns
# nginx and its ports.
sub example {
    my ($name) = @_;

    my $self = KTP::Nginx->new;
    my $prefix = $self->prefix;
    my $conf = KTP::Nginx::read_file("conf-examples/$name");
    my $build = KTP::Nginx::build_dir();
    my $url = $upstream->url;
    my (%ports, @ports);

    $conf =~ s{load_module modules/}{load_module $build/}g;
    $conf =~ s{ktp_pass\s+\S+;}{ktp_pass $url/x;}g;
    $conf =~ s{/var/log/nginx/}{$prefix/logs/}g;
    $conf =~ s{127\.0\.0\.1:(80\d\d)}{
        '127.0.0.1:' . ($ports{$1} ||= KTP::Nginx::free_port())
    }ge;

    while ($conf =~ m{\bfile:([^\s;/]+)}g) {
        KTP::Nginx::write_file("$prefix/conf/$1", "a secret of the test, and a long one\n");
        chmod 0600, "$prefix/conf/$1";
    }

    ok($self->start($conf), "$name starts") or diag($self->complaint);
    push @ports, $1 while $conf =~ /listen 127\.0\.0\.1:(\d+)/g;

    return ($self, @ports);
}


sub post {
    my ($at, $file, $args, @head) = @_;

    return KTP::Nginx::curl('-H', 'Content-Type: image/jpeg',
                            (map { ('-H', $_) } @head), '--data-binary',
                            "\@$dir/$file", "http://127.0.0.1:$at/ktp$args");
}


# Names in a query that look like metrics and are none of ours.
sub unknown {
    my ($query) = @_;

    return [grep { !$known{$_} } $query =~ /\b(ktp_\w+)/g];
}
