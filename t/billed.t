# What is billed, in all places that say so: the log, the metrics and the quota
# of the client.  A row is a response of the upstream, in a location with its
# own idea of which codes are billed.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $dir = KTP::Nginx::scratch_dir();
my $up = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $url = $up->url;

KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, 600));

sub json {
    my ($code, $status_code) = @_;

    return join ',', '{"message":"m"', ($code ? qq{"error_code":"$code"} : ()),
                     ($status_code ? qq{"status_code":"$status_code"} : ()),
                     '"data":{}}';
}

# [location, status, body, status of the answer, outcome, billed]
my @rows = (
    # the vendor's answers, where its rules are not known
    ['any', 200, json('', 'V-1'), 200, 'ok', 'yes'],
    ['any', 200, json('', ''), 200, 'ok', 'yes'],
    ['any', 200, json('FAIL_ON_1', 'V-1'), 200, 'bad_quality', 'yes'],
    ['any', 400, json('KTP_NOT_DETECTED', 'V-1'), 400, 'not_accepted',
     'unknown'],
    ['any', 400, json('INVALID_PAYLOAD', ''), 400, 'not_accepted', 'unknown'],
    ['any', 400, json('', ''), 400, 'upstream_error', 'unknown'],
    ['any', 500, json('INTERNAL_SERVER_ERROR', ''), 500, 'upstream_error',
     'unknown'],
    ['any', 401, json('UNAUTHORIZED', ''), 502, 'upstream_refused', 'no'],
    ['any', 429, json('TOO_MANY_REQUESTS', ''), 429, 'upstream_limited', 'no'],

    # where they are
    (map {
        my ($location, $detected, $exists) = @$_;

        [$location, 400, json('KTP_NOT_DETECTED', 'V-1'), 400, 'not_accepted',
         $detected],
        [$location, 400, json('KTP_NOT_DETECTED', ''), 400, 'not_accepted',
         $detected],
        [$location, 400, json('INVALID_PAYLOAD_REFERENCE_ID_EXISTS', 'V-1'),
         400, 'not_accepted', $exists],
        [$location, 400, json('INVALID_PAYLOAD_IMAGE_SIZE', ''), 400,
         'not_accepted', 'no'],
        [$location, 400, json('OF_THE_VENDOR', ''), 400, 'upstream_error',
         'no'],

        # no code, no rule
        [$location, 400, json('', 'V-1'), 400, 'upstream_error', 'unknown'],
        [$location, 400, '<html>', 502, 'upstream_error', 'unknown'],

        # not a 400
        [$location, 413, json('INVALID_PAYLOAD_IMAGE_SIZE', ''), 413,
         'not_accepted', 'unknown'],
        [$location, 422, json('KTP_NOT_DETECTED', ''), 422, 'not_accepted',
         'unknown'],
        [$location, 500, json('KTP_NOT_DETECTED', ''), 500, 'upstream_error',
         'unknown'],
        [$location, 403, json('KTP_NOT_DETECTED', ''), 502, 'upstream_refused',
         'no'],
        [$location, 200, json('KTP_NOT_DETECTED', ''), 200, 'ok', 'yes'],
        [$location, 200, json('FAIL_ON_1', ''), 200, 'bad_quality', 'yes'],
    } ['none', 'no', 'no'], ['one', 'yes', 'no'], ['two', 'yes', 'yes'],
      ['masked', 'yes', 'no']),

    # the local extractor's cost nothing, whatever they are
    (map {
        my $location = $_;

        (map { [$location, 200, $_, 200, 'ok', 'no'] }
             json('', 'LOCAL-0'), json('', 'LOCAL-'), json('', 'LOCAL-V-1'),
             json('KTP_NOT_DETECTED', 'LOCAL-0')),
        [$location, 200, json('FAIL_ON_1', 'LOCAL-0'), 200, 'bad_quality',
         'no'],
        [$location, 400, json('KTP_NOT_DETECTED', 'LOCAL-0'), 400,
         'not_accepted', 'no'],
        [$location, 413, json('INVALID_PAYLOAD_IMAGE_SIZE', 'LOCAL-0'), 413,
         'not_accepted', 'no'],
        [$location, 500, json('INTERNAL_SERVER_ERROR', 'LOCAL-0'), 500,
         'upstream_error', 'no'],
        [$location, 503, json('SERVICE_UNAVAILABLE', 'LOCAL-0'), 503,
         'upstream_error', 'no'],
    } 'any', 'one', 'masked'),

    # refused, for the sake of a mask; its codes are known nevertheless
    ['masked', 200, '{"status_code":"LOCAL-0","data":{"nik":7}}', 502,
     'upstream_error', 'no'],
    ['masked', 200, '{"status_code":"V-1","data":{"nik":7}}', 502,
     'upstream_error', 'yes'],

    # nearly theirs
    (map { ['one', 200, $_, 200, 'ok', 'yes'] }
         json('', 'LOCAL'), json('', 'LOCAL0'), json('', 'local-0'),
         json('', 'V-LOCAL-0'), '{"message":"LOCAL-0","data":{}}',
         '{"data":{"status_code":"LOCAL-0"}}', '{"status_code":["LOCAL-0"]}'),
    ['one', 200, 'LOCAL-0', 502, 'upstream_error', 'yes'],
    ['one', 503, 'LOCAL-0', 502, 'upstream_error', 'unknown'],
);

my $clients = join "\n    ", map { "ktp_client c$_ { quota 9/total; }" }
                             0 .. $#rows;

ok($nginx->start($nginx->config(
    main => KTP::load_module(), log_level => 'info', http => <<EOC,
    log_format ktp '\$ktp_client \$status \$ktp_outcome \$ktp_billed \$ktp_cost';
    access_log logs/ktp.log ktp;
    ktp_zone k:4m;
    ktp_auth \$arg_c;
    ktp_price 500.5 IDR;
    $clients
EOC
    server => <<EOC)), 'nginx starts') or BAIL_OUT($nginx->complaint);
        location = /any { ktp_pass $url/x; }
        location = /none { ktp_pass $url/x; ktp_billed_codes none; }
        location = /one { ktp_pass $url/x; ktp_billed_codes KTP_NOT_DETECTED; }
        location = /two {
            ktp_pass $url/x;
            ktp_billed_codes INVALID_PAYLOAD_REFERENCE_ID_EXISTS
                             KTP_NOT_DETECTED;
        }
        location = /masked {
            ktp_pass $url/x;
            ktp_billed_codes KTP_NOT_DETECTED;
            ktp_mask nik;
        }
        location = /s { ktp_auth off; ktp_status; access_log off; }
EOC

my $base = 'http://127.0.0.1:' . $nginx->port;

for my $n (0 .. $#rows) {
    my ($location, $status, $body) = @{ $rows[$n] };

    $up->reset;
    $up->answer(KTP::Upstream::response("$status Status", $body));
    KTP::Nginx::curl("$base/$location?c=c$n", '-H', 'Content-Type: image/jpeg',
                     '--data-binary', "\@$dir/card.jpg");
}

my %logged;

KTP::Nginx::wait_for(sub {
    %logged = KTP::Nginx::read_file($nginx->prefix . '/logs/ktp.log')
        =~ /^(c\d+) (.*)$/mg;
    return keys %logged == @rows;
});

my $metrics = KTP::Nginx::curl("$base/s")->{body};
my %value = $metrics =~ /^(ktp_\S+) (\S+)$/mg;

for my $n (0 .. $#rows) {
    my ($location, $status, $body, $answer, $outcome, $billed) = @{ $rows[$n] };
    my ($yes, $maybe) = ($billed eq 'yes', $billed eq 'unknown');
    my $cost = $yes ? '500.5' : $maybe ? '-' : '0';
    my $seen = $logged{"c$n"} // '';

    $seen .= " $_ " . ($value{$_} // '-')
        for qq{ktp_billable_calls_total{client="c$n",billed="yes"}},
            qq{ktp_billable_calls_total{client="c$n",billed="unknown"}},
            qq{ktp_billed_calls_total{client="c$n",outcome="$outcome"}},
            qq{ktp_cost_total{client="c$n",currency="IDR"}},
            qq{ktp_client_quota_used_calls{client="c$n",period="total"}};

    is($seen =~ s/ ktp_\S+//gr,
       join(' ', $answer, $outcome, $billed, $cost, $yes ? 1 : 0,
            $maybe ? 1 : 0, $yes ? 1 : '-', $yes ? '500.5' : 0, $yes || $maybe ? 1 : 0),
       "/$location $status $body");
}

# what was paid for in vain is told from what was of use

my %paid;
$paid{$_->[4]}++ for grep { $_->[5] eq 'yes' } @rows;

my %total;
$total{$1} += $2
    while $metrics =~ /^ktp_billed_calls_total\{.*outcome="(\w+)"\} (\d+)$/mg;
is_deeply(\%total, \%paid, 'all that is billed, by outcome');
cmp_ok(keys %paid, '>=', 4, 'of each kind');

$nginx->stop;

done_testing();
