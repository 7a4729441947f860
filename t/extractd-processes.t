# ktp-extractd: its processes.  A worker that is stopped by a signal stands
# for one that takes long, so that nothing here depends on a race.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use Time::HiRes qw(sleep time);
use lib "$Bin/lib";

use KTP::Extractd;
use KTP::Image;
use KTP::Nginx;
use KTP::Specimen;

plan skip_all => 'no /proc is mounted here' unless -e "/proc/$$/stat";

my ($card, $truth) = KTP::Specimen::draw(1);
my ($page) = KTP::Specimen::draw(1, '--page', '--size', '800x560');

my $Slow = $KTP::Nginx::Slow;


sub gone { return !-e "/proc/$_[0]" }


# Whether all of them end within some seconds.
sub all_gone {
    my (@pids) = @_;

    my $deadline = time() + 60 * $Slow;

    while (grep { !gone($_) } @pids) {
        return 0 if time() > $deadline;
        sleep 0.005;
    }

    return 1;
}


sub proc_status {
    my ($pid, $name) = @_;

    my ($value) = KTP::Nginx::read_file("/proc/$pid/status")
        =~ /^\Q$name\E:\s*(.*)$/m;

    return $value;
}


# Bytes of a process's data, which its limit of memory counts.
sub data_size { return 1024 * (proc_status($_[0], 'VmData') =~ s/ kB//r) }


# Ticks of the processor that the children took that have ended.
sub children_time {
    my ($d) = @_;

    my $stat = KTP::Nginx::read_file('/proc/' . $d->pid . '/stat');
    my @fields = split ' ', $stat =~ s/^.*\) //r;

    # cutime and cstime, fields 16 and 17 of proc(5), here from the third on
    return $fields[13] + $fields[14];
}


# Waits until the HTTP process sleeps again.  What was sent before this is
# then with a worker or in the queue: the kernel woke it with the first byte.
sub wait_bound {
    my ($d) = @_;

    my $deadline = time() + 60 * $Slow;
    my $http = $d->http_pid;

    until (KTP::Nginx::read_file("/proc/$http/stat") =~ /^\d+ \(.*\) S /) {
        die "the HTTP process does not rest\n" if time() > $deadline;
        sleep 0.002;
    }
}


# -- what each process gave up

{
    my $d = KTP::Extractd->new('--workers', 2);
    my @workers = $d->workers(2);
    my %processes = (master => $d->pid, 'HTTP process' => $d->http_pid,
                     worker => $workers[0]);

    for my $name (sort keys %processes) {
        my $pid = $processes{$name};
        my $limits = KTP::Nginx::read_file("/proc/$pid/limits");

        is(proc_status($pid, 'Seccomp'), 2, "$name: under a seccomp filter");
        is(proc_status($pid, 'NoNewPrivs'), 1, "$name: no new privileges");
        is(proc_status($pid, 'Threads'), 1, "$name: one thread");
        like($limits, qr/^Max core file size\s+0\s+0\s/m,
             "$name: no core dump");
        next if $name eq 'master';
        like($limits, qr/^Max processes\s+0\s+0\s/m, "$name: no processes");
    }

  SKIP: {
    skip 'not root: a process that is not dumpable is not shown', 5
        if $> != 0;

    my $pid = $workers[0];
    my @links = map { readlink } glob "/proc/$pid/fd/*";

    is(scalar(@links), 4, 'a worker has four descriptors');
    is(scalar(grep { m{^/dev/null$} } @links),
       $KTP::Nginx::Variant eq 'asan' ? 2 : 3, 'its standard ones are void');
    is(scalar(grep { /^socket:/ } @links), 1, 'and one is its channel');

    my @maps = KTP::Nginx::read_file("/proc/$pid/maps")
        =~ /^(\S+ \S+) \S+ \S+ \d+\s+\/dev\/zero \(deleted\)$/mg;
    is(scalar(@maps), 1, 'a worker sees the memory of its own slot only');
    like($maps[0], qr/ r--s$/, 'and cannot write to it');
  }
}


# -- one card, one process

{
    my $d = KTP::Extractd->new('--workers', 1);
    my ($first) = $d->workers;

    is($d->request(body => $page)->{status}, 400, 'a first image');

    my ($second) = $d->workers;

    isnt($second, $first, 'the next image has a worker of its own');
    ok(gone($first), 'and the first one has ended');
}


# -- a crash

# AddressSanitizer would report a SEGV that was sent as one of the program's
my $crash = $KTP::Nginx::Variant eq 'asan' ? 'ABRT' : 'SEGV';

for my $signal ($crash, 'KILL') {

    # this one is no finding
    local $KTP::Extractd::Asan_options
        = "$KTP::Extractd::Asan_options:handle_segv=0";

    my $d = KTP::Extractd->new('--workers', 2);
    my @workers = $d->workers(2);

    kill 'STOP', @workers;
    my @open = map { $d->send(body => $card) } 1 .. 2;
    wait_bound($d);
    kill $signal, $workers[0];
    kill 'CONT', @workers;

    my @answers = sort { $a->{status} <=> $b->{status} }
                  map { $_->answer } @open;

    is($answers[0]{status}, 200, "$signal: the other request is answered");
    is($answers[0]{json}{data}{nik}, $truth->{nik}, "$signal: and rightly");
    is($answers[1]{status}, 500, "$signal: the request with it gets a 500");
    is($answers[1]{json}{error_code}, 'INTERNAL_SERVER_ERROR',
       "$signal: and the code");
    is($d->request(body => $card)->{status}, 200,
       "$signal: the next one is answered");
    like($d->log, qr/worker \d was ended by signal \d+\n/, "$signal: told");
}

{
    my $d = KTP::Extractd->new('--workers', 1);
    my ($pid) = $d->workers;

    kill 'KILL', $pid;
    ok(all_gone($pid), 'a worker that has nothing to do is killed');
    $d->workers;
    is($d->request(body => $page)->{status}, 400, 'and nobody notices');
}

{
    my $d = KTP::Extractd->new('--workers', 1);
    my $begun = time();

    for (1 .. 3) {
        my ($pid) = $d->workers;
        kill 'KILL', $pid;
        all_gone($pid);
    }

    $d->workers;
    cmp_ok(time() - $begun, '>', 0.9,
           'workers that end at once are not made in a loop');
}


# -- memory

SKIP: {
    skip 'AddressSanitizer has its own memory', 10
        if $KTP::Nginx::Variant eq 'asan';

    my $mb = 1024 * 1024;
    my $image = jpeg(720, 480, size => 5 * $mb);
    my $d = KTP::Extractd->new('--workers', 1, '--queue', 0);
    my ($limit) = KTP::Nginx::read_file('/proc/' . $d->http_pid . '/limits')
        =~ /^Max data size\s+(\d+)\s+\1\s/m;

    # 1 + 0 + 32 places, an image each, 64 more connections, 1 MB for each
    # connection, and 32 MB
    is($limit, (33 * 5 + 97 + 32) * $mb, 'HTTP process: a limit of memory');

    # all places but one, for in the last one yields that is quiet for a second;
    # all but their last bytes, and it has room
    my ($worker) = $d->workers;
    kill 'STOP', $worker;

    my @open = map {
        $d->send(body => substr($image, 0, -1),
                 headers => 'Content-Length: ' . length($image) . "\r\n")
    } 1 .. 32;

    ok(KTP::Nginx::wait_for(sub {
        data_size($d->http_pid) > 32 * 5 * $mb
    }), 'it holds 32 images');
    wait_bound($d);
    cmp_ok(data_size($d->http_pid), '<', 32 * 5.5 * $mb, 'and little else');

    $_->write(substr($image, -1)) for @open;
    wait_bound($d);
    kill 'CONT', $worker;

    my %statuses;
    $statuses{ $_->answer->{status} }++ for @open;
    is_deeply(\%statuses, { 400 => 1, 503 => 31 },
              'one is read, and no other waits');
    $_->close for @open;

    # with room for one and a half images
    $d = KTP::Extractd->new('--workers', 1);
    my $http = $d->http_pid;

    is(system('prlimit', '--pid', $http,
              '--data=' . (data_size($http) + int(7.5 * $mb))), 0,
       'a lower limit');

    my $first = $d->send(body => substr($image, 0, -1),
                         headers => 'Content-Length: ' . length($image)
                                    . "\r\n");
    wait_bound($d);

    my $second = $d->request(body => $image);
    is($second->{status}, 500, 'no memory for the second');
    is($second->{json}{error_code}, 'INTERNAL_SERVER_ERROR', 'and the code');
    is($first->write(substr($image, -1))->answer->{status}, 400,
       'the first one is read');
    is($d->request(body => $card)->{json}{data}{nik}, $truth->{nik},
       'and so is the next card');
    is($d->http_pid, $http, 'by the same process');
}


# -- the queue

{
    my $d = KTP::Extractd->new('--workers', 1, '--queue', 2);
    my ($pid) = $d->workers;

    kill 'STOP', $pid;
    my @open = map { $d->send(body => $page) } 1 .. 3;
    wait_bound($d);

    my $answer = $d->request(body => $page);
    is($answer->{status}, 503, 'one at work, two waiting: the fourth gets 503');
    is($answer->{json}{error_code}, 'SERVICE_UNAVAILABLE', 'and the code');
    like($answer->{head}, qr/^Retry-After: \d+\r?$/m, 'and when to return');
    cmp_ok($answer->{seconds}, '<', 15, 'at once');
    is($d->request(app_id => 'nobody')->{status}, 401,
       'a refusal needs no place in the queue');

    kill 'CONT', $pid;
    is_deeply([map { $_->answer->{status} } @open], [400, 400, 400],
              'the three before it are answered');
    is($d->request(body => $page)->{status}, 400, 'and there is room again');
}

# and clients that are gone keep no place in it
{
    my $d = KTP::Extractd->new('--workers', 1, '--queue', 2);
    my ($pid) = $d->workers;

    kill 'STOP', $pid;
    my $first = $d->send(body => $page);
    wait_bound($d);
    my @gone = map { $d->send(body => $page) } 1 .. 2;
    wait_bound($d);
    $_->close for @gone;

    my @open = map { $d->send(body => $page) } 1 .. 2;
    wait_bound($d);
    is($d->request(body => $page)->{status}, 503, 'two more, and it is full');

    kill 'CONT', $pid;
    is_deeply([map { $_->answer->{status} } $first, @open],
              [400, 400, 400], 'two have the places of the two that left');
}

{
    my $d = KTP::Extractd->new('--workers', 2, '--queue', 64,
                               '--timeout', 300);
    my @open = map { $d->send(body => $_ % 4 ? $page : $card) } 1 .. 16;
    my %statuses;

    $statuses{ $_->answer->{status} }++ for @open;
    is_deeply(\%statuses, { 200 => 4, 400 => 12 },
              'sixteen at once for two workers: each gets its own answer');
}

# a client that is gone costs no worker its time
{
    my $d = KTP::Extractd->new('--workers', 1);

    $d->request(body => $card);
    my ($pid) = $d->workers;
    my $one = children_time($d);

    kill 'STOP', $pid;
    my $first = $d->send(body => $page);
    wait_bound($d);
    my @gone = map { $d->send(body => $card) } 1 .. 5;
    wait_bound($d);
    my $last = $d->send(body => $page);
    $_->close for @gone;
    kill 'CONT', $pid;

    is($first->answer->{status}, 400, 'the one before them is answered');
    is($last->answer->{status}, 400, 'the one behind them too');

    # two pages were read and no card: five would have taken five times one
    $d->workers;
    cmp_ok(children_time($d) - $one, '<', 4 * $one,
           'and nobody has read the five cards');
}


# -- deadlines

{
    my $timeout = $Slow > 1 ? 10 : 4;
    my $d = KTP::Extractd->new('--workers', 1, '--timeout', $timeout);
    my ($pid) = $d->workers;

    # what is quickly read
    my $grey = jpeg(720, 480);

    kill 'STOP', $pid;
    my $begun = time();
    my @open = map { $d->send(body => $grey) } 1 .. 2;
    my @answers = map { $_->answer } @open;
    my $took = time() - $begun;

    is($answers[0]{status}, 504, 'a worker over its deadline: 504');
    is($answers[0]{json}{error_code}, 'INTERNAL_SERVER_ERROR', 'the code');
    cmp_ok($took, '>', $timeout - 0.1, 'not before its time');
    cmp_ok($took, '<', 2 * $timeout + 5 * $Slow, 'and not long after');
    like("$answers[1]{status}", qr/^(?:400|503)$/,
         'the one behind it has waited as long, or just found a new worker');
    ok(all_gone($pid), 'the worker is gone');
    is($d->request(body => $grey)->{status}, 400, 'the next is answered');
    like($d->log, qr/worker 0 was over its deadline\n/, 'told');
}


# -- stopping

{
    my $d = KTP::Extractd->new('--workers', 1);
    my ($pid) = $d->workers;
    my $idle = $d->connect;

    kill 'STOP', $pid;
    my @open = map { $d->send(body => $page) } 1 .. 2;
    wait_bound($d);
    $d->signal('TERM');
    ok($d->wait_for(qr/stopping/), 'SIGTERM is told');

    my $deadline = time() + 5 * $Slow;
    my $late;
    while ($late = $d->connect(may_fail => 1)) {
        last if time() > $deadline;
        sleep 0.005;
    }
    ok(!$late, 'nobody new is let in');

    kill 'CONT', $pid;
    is($_->answer->{status}, 400, 'what is in flight is answered') for @open;
    ok($d->wait_end, 'then it ends');
    is($d->status, 0, 'with exit code 0');
    ok(!-e $d->socket, 'and its socket is gone');
}

# clients that left in the middle hold up nobody
{
    my $d = KTP::Extractd->new('--workers', 1);
    my $half = int(length($card) / 2);

    for my $sent ('POST', "POST /v2/ktp/extract HTTP/1.1\r\nHost: ") {
        $d->connect->write($sent)->close;
    }

    $d->connect->send(body => substr($card, 0, $half),
                      headers => 'Content-Length: ' . length($card) . "\r\n")
               ->close;
    is($d->request(body => $page)->{status}, 400, 'it goes on');
    $d->signal('TERM');
    ok($d->wait_end(15), 'and stops at once');
    is($d->status, 0, 'with exit code 0');
}

{
    my $d = KTP::Extractd->new('--workers', 1);
    my ($pid) = $d->workers;

    kill 'STOP', $pid;
    my $open = $d->send(body => $page);
    wait_bound($d);
    my @children = $d->children;
    $d->signal('INT');
    $d->wait_for(qr/stopping/);
    $d->signal('INT');
    ok($d->wait_end(15), 'the second SIGINT does not wait');
    is($d->status, 256, 'exit code 1: something was in flight');
    ok(all_gone(@children), 'no process is left');
    ok(!-e $d->socket, 'nor its socket');
    is($open->answer, undef, 'the client sees the end');
}

{
    my $d = KTP::Extractd->new('--workers', 2);
    $d->workers(2);
    my @children = $d->children;

    kill 'KILL', $d->http_pid;
    ok($d->wait_end, 'without its HTTP process it ends');
    is($d->status, 256, 'with exit code 1');
    ok(all_gone(@children), 'and so do the workers');
    like($d->log, qr/the HTTP process ended/, 'and it is told');
}

{
    my $d = KTP::Extractd->new('--workers', 2);
    $d->workers(2);
    my @children = $d->children;

    is(scalar(@children), 3, 'an HTTP process and two workers');
    $d->signal('KILL');
    ok($d->wait_end, 'its master is killed');
    ok(all_gone(@children), 'nothing outlives it');
}


SKIP: {
    skip 'not root', 5 if $> != 0;

    my $d = KTP::Extractd->new('--workers', 1, '--user', 'nobody');
    my $uid = getpwnam 'nobody';

    for my $pid ($d->pid, $d->children) {
        is(proc_status($pid, 'Uid'), join("\t", ($uid) x 4),
           '--user: nobody, for good');
    }

    is((stat $d->socket)[4], $uid, '--user: the socket is theirs');
    is($d->request(body => $page)->{status}, 400, '--user: it answers');
}

done_testing;
