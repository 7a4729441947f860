# A reload, a quit and an upgrade of the binary lose no request, and what is
# old leaves when its last request ends.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'processes are found by /proc' unless -e "/proc/$$/stat";

my $slow = $KTP::Nginx::Slow;
my $image = jpeg(800, 600, size => 50_000);
my @head = ('Content-Type: image/jpeg');
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $upstream = KTP::Upstream->new;
my $url = $upstream->url;

# an upgraded binary gets the environment from here
my %opt = (
    log_level => 'notice', master => 'on', workers => 2,
    main => KTP::load_module() . "\n$KTP::Nginx::Environment",
    server => "location = /e { ktp_pass $url/x; }",
);


# Clients that ask one after the other until they are stopped; how many
# answers were right, and what the others were.
sub load_start {
    my ($port, $dir) = @_;

    return map {
        my $pid = fork;
        die "fork: $!" unless defined $pid;

        unless ($pid) {
            my ($right, @wrong) = (0);

            until (-e "$dir/stop") {
                my $answer = eval { post($port, '/e', $image, @head) };

                if ($answer && $answer->{status} == 200) {
                    $right++;
                } else {
                    push @wrong, $answer ? $answer->{status} : $@;
                }
            }

            KTP::Nginx::write_file("$dir/load.$$", "$right @wrong");
            POSIX::_exit(0);
        }

        $pid;
    } 1 .. 3;
}


sub load_end {
    my ($dir, @pids) = @_;

    KTP::Nginx::write_file("$dir/stop", '');
    waitpid $_, 0 for @pids;

    my ($total, $wrong) = (0, '');

    for my $file (map { "$dir/load.$_" } @pids) {
        my ($right, $rest) = KTP::Nginx::read_file($file) =~ /^(\d+) (.*)/s;

        $total += $right;
        $wrong .= $rest;
    }

    unlink "$dir/stop";

    return ($total, $wrong);
}


# -- reloads

{
    my $nginx = KTP::Nginx->new;
    my $dir = $nginx->prefix;

    $nginx->start($nginx->config(%opt)) or BAIL_OUT($nginx->complaint);
    $upstream->answer({delay => 0.02}, $good);

    my @load = load_start($nginx->port, $dir);

    for my $n (1 .. 20) {
        $nginx->signal('HUP');
        KTP::Nginx::wait_for(sub {
            2 * ($n + 1) == (() = $nginx->log_from =~ /start worker process /g)
        });

        # under valgrind a worker needs a second to begin: 40 at a time would
        # leave none for an answer
        KTP::Nginx::wait_for(sub { $nginx->workers == 2 })
            if $KTP::Nginx::Valgrind;
    }

    my ($right, $wrong) = load_end($dir, @load);

    is($wrong, '', 'every request over 20 reloads is answered');
    cmp_ok($right, '>=', 20, 'and there were some');
    is((() = $nginx->log_from =~ /start worker process /g), 42,
       'there were 20 reloads');

    # a call that an old worker has
    my $gate = "$dir/gate";
    $upstream->reset;
    $upstream->answer({until => $gate}, $good);

    my $call = post_begin($nginx->port, '/e', $image, @head);
    $call->{sock}->print($call->{out});
    $call->{sock}->flush;
    $call->{out} = '';
    ok($upstream->wait_calls(1), 'a call is at the upstream');

    my %old = map { $_ => 1 } $nginx->workers;
    $nginx->signal('HUP');

    my @left;
    ok(KTP::Nginx::wait_for(sub {
        my @now = $nginx->workers;
        @left = grep { $old{$_} } @now;
        return @left == 1 && @now == 3;
    }), 'after a reload, one old worker is left');

    KTP::Nginx::write_file($gate, '');
    is(answer_of($call)->{status}, 200, 'its call is answered');

    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($left[0]) }),
       'and it leaves');

    # quit
    unlink $gate;
    $upstream->reset;
    $upstream->answer({until => $gate}, $good);

    $call = post_begin($nginx->port, '/e', $image, @head);
    $call->{sock}->print($call->{out});
    $call->{sock}->flush;
    $call->{out} = '';
    $upstream->wait_calls(1);
    $nginx->signal('QUIT');

    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 1 }),
       'a quit leaves the worker that has a call');
    KTP::Nginx::write_file($gate, '');
    is(answer_of($call)->{status}, 200, 'it is answered');
    ok($nginx->wait_end, 'then all is over');
    is($nginx->status, 0, 'with no error');
    unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');
}


# -- a new binary

{
    my $nginx = KTP::Nginx->new;
    my $dir = $nginx->prefix;

    $upstream->reset;
    $upstream->answer({delay => 0.02}, $good);
    $nginx->start_daemon($nginx->config(%opt))
        or BAIL_OUT($nginx->complaint);

    my $old = $nginx->daemon_pid;
    my @load = load_start($nginx->port, $dir);

    kill 'USR2', $old;
    ok(KTP::Nginx::wait_for(sub {
        $nginx->daemon_pid('.oldbin') == $old && $nginx->daemon_pid
    }), 'USR2 starts another binary');

    my $new = $nginx->daemon_pid;

    KTP::Nginx::wait_for(sub { KTP::Nginx::children($new) == 2 });
    kill 'WINCH', $old;
    ok(KTP::Nginx::wait_for(sub {
        !grep { $_ != $new } KTP::Nginx::children($old)
    }), 'WINCH ends the old workers');

    kill 'QUIT', $old;
    ok(KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($old) }),
       'QUIT ends the old master');
    is($nginx->daemon_pid, $new, 'the new one serves');

    sleep 0.1;
    my ($right, $wrong) = load_end($dir, @load);

    is($wrong, '', 'every request over an upgrade is answered');
    cmp_ok($right, '>=', 3, 'and there were some');
    unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');
}

# One process with no master would unmap the zone that it counts in.

{
    my $nginx = KTP::Nginx->new;
    my %single = (main => KTP::load_module(), server => $opt{server});

    $upstream->reset;
    $nginx->start($nginx->config(%single, http => 'ktp_zone z:1m;'))
        or BAIL_OUT($nginx->complaint);
    is(post($nginx->port, '/e', $image, @head)->{status}, 200,
       'a connection to keep, counted in a zone');

    KTP::Nginx::write_file($nginx->prefix . '/conf/nginx.conf',
                           $nginx->config(%single));
    $nginx->signal('HUP');

    # OpenResty ends such a process instead
    ok($nginx->wait_log(qr/"ktp_zone"[ ]cannot[ ]be[ ]removed[ ]by[ ]reload[ ]
                           with[ ] | \(SIGHUP\)[^\n]*,[ ]exiting/x),
       'with no master the zone stays');

    $nginx->stop('QUIT');
    is($nginx->status, 0, 'and the connection is closed');
}

done_testing();
