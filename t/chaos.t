# An upstream that misbehaves at random, clients that come and go, reloads:
# in the end every request had one answer or one abort, and nothing is left.
#
# KTP_CHAOS_SEED and KTP_CHAOS_SECONDS choose another run, and a longer one.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{KTP_CHAOS_SEED} || 20260101;
my $seconds = $ENV{KTP_CHAOS_SECONDS} || 2;
my $slow = $KTP::Nginx::Slow;
my $clients = 4;

my $nginx = KTP::Nginx->new(resolver => 1);
my $up = KTP::Upstream->new;
my $url = $up->url;
my $dir = KTP::Nginx::scratch_dir();

$nginx->hosts(['up.test', '127.0.0.1', 50]);

my ($read, $whole) = (300 * $slow, 700 * $slow);
my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$arg_id \$status \$ktp_outcome \$ktp_billed';
    access_log logs/ktp.log ktp;
    ktp_connect_timeout ${read}ms;
    ktp_read_timeout ${read}ms;
    ktp_timeout ${whole}ms;
    ktp_keepalive_timeout 1s;
    ktp_max_inflight 6;
    ktp_image_url fetch;
    ktp_image_url_allow 127.0.0.0/8;
    ktp_image_url_timeout ${read}ms;
EOC
    server => <<"EOC",
        location = /buffered { ktp_pass $url/v2; }
        location = /streamed { ktp_pass $url/v2; ktp_request_buffering off; }
        location = /named {
            ktp_pass http://up.test:@{[$up->port]}/v2;
            ktp_ignore_client_abort on;
            ktp_keepalive 0;
        }
EOC
    master => 'on', workers => 2, log_level => 'info');

my $log_start = 0;

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);
diag("seed $seed, KTP_CHAOS_SEED=$seed runs it again")
    if $ENV{KTP_CHAOS_SECONDS};

ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }), 'with two workers');


# -- the clients

my @images = (jpeg(800, 600, size => 30_000), png(800, 600, size => 90_000),
              png(800, 600, size => 700_000));
my @bodies = (
    (map { ['application/json', json_body($_)] } @images),
    (map { ['image/jpeg', $_] } @images),
    (map { ['multipart/form-data; boundary=ktp',
            multipart(['image', $_, 'a', 'image/png'])] } @images),
    ['application/json', "{\"image\":\"$url/a.jpg\"}"],
    ['application/json', json_body(substr $images[1], 0, 40_000)],
    ['application/json', json_body($images[0]) . '}'],
    ['image/png', 'nonsense'],
);

# One request; what became of it: a status, "none" for an end without an
# answer, or "gone" when the client left by itself.
sub request {
    my ($id) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port)
        or return 'none';
    my ($type, $body) = @{ $bodies[rand @bodies] };
    my $uri = (qw(buffered streamed named))[rand 3];
    my $out = "POST /$uri?id=$id HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            . "Content-Type: $type\r\n";

    if (rand() < 0.3) {
        $out .= "Transfer-Encoding: chunked\r\n\r\n"
              . chunked($body, 1 + int rand 60_000);

    } else {
        $out .= 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    }

    my $leave = rand() < 0.2 ? int rand length $out : -1;
    my $piece = rand() < 0.3 ? 1 + int rand 40_000 : length $out;

    for (my $at = 0; $at < length $out; ) {
        my $n = syswrite $sock, $out, $piece, $at;

        # refused early: there is an answer to read
        last unless $n;

        $at += $n;
        return 'gone' if $leave >= 0 && $at >= $leave;
        sleep rand 0.01 if $piece < length $out;
    }

    if (rand() < 0.1) {
        sleep rand 0.1;
        return 'gone';
    }

    my $in = '';

    1 while sysread $sock, $in, 65536, length $in;

    return 'none' unless $in =~ m{\AHTTP/1\.1 (\d+) };

    my $status = $1;
    my ($length) = $in =~ /^Content-Length: (\d+)\r$/mi;
    my $end = index $in, "\r\n\r\n";

    return defined $length && length($in) - $end - 4 == $length
        ? $status : "broken answer of $status";
}

sub client {
    my ($phase, $i, $until) = @_;

    local $SIG{PIPE} = 'IGNORE';
    srand $seed * 1000 + $phase * 100 + $i;

    open my $out, '>', "$dir/$phase-$i" or die "$dir/$phase-$i: $!\n";

    # on a machine that is busy, some requests nevertheless
    for (my $n = 0; time() < $until || $n < 15; $n++) {
        my $id = "$phase-$i-$n";
        my $fate = request($id);

        print $out "$id $fate\n";
    }

    close $out;
}

# Runs all clients for a time; "during" is called meanwhile.
sub chaos {
    my ($phase, $time, $during) = @_;

    my $until = time() + $time;
    my @pids = map {
        my $pid = fork // die "fork: $!\n";

        unless ($pid) {
            $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
            eval { client($phase, $_, $until) };
            POSIX::_exit($@ ? 1 : 0);
        }

        $pid;
    } 1 .. $clients;

    $during->() while $during && time() < $until - 0.3;

    my $failed = 0;

    for my $pid (@pids) {
        waitpid $pid, 0;
        $failed++ if $?;
    }

    is($failed, 0, "phase $phase: the clients ended well");
}

sub descriptors {
    my ($pid) = @_;

    return scalar(() = glob "/proc/$pid/fd/*");
}

sub rss {
    my ($pid) = @_;

    return KTP::Nginx::read_file("/proc/$pid/status")
        =~ /^VmRSS:\s+(\d+)/m ? $1 : 0;
}

# Whether a process has slept for a while, with its event loop made.
sub rests {
    my ($pid) = @_;

    for (1 .. 10) {
        return 0 if KTP::Nginx::read_file("/proc/$pid/stat") !~ /^.*\) S /
            || !grep { (readlink || '') eq 'anon_inode:[eventpoll]' }
               glob "/proc/$pid/fd/*";
        sleep 0.005 * $slow;
    }

    return 1;
}

# What a worker has that has nothing to do.
my ($first) = $nginx->workers;
ok(KTP::Nginx::wait_for(sub { rests($first) }), 'a worker is ready');
my $baseline = descriptors($first);

$up->answer({ random => $seed });

my %seen = map { $_ => 1 } $nginx->workers;

chaos(1, $seconds, sub {
    $nginx->signal('HUP');
    sleep 0.25 * $slow;
    $seen{$_} = 1 for $nginx->workers;
});

# the last reload is over when all but two workers are gone
ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }), 'the old workers left');

my @workers = $nginx->workers;

chaos(2, $seconds);

sub settled {
    return KTP::Nginx::wait_for(sub {
        !grep { descriptors($_) > $baseline } @workers;
    });
}

ok(settled(), "descriptors are back at $baseline")
    or diag(join ' ', map { descriptors($_) } @workers);

my %before = map { $_ => rss($_) } @workers;

chaos(3, $seconds);
ok(settled(), "and again")
    or diag(join ' ', map { descriptors($_) } @workers);

SKIP: {
    skip 'memory of an instrumented nginx says nothing', 1 if $slow > 1;

    my @grown = grep { rss($_) - $before{$_} > 12_000 } @workers;

    is(scalar @grown, 0, 'memory does not grow')
        or diag(join ' ', map { rss($_) - $before{$_} } @workers);
}

is_deeply([sort { $a <=> $b } $nginx->workers],
          [sort { $a <=> $b } @workers], 'no worker died');

$nginx->signal('QUIT');
ok($nginx->wait_end, 'nginx quits');


# -- every request had one answer or one abort

my (%logged, %count);

for (split /\n/, KTP::Nginx::read_file($nginx->prefix . '/logs/ktp.log')) {
    my ($id, $status, $outcome) = split;

    push @{ $logged{$id} }, "$status $outcome";
}

my (@lost, @twice, @differ);

for my $file (glob "$dir/*") {
    for (split /\n/, KTP::Nginx::read_file($file)) {
        my ($id, $fate) = /^(\S+) (.*)$/;
        my @lines = @{ $logged{$id} || [] };

        $count{$fate}++;
        push @lost, "$id $fate" if $fate !~ /^\d+$|^gone$/;
        push @twice, "$id @lines" if @lines > 1;
        push @differ, "$id $fate, logged as @lines"
            if $fate =~ /^\d+$/ && (@lines != 1 || $lines[0] !~ /^$fate /);
    }
}

is_deeply(\@lost, [], 'no request is without an answer');
is_deeply(\@twice, [], 'none has two');
is_deeply(\@differ, [], 'the log has what the client got');
is_deeply([grep { !/^(?:200|400|403|502|503|504|gone)$/ } keys %count], [],
          'nothing unforeseen came')
    or diag(join ', ', map { "$_: $count{$_}" } sort keys %count);
cmp_ok($count{200} || 0, '>', 10, 'some went well');
cmp_ok($count{502} || 0, '>', 1, 'some did not');
note(join ', ', map { "$_: $count{$_}" } sort keys %count);

my $log = $nginx->log_from($log_start);

unlike($log, qr/\[(alert|crit|emerg)\]/, 'nothing alarming');

done_testing();
