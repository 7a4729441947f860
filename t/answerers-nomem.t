# One allocation fails while a request and those that it asks are in progress,
# each in turn: the request ends, and everything works after it.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Flights qw(photo);
use KTP::Image;
use KTP::Nginx;
use KTP::Reader;
use KTP::Upstream;
use Test::More;

plan skip_all => 'the allocator is that of the sanitizers'
    if $KTP::Nginx::Slow > 1;

my %up = map { $_ => KTP::Upstream->new } qw(vendor checker reader);
my %url = map { $_ => $up{$_}->url } keys %up;
my $nginx = KTP::Nginx->new(nomem => 1);
my $conf = $nginx->config(main => KTP::load_module(), log_level => 'info',
                          http => <<EOC, server => <<EOC);
    ktp_zone counters:1m;
    ktp_answer_zone answers:4m;
    ktp_retries 0;

    # each block of a pool has room for little
    connection_pool_size 256;
    request_pool_size 256;
EOC
        location = /check { ktp_pass $url{vendor}/x; ktp_precheck \@checker timeout=1m; }
        location = /first { ktp_pass $url{vendor}/x; ktp_first \@reader confidence=0.9; }
        location = /back { ktp_pass $url{vendor}/down; ktp_fallback \@reader on=error; }
        location = /shadow { ktp_pass $url{vendor}/x; ktp_shadow \@reader; }
        location = /all {
            ktp_pass $url{vendor}/x;
            ktp_dedupe on;
            ktp_mask nik=last:4;
            ktp_precheck \@checker timeout=1m;
            ktp_first \@reader confidence=0.9;
            ktp_fallback \@reader on=error;
            ktp_shadow \@reader;
        }
        location = /status { ktp_status; access_log off; }
        location \@checker { ktp_pass $url{checker}/x; }
        location \@reader { ktp_pass $url{reader}/x; }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

my $good = answers('200 OK', $KTP::Upstream::Body);
my $down = answers('503 Down', '{"message":"down"}');
my $photos = 0;

sub send_photo {
    my ($uri) = @_;

    return post($nginx->port, $uri, photo(++$photos), 'Content-Type: image/jpeg');
}

sub page {
    return KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/status')->{body};
}

sub shadows {
    my $sum = 0;

    $sum += $_ for page() =~ /^ktp_shadow_answers_total\{.*\} (\d+)$/mg;

    return $sum;
}

# Waits until comparisons have ended, too.
sub idle {
    return KTP::Nginx::wait_for(sub { page() =~ /^ktp_calls_in_flight 0$/m });
}

sub ready {
    my ($uri, $no_card) = @_;

    $_->reset for values %up;
    $up{vendor}->answer($uri eq '/back' ? $down : $good);
    $up{checker}->answer($no_card ? check(0, 0) : check(1, 1));
    $up{reader}->answer(reading($uri eq '/first' ? 0.95 : 0.5));
}

for (['/check'], ['/check', 1], ['/first'],
     ['/back'], ['/shadow'], ['/all']) {
    my ($uri, $no_card) = @$_;
    my $name = $no_card ? "$uri, no card" : $uri;
    my ($n, %statuses, @twice);

    ready($uri, $no_card);

    my $usual = send_photo($uri)->{status};

    is($usual, $no_card ? 400 : 200, "$name: there is memory");

    for ($n = 0; $n < 200; $n++) {
        ready($uri, $no_card);
        $nginx->nomem_once($n);

        my $status = send_photo($uri)->{status};

        $statuses{$status}++;
        push @twice, $n if $up{vendor}->calls > 1;

        last unless $nginx->nomem_failed;

        idle() if $uri =~ /shadow|all/;
    }

    $nginx->nomem(0);

    note("$name: $n allocations, ", join ', ', map { "$_: $statuses{$_}" } sort keys %statuses);
    cmp_ok($n, '>', 15, "$name: allocations failed");
    cmp_ok($n, '<', 200, "$name: each of them");
    is_deeply([grep { !/^(?:0|$usual|200|50[023])$/ } keys %statuses], [],
              "$name: all ended with an answer, an error, or the connection");
    cmp_ok($statuses{$usual}, '>', 0, "$name: some were answered anyway");
    is_deeply(\@twice, [], "$name: none with two calls");

    ready($uri, $no_card);
    is(send_photo($uri)->{status}, $usual, "$name: there is memory again");
    ok(idle(), "$name: and nothing is in progress");
}

cmp_ok(() = $nginx->log_from =~ /posix_memalign\(\d+, \d+\) failed/g, '>', 10,
       'the log says so');

# all places for comparisons are there
ready('/shadow');

my $gate = $nginx->prefix . '/gate';
$up{reader}->answer({ until => $gate }, reading(0.5));

my $before = shadows();

is_deeply([map { send_photo('/shadow')->{status} } 1 .. 4], [(200) x 4],
          'four answers');
ok($up{reader}->wait_calls(4), 'are compared at a time');
is(shadows(), $before, 'and none is dropped');
KTP::Nginx::write_file($gate, '');
ok(KTP::Nginx::wait_for(sub { shadows() == $before + 4 }), 'to the end');

$nginx->stop('QUIT');
unlike($nginx->log_from, qr/\[alert\](?!.*(?:mmap|memory))/, 'nothing alarming');
unlike($nginx->log_from, qr/open socket|exited on signal/, 'no socket is left');

done_testing();
