# A thousand identical uploads, however they are sent, by fifty connections to
# four workers, over a reload: one call, and a thousand times its answer.
#
# KTP_FLIGHTS_RUNS chooses how often (2).

use strict;
use warnings;

use lib 't/lib';
use Digest::MD5 qw(md5_hex);
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $runs = $ENV{KTP_FLIGHTS_RUNS} || 2;
my $slow = $KTP::Nginx::Slow;
my ($clients, $each) = (50, 20);

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;

start($nginx, $upstream->url, http => 'ktp_timeout 30s; ktp_read_timeout 30s;')
    or BAIL_OUT($nginx->complaint);

my $port = $nginx->{flights_port};

for my $run (1 .. $runs) {
    my @forms = forms(photo($run, 20_000));
    my $body = $KTP::Upstream::Body =~ s/SPECIMEN/SPECIMEN $run/r;
    my $log = () = logged($nginx);
    my @old = $nginx->workers;
    my $gate = $nginx->prefix . "/gate-$run";

    # on a busy machine, clients take longer to begin
    $upstream->reset;
    $upstream->answer({ delay => (1 + rand) * $slow }, { until => $gate },
                      KTP::Upstream::response('200 OK', $body));

    my ($lines, $failed) = processes($clients, sub {
        my ($i) = @_;
        my %client;

        return map {
            my $got = client_post(\%client, $port, "/d?id=$run-$i-$_",
                                  $forms[($i + $_) % @forms]);

            join ' ', $got->{status}, md5_hex($got->{body} // '');
        } 1 .. $each;
    }, sub {
        ok($upstream->wait_calls(1), "run $run: the call is made");
        ok(KTP::Nginx::wait_for(sub {
            gauge($nginx, 'ktp_waiting_requests') >= $clients / 2
        }, 20), 'others wait for it');
        $nginx->signal('HUP');
        ok(KTP::Nginx::wait_for(sub { $nginx->workers > @old }, 20),
           'there are two generations');
        KTP::Nginx::write_file($gate, '');
    });

    my %got;
    $got{$_}++ for @$lines;

    is($failed, 0, "run $run: the clients ended well");
    is_deeply(\%got, { '200 ' . md5_hex($body) => $clients * $each },
              'every upload has the same answer') or diag(explain(\%got));
    is(scalar($upstream->calls), 1, 'of one call');

    # a line is written after the answer
    my @logged;

    ok(KTP::Nginx::wait_for(sub {
        (@logged = logged($nginx)) >= $log + $clients * $each
    }), 'the log has a line for each');

    my (%source, %pid, %billed);

    for (@logged[$log .. $#logged]) {
        $source{ $_->{source} }++;
        $pid{ $_->{pid} }++;
        $billed{ $_->{billed} }++;
    }

    is($source{upstream}, 1, 'one request says that it called');
    is($billed{yes}, 1, 'and is billed');
    cmp_ok($source{joined} || 0, '>=', $clients / 2, 'others joined it');
    is($source{upstream} + $source{joined} + ($source{replayed} || 0),
       $clients * $each, 'or had a stored answer')
        or diag(explain(\%source));
    cmp_ok(scalar(grep { $pid{$_} } @old), '>', 1, 'several old workers');
    cmp_ok(scalar(keys %pid), '>', scalar(@old), 'and new ones had a part');

    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 4 }, 10),
       'the old workers left');
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'nobody waits');
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'for no call');
}

$nginx->stop('QUIT');
unlike($nginx->log_from, qr/\[(?:alert|crit|emerg|error)\]/, 'a clean log');

done_testing();
