# The time of an answer tells nothing of clients and keys: 20,000 tries with
# an unknown client, a client with a wrong key, and one with the right key
# and a wrong body, in random order over one connection.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Nginx;
use List::Util qw(shuffle);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

plan(skip_all => 'instrumented code takes a time of its own')
    if $KTP::Nginx::Variant ne 'release' || $KTP::Nginx::Valgrind;

my $tries = 20_000;
my $nginx = KTP::Nginx->new;

# clients beside, so that a look-up has some way to go
my $clients = join "\n", map {
    my $name = sprintf 'client-%04d', $_;
    "ktp_client $name { key_sha256 " . sha256_hex("key of $name") . '; }'
} 1 .. 1000;

$nginx->start($nginx->config(log_level => 'error', main => KTP::load_module(),
                             http => "keepalive_requests 1000000;\n$clients",
                             server => <<'EOC'))
        location = /e { ktp_auth on; ktp_pass http://127.0.0.1:1/x; }
EOC
    or BAIL_OUT($nginx->complaint);

# the same bytes on the wire but for the name and the key
sub request {
    my ($name, $key) = @_;

    return "POST /e HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         . "App-ID: $name\r\nAPI-Key: $key\r\nContent-Length: 2\r\n\r\n[]";
}

my %requests = (
    unknown => [request('client-9999', 'key of client-0500'), 401],
    wrong   => [request('client-0500', 'key of client-9999'), 401],
    right   => [request('client-0500', 'key of client-0500'), 400],
);

my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $nginx->port);
setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;

my (%times, $bad);
srand 7;

for (1 .. $tries / 3) {
    for my $kind (shuffle sort keys %requests) {
        my ($request, $status) = @{ $requests{$kind} };
        my $start = clock_gettime(CLOCK_MONOTONIC);

        syswrite $sock, $request;
        sysread $sock, my $answer, 4096;
        push @{ $times{$kind} }, clock_gettime(CLOCK_MONOTONIC) - $start;

        $bad++ if $answer !~ m{^HTTP/1\.1 $status .*\}\s*$}s;
    }
}

is($bad, undef, 'each try has its whole answer');

my %median = map {
    my @t = sort { $a <=> $b } @{ $times{$_} };
    $_ => 1e6 * $t[@t / 2];
} keys %times;

diag(join ', ', map { sprintf '%s %.2f us', $_, $median{$_} }
                sort keys %median);

# What is told before it is certain who calls: no effect at all may be seen.
my $z = rank_sum(@times{qw(unknown wrong)});
diag(sprintf 'unknown against wrong: z = %.2f', $z);
cmp_ok(abs $z, '<', 4.5,
       'a client that there is not, and a wrong key: the same time');

# The status tells these apart anyway; what the body costs must not be more
# than a tenth of the answer.
for my $kind (qw(unknown wrong)) {
    cmp_ok(abs($median{right} - $median{$kind}), '<', 0.1 * $median{$kind},
           "$kind, and the right key with a wrong body: about the same");
}

done_testing();


# Mann and Whitney: how far the share of pairs of which the first is the
# shorter is from a half, in standard deviations.  The slow tries of a busy
# machine weigh no more than others.
sub rank_sum {
    my ($x, $y) = @_;

    my @all = sort { $a->[0] <=> $b->[0] }
              map({ [$_, 1] } @$x), map({ [$_, 0] } @$y);
    my ($n, $m) = (scalar @$x, scalar @$y);
    my $sum = 0;

    # ties have the mean of their ranks
    for (my $i = 0; $i < @all;) {
        my $j = $i;
        $j++ while $j < @all && $all[$j][0] == $all[$i][0];
        $sum += grep({ $_->[1] } @all[$i .. $j - 1]) * ($i + $j + 1) / 2;
        $i = $j;
    }

    my $u = $sum - $n * ($n + 1) / 2;
    my $sd = sqrt($n * $m * ($n + $m + 1) / 12);

    return ($n * $m / 2 - $u) / $sd;
}
