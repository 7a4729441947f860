# The time of an answer tells nothing of clients and keys: 20,000 tries with
# an unknown client, a client with a wrong key, and one with the right key
# and a wrong body, which the status tells apart anyway.  A right key may take
# a little longer: it does by .2 to .6 of 70 microseconds on some processors.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Nginx;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

plan(skip_all => 'instrumented code takes a time of its own')
    if $KTP::Nginx::Variant ne 'release' || $KTP::Nginx::Valgrind;

# On a processor each: on one of both the client would be woken when the log
# phase is over, whose time is that of the counters of one client or of those
# of nobody, and is in no answer.
my @processors = processors();

plan(skip_all => 'there is one processor only') if @processors < 2;
run_on($processors[0], $$);

# Several processes, for where one's code and data came to lie makes a
# difference of its own; many names, for what was looked up is in the cache.
my $processes = 5;
my $tries = 4_000;
my $clients = 1_000;

# Half of the tries have the right key: what the processor foresees is what
# comes more often.
my @kinds = qw(right right unknown wrong);

# In standard deviations.  For two refusals; a twentieth of a microsecond is
# about that much.  For a refusal and a right key: a refusal that does not go
# the way of a wrong body is 18 to 33 away.
my %limit = (wrong => 5, right => 12);

my $config = join "\n", 'keepalive_requests 1000000;', 'ktp_zone k:8m;', map {
    my $name = name($_);
    my $hash = sha256_hex("key of $name");
    "ktp_client $name { key_sha256 $hash; quota 1000000/day; rate 1000000/s; }"
} 1 .. $clients;

srand 7;

my %answers;
my @times = map { measure() } 1 .. $processes;

is_deeply([grep { !/^(?:right HTTP\S+ 400|(?:unknown|wrong) HTTP\S+ 401) .*\}$/s }
           keys %answers],
          [], 'each try has its whole answer');

for my $kind (qw(right unknown wrong)) {
    diag("$kind: ", join ', ', map {
        my @t = sort { $a <=> $b } @{ $_->{$kind} };
        sprintf '%.2f us', 1e6 * $t[@t / 2];
    } @times);
}

for (['unknown', 'wrong', 'no such client, and a wrong key'],
     ['unknown', 'right', 'no such client, and the right key'],
     ['wrong', 'right', 'a wrong key, and the right one'])
{
    my ($one, $other, $name) = @$_;
    my $z = z($one, $other);

    diag(sprintf '%s: z = %.2f', $name, $z);
    cmp_ok(abs $z, '<', $limit{$other}, "$name: the same time");
}

done_testing();


# The numbers of those that this process may run on.
sub processors {
    my ($list) = KTP::Nginx::read_file('/proc/self/status')
        =~ /^Cpus_allowed_list:\s*(\S+)/m;

    return map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split /,/, $list;
}


sub run_on {
    my ($processor, $pid) = @_;

    system("taskset -cp $processor $pid > /dev/null") == 0
        or BAIL_OUT("taskset: $?");
}


sub name { return sprintf 'client-%04d', $_[0] }


# The same bytes on the wire but for the name and the key.
sub request {
    my ($kind) = @_;

    my $n = 1 + int rand $clients;
    my $none = $clients + 1 + int rand 8 * $clients;
    my $name = name($kind eq 'unknown' ? $none : $n);
    my $key = 'key of ' . name($kind eq 'wrong' ? $none : $n);

    return "POST /e HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         . "App-ID: $name\r\nAPI-Key: $key\r\nContent-Length: 2\r\n\r\n[]";
}


# The times of one process, by kind, in random order over one connection.
sub measure {
    my $nginx = KTP::Nginx->new;

    $nginx->start($nginx->config(
        log_level => 'error', main => KTP::load_module(), http => $config,
        server => <<'EOC')) or BAIL_OUT($nginx->complaint);
        location = /e { ktp_auth on; ktp_pass http://127.0.0.1:1/x; }
EOC

    run_on($processors[1], $nginx->pid);

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);
    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;

    my %times;

    # Each kind by itself, for what comes after an answer may be felt by the
    # next one: the log and counters there, and here whatever depends on the
    # kind.
    for (1 .. $tries) {
        my $kind = $kinds[rand @kinds];
        my $request = request($kind);
        my $start = clock_gettime(CLOCK_MONOTONIC);

        syswrite $sock, $request;
        sysread $sock, my $answer, 4096;

        my $end = clock_gettime(CLOCK_MONOTONIC);

        push @{ $times{$kind} }, $end - $start;
        $answers{"$kind $answer"}++;
    }

    return \%times;
}


# How far the share of pairs of which the first is the shorter is from a
# half, in standard deviations; pairs are of the same process.
sub z {
    my ($one, $other) = @_;
    my ($sum, $variance) = (0, 0);

    for (@times) {
        my ($d, $v) = rank_sum(@$_{$one, $other});
        $sum += $d;
        $variance += $v;
    }

    return $sum / sqrt $variance;
}


# Mann and Whitney: pairs of which the first is the shorter, over a half, and
# the variance of their count.  The slow tries of a busy machine weigh no
# more than others.
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

    return ($n * $m / 2 - $u, $n * $m * ($n + $m + 1) / 12);
}
