# What is read from a card and stored is nowhere in the clear once the answer
# has been sent: not in memory that workers share, nor in what a worker has of
# its own, nor in a core dump, nor in a log.

use strict;
use warnings;

use lib 't/lib';
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

plan skip_all => 'memory is read through /proc' unless -r "/proc/$$/mem";

my $upstream = KTP::Upstream->new;
my $good = KTP::Upstream::response('200 OK',
    '{"message":"ok","status_code":"V-1","data":{"nik":"3171234567890001",'
    . '"full_name":"SITI CANARY WULANDARI","address":"JALAN KENARI 5"}}');
my @secret = ('3171234567890001', 'CANARY WULANDARI', 'KENARI 5');
my $instrumented = $KTP::Nginx::Variant eq 'asan' || $KTP::Nginx::Valgrind;

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;

start($nginx, $upstream->url, workers => 2, main => <<EOM, http => <<EOH,
worker_rlimit_core 4096m;
working_directory $prefix;
EOM
    ktp_idempotency on;
EOH
      server => <<EOC) or BAIL_OUT($nginx->complaint);
    location = /masked { ktp_pass @{[$upstream->url]}/x; ktp_mask nik=last:4; }
EOC

my @workers = $nginx->workers;
my @forms = forms(photo(1, 20_000));

my $gate = "$prefix/gate";
$upstream->answer({ until => $gate }, $good);

my $leader = begin($nginx, $workers[0], $forms[0]);
ok($upstream->wait_calls(1), 'a call');
my @waiters = map { begin($nginx, $workers[$_ % 2], $forms[$_]) } 0 .. 2;
ok(wait_gauge($nginx, 'ktp_waiting_requests', 3), 'three wait for it');

KTP::Nginx::write_file($gate, '');
like(answer_of($_)->{body}, qr/$secret[0].*$secret[1]/, 'the card is read')
    for $leader, @waiters;

# replays: as it is, masked, and under an idempotency key
for my $pid (@workers) {
    like(answer_of(begin($nginx, $pid, $forms[1]))->{body}, qr/$secret[0]/,
         'a replay');
    like(answer_of(begin($nginx, $pid, $forms[1], headers => [
            'Idempotency-Key: key-1']))->{body}, qr/$secret[0]/,
         'with an idempotency key');
    unlike(answer_of(begin($nginx, $pid, $forms[0], uri => '/masked'))->{body},
           qr/$secret[0]/, 'a masked one');
}

is(scalar($upstream->calls), 1, 'all are of one call');

for my $pid (@workers) {
    my $shared = memory($pid, 1);

    cmp_ok(length $shared, '>', 4 << 20, "shared memory of $pid is read");
    is(found($shared), '', "$pid: nothing in shared memory");

    SKIP: {
        skip 'freed memory is kept by the sanitizers', 1 if $instrumented;
        is(found(memory($pid, 0)), '', "$pid: nor in its own");
    }
}

is(found(memory($nginx->pid, 1)), '', 'nor in what the master shares');

# what the upstream has read is in this process: the scan finds it
cmp_ok(length found(memory($$, 0)), '>', 0, 'the scan finds what is there');

# pages of the zone and of its keys are not dumped, sealed as they are
my $maps = KTP::Nginx::read_file("/proc/$workers[0]/smaps");

cmp_ok(scalar(grep { /^Size: +4096 kB/m && /^VmFlags:.* sh.* dd\b/m }
              split /^(?=[0-9a-f]+-[0-9a-f]+ )/m, $maps), '==', 1,
       'the zone is left out of core dumps');

SKIP: {
    my $pattern = KTP::Nginx::read_file('/proc/sys/kernel/core_pattern');

    skip 'no core dump to be had here', 3
        if $pattern !~ m{^core$}m || $instrumented;

    kill 'ABRT', $workers[0];
    ok($nginx->wait_log(qr/$workers[0] exited on signal 6/), 'a crash');

    my ($core) = grep { -s } glob "$prefix/core*";
    my $dump = $core ? KTP::Nginx::read_file($core) : '';

    cmp_ok(index($dump, "$prefix/"), '>=', 0, 'with a core dump');
    is(found($dump), '', 'which has nothing either');
    unlink $core if $core;
}

$nginx->stop('QUIT');

for my $file (glob "$prefix/logs/*") {
    is(found(KTP::Nginx::read_file($file)), '', "nothing in $file");
}

done_testing();


# What mappings of a process hold: those that are shared, or its own.
sub memory {
    my ($pid, $shared) = @_;

    no warnings 'portable'; # of addresses with more than 32 bits
    my $text = '';

    open my $mem, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";

    for (split /\n/, KTP::Nginx::read_file("/proc/$pid/maps")) {
        my ($from, $to, $mode) = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/;

        next if $mode !~ /^r/ || /\[v/ || ($mode =~ /s$/ xor $shared);

        sysseek $mem, hex $from, 0;

        for (my $left = hex($to) - hex $from; $left > 0; ) {
            my $n = sysread $mem, my $piece, $left > 1 << 20 ? 1 << 20 : $left;

            last unless $n;
            $text .= $piece;
            $left -= $n;
        }
    }

    return $text;
}


# Which of the secrets are in a text.
sub found {
    my ($text) = @_;

    return join ', ', grep { index($text, $_) >= 0 } @secret;
}
