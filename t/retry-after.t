# When a client may try again: Retry-After of the upstream is passed on, and
# given for quotas and for a worker that has no place; what is left of a quota
# is a variable.  No answer is kept in a cache.

use strict;
use warnings;

use lib 't/lib';
use HTTP::Date qw(time2str);
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use POSIX ();
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $body = json_body(jpeg(800, 600, size => 40_000));

ok($nginx->start($nginx->config(
    main   => KTP::load_module(),
    http   => <<'EOC',
        ktp_zone shop:1m;
        ktp_app_id id;
        ktp_client a-day   { quota 1/day; }
        ktp_client a-month { quota 1/month; quota 5/day; }
        ktp_client both    { quota 1/day; quota 1/month; }
        ktp_client forever { quota 1/total; quota 1/day; }
        ktp_client jakarta { quota 1/day offset=+07:00; }
        ktp_client dry     { quota 1/day shadow; }
        ktp_client free    { }
        ktp_client slow    { rate 1/m burst=1; }
        map $arg_c $name { default $arg_c; }
EOC
    server => <<"EOC",
        location /up { ktp_pass $url/v2; }
        location /busy { ktp_pass $url/v2; ktp_max_inflight 1; }
        location /client {
            ktp_pass $url/v2;
            ktp_auth \$name;
            add_header X-Left \$ktp_quota_left always;
        }
EOC
    log_level => 'info')), 'nginx starts') or diag($nginx->complaint);


# -- the upstream's

my $json = '{"message":"m","error_code":"X"}';
my $later = time2str(time() + 120);

for my $case (['429',         429, "429 Status", $json, '7', 7],
              ['503',         503, "503 Status", $json, '7', 7],
              ['a date',      429, "429 Status", $json, $later, '1[12]\d'],
              ['none',        429, "429 Status", $json, undef, undef],
              ['a past date', 429, "429 Status", $json,
               'Thu, 01 Jan 1970 00:00:01 GMT', undef],
              ['no number',   429, "429 Status", $json, "x\tSet-Cookie: a",
               undef],
              ['zero',        429, "429 Status", $json, '0', undef],
              ['a page',      502, "503 Status", '<html>', '9', 9],
              ['200',         200, "200 OK", $json, '7', undef],
              ['500',         500, "500 Status", $json, '7', undef]) {
    my ($name, $want, $status, $text, $value, $after) = @$case;

    $up->answer(KTP::Upstream::response($status, $text,
        $text eq $json ? 'Content-Type: application/json'
                       : 'Content-Type: text/html',
        defined $value ? "Retry-After: $value" : ()));

    my $got = post($nginx->port, '/up', $body);

    is($got->{status}, $want, "$name: status");
    is_value($got, $after, "$name: Retry-After");
    like($got->{head}, qr/^Cache-Control: no-store\r?$/m, 'it is not to be kept');
}


# -- that of a quota, and what is left of it

$up->reset;

KTP::Nginx::same_day(60, 0, 7);

my $now = time;
my $day = 86400 - $now % 86400;
my @tm = gmtime $now;
my $month = POSIX::mktime(0, 0, 0, 1, $tm[4] + 1, $tm[5])
            - POSIX::mktime(@tm[0 .. 5]);

for my $case (['a-day',   0, $day],
              ['a-month', 0, $month],
              ['both',    0, $month],
              ['forever', 0, undef],
              ['jakarta', 0, ($day + 86400 - 7 * 3600) % 86400]) {
    my ($client, $left, $wait) = @$case;

    my $got = client($client);

    is($got->{status}, 200, "$client: the first call");
    like($got->{head}, qr/^X-Left: $left\r?$/m, 'which was the last one');

    $got = client($client);
    is($got->{status}, 403, "$client: over the quota");
    like($got->{head}, qr/^X-Left: $left\r?$/m, 'with nothing left');

    my ($value) = $got->{head} =~ /^Retry-After: (\d+)\r?$/m;

    defined $wait ? cmp_ok(abs($value - $wait), '<', 30 * $slow, 'until its end')
                  : is($value, undef, 'which never ends');
}

like(client($_)->{head}, qr/^HTTP\/1\.1 200(?!.*X-Left)/s, "$_: no quota")
    for qw(dry free);

is(client('slow')->{status}, 200, 'a rate');
is_value(client('slow'), '(?:[1-5]?\d|60)', 'its Retry-After');


# -- no place in this worker

$up->reset;
my $gate = $nginx->prefix . '/gate';
$up->answer({ once => 1 }, { until => $gate },
            KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

my $pid = fork // die "fork: $!\n";

unless ($pid) {
    POSIX::_exit(post($nginx->port, '/busy', $body)->{status} == 200 ? 0 : 1);
}

$up->wait_calls(1);

my $got = post($nginx->port, '/busy', $body);

is($got->{status}, 503, 'ktp_max_inflight');
is_value($got, 2, 'its Retry-After');
KTP::Nginx::write_file($gate, '');
waitpid $pid, 0;
is($?, 0, 'the call in flight is answered');

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;

done_testing();


sub client { return post($nginx->port, "/client?c=$_[0]", $body) }


# There is one Retry-After with this value, or none.
sub is_value {
    my ($got, $value, $name) = @_;

    my @found = $got->{head} =~ /^Retry-After:/mgi;

    is(scalar @found, defined $value ? 1 : 0, "$name: how many");
    like($got->{head}, qr/^Retry-After: $value\r?$/m, "$name: $value")
        if defined $value;
}
