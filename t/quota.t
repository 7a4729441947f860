# Quotas and rates: exact over workers, reloads and a worker that is killed;
# counted when the vendor may bill; kept in the state file.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use IO::Select;
use IO::Socket::INET;
use KTP ();
use KTP::Error;
use KTP::Image;
use KTP::Load;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $jpeg = jpeg(720, 480);
my $hash = sha256_hex('key');
my $closed = 'http://127.0.0.1:' . KTP::Nginx::free_port();

# what the load's clients send as a client of the gateway
sub request {
    my ($client, $uri, $body) = @_;

    $body //= $jpeg;
    return "POST $uri HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
         . "App-ID: $client\r\nAPI-Key: key\r\nContent-Length: "
         . length($body) . "\r\n\r\n$body";
}

# a configuration with clients as in the hash: name => directives
sub config {
    my ($nginx, $clients, $server, %opt) = @_;

    my $zone = $opt{zone} // '1m';
    my $state = $opt{state} ? "state=$opt{state}" : '';
    my $blocks = join "\n", map {
        "    ktp_client $_ { key_sha256 $hash; $clients->{$_} }"
    } sort keys %$clients;

    return $nginx->config(
        log_level => 'info', master => 'on', workers => 4, root => 0,
        main => KTP::load_module(), http => <<EOC, server => $server, %opt);
    ktp_zone k:$zone $state;
    ktp_auth on;
    keepalive_requests 100000;
$blocks
EOC
}

sub reload {
    my ($nginx, $conf) = @_;

    my @before = $nginx->workers;

    KTP::Nginx::write_file($nginx->prefix . '/conf/nginx.conf', $conf);
    $nginx->signal('HUP');

    # until there are new ones only
    my %old = map { $_ => 1 } @before;

    KTP::Nginx::wait_for(sub {
        my @now = $nginx->workers;

        return @now == 4 && !grep { $old{$_} } @now;
    }) or fail('the old workers left');
}

# one post: its status and its body
sub post {
    my ($nginx, $client, $uri, $body) = @_;

    my $answer = KTP::Nginx::curl(
        'http://127.0.0.1:' . $nginx->port . $uri, '-H', "App-ID: $client",
        '-H', 'API-Key: key', '-H', 'Content-Type: image/jpeg',
        '--data-binary', '@' . image_file($body));

    return $answer;
}

my $Image;
sub image_file {
    my ($body) = @_;

    $Image //= KTP::Nginx::scratch_dir() . '/image';
    KTP::Nginx::write_file($Image, $body // $jpeg);

    return $Image;
}

sub statuses {
    my ($nginx, $n, @how) = @_;

    return join ' ', map { post($nginx, @how)->{status} } 1 .. $n;
}

# calls counted for a client, as the state file has them: day, month, total
sub counted {
    my ($state, $client) = @_;

    return KTP::Nginx::read_file($state)
        =~ /^\d+:(\d+) \d+:(\d+) (\d+) \Q$client\E$/m
        ? "$1 $2 $3" : 'none';
}

my ($url, $whole) = KTP::Load::upstream(2);

{
    KTP::Nginx::same_day(120, 0, 7);

    my $nginx = KTP::Nginx->new;
    my $state = $nginx->prefix . '/state';
    my $server = <<EOC;
        location = /ok { ktp_pass $url/x; }
        location = /status { ktp_auth off; ktp_status; }
EOC
    my %clients = (load     => 'quota 10000/day offset=+07:00;',
                   reloaded => 'quota 2000/total;',
                   killed   => 'quota 3000/month;');

    $nginx->start(config($nginx, \%clients, $server, state => $state))
        or BAIL_OUT($nginx->complaint);

    # -- 4 workers, 8 clients, 10,000 calls

    my $start = time();
    my $got = KTP::Load::clients($nginx->port, 8, 1280,
                                 request('load', '/ok'));

    diag(sprintf '10,240 requests in %.1f s', time() - $start);
    is_deeply($got, {200 => 10000, 403 => 240},
              '8 clients over 4 workers: 10,000 calls and not one more');
    is($whole->(), 10000, 'each of them was at the upstream');

    my $status = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port
                                  . '/status')->{body};
    my %told = $status
        =~ /^ktp_client_quota_(\w+)_calls\{client="load"\S* (\d+)$/mg;
    is_deeply(\%told, {limit => 10000, used => 10000, left => 0},
              'the metrics tell what is enforced');

    # -- two reloads meanwhile

    $got = KTP::Load::clients(
        $nginx->port, 8, 300, request('reloaded', '/ok'),
        sub {
            for my $part (0.2, 0.6) {
                KTP::Nginx::wait_for(sub {
                    $whole->() > 10000 + 2000 * $part
                });
                reload($nginx, config($nginx, \%clients, $server,
                                      state => $state));
            }
        });

    is($got->{200}, 2000, 'reloads: the calls and not one more');
    is($whole->(), 12000, 'each of them was at the upstream');
    is($nginx->log_from =~ s/reconfiguring//gr =~ /\[emerg\]/, '',
       'the reloads were right');

    # -- a worker that is killed, with at most one call of each client

    $got = KTP::Load::clients(
        $nginx->port, 8, 500, request('killed', '/ok'),
        sub {
            KTP::Nginx::wait_for(sub { $whole->() > 12000 + 1000 });
            kill 'KILL', ($nginx->workers)[0];
        });

    my $calls = $whole->() - 12000;

    cmp_ok($got->{403}, '>', 0, 'a killed worker: the quota is used up');
    cmp_ok($calls, '<=', 3000, 'by not one call too many');
    cmp_ok($calls, '>=', 3000 - 8, 'but those that it had sent');
    cmp_ok($got->{200}, '>=', $calls - 8, 'and the others were answered');
    ok($nginx->wait_log(qr/exited on signal 9/), 'it was killed');

    $nginx->stop('QUIT');

    is(counted($state, 'load'), '10000 10000 10000',
       'the state file has the calls of all periods');
    is(counted($state, 'reloaded'), '2000 2000 2000', 'of each client');
    is(counted($state, 'killed'), '3000 3000 3000', 'also of the killed');

    my $log = $nginx->log_from;
    $log =~ s/.*exited on signal 9\n//g;
    unlike($log, qr/\[(?:alert|crit|emerg)\]/, 'a clean log');

    # -- a restart

    $nginx->start(config($nginx, \%clients, $server, state => $state))
        or BAIL_OUT($nginx->complaint);

    is(statuses($nginx, 1, 'load', '/ok'), '403',
       'after a restart the quota is still used up');

    reload($nginx, config($nginx, {load => 'quota 10003/total;'}, $server,
                          state => $state));

    is(statuses($nginx, 4, 'load', '/ok'), '200 200 200 403',
       'another quota goes on from what was counted');

    $status = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port
                               . '/status')->{body};
    my %counted;
    push @{ $counted{$1} }, "$2 $3"
        while $status =~ /^ktp_client_calls\{client="(\w+)",period="(\w+)"\} (\d+)$/mg;
    is_deeply(\%counted,
              {load     => ['day 10003', 'month 10003', 'total 10003'],
               reloaded => ['day 2000', 'month 2000', 'total 2000'],
               killed   => ['day 3000', 'month 3000', 'total 3000']},
              'the metrics have the calls of all periods, also of clients '
              . 'that have no quota or were removed');

    # -- nginx as a whole is killed

    KTP::Nginx::wait_for(sub { counted($state, 'load') =~ /10003/ });
    is(counted($state, 'load'), '10003 10003 10003',
       'a second later the file has it');
    my @workers = $nginx->workers;
    kill 'KILL', $nginx->pid;
    $nginx->wait_end;
    kill 'KILL', @workers;
    KTP::Nginx::wait_for(sub { !grep { !KTP::Nginx::is_gone($_) } @workers });

    $nginx->start(config($nginx, {load => 'quota 10004/total;'}, $server,
                         state => $state))
        or BAIL_OUT($nginx->complaint);
    is(statuses($nginx, 2, 'load', '/ok'), '200 403',
       'nothing is lost when all of nginx is killed');
    $nginx->stop('QUIT');

    is(-e "$state.new0" || -e "$state.new1" || '', '',
       'no temporary file is left');
}

# -- what costs, and what does not

my $vendor = KTP::Upstream->new;
my $vendor_url = $vendor->url;

{
    my $nginx = KTP::Nginx->new;
    my $state = $nginx->prefix . '/state';
    my $deaf = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64);
    my $deaf_url = 'http://127.0.0.1:' . $deaf->sockport;

    my $server = <<EOC;
        location = /vendor { ktp_pass $vendor_url/x; }
        location = /deaf { ktp_pass $deaf_url/x; }
        location = /closed { ktp_pass $closed/x; }
EOC
    my %clients = (
        map({ $_ => 'quota 3/total;' } qw(bad none denied error stuck gone)),
        shadow => 'quota 1/day shadow; quota 3/month;',
        rate => 'rate 2/m; quota 100/day;',
        free => '',
        nothing => 'quota 0/day;',
    );

    $nginx->start(config($nginx, \%clients, $server, state => $state))
        or BAIL_OUT($nginx->complaint);

    like(statuses($nginx, 5, 'bad', '/vendor', 'no image'), qr/^(400 ?){5}$/,
         'a request that is refused');
    is(statuses($nginx, 4, 'bad', '/vendor'), '200 200 200 403',
       'costs nothing');
    like(post($nginx, 'bad', '/vendor')->{body},
         KTP::Error::like('INSUFFICIENT_QUOTA', 'quota'),
         'used up: in the shape of the contract');

    like(statuses($nginx, 5, 'none', '/closed'), qr/^(502 ?){5}$/,
         'a call that did not reach the vendor');
    is(statuses($nginx, 4, 'none', '/vendor'), '200 200 200 403',
       'is given back');

    $vendor->answer(KTP::Upstream::response('429 No', '{"message":"x"}'));
    like(statuses($nginx, 5, 'denied', '/vendor'), qr/^(429 ?){5}$/,
         'a call that the vendor turns away');
    $vendor->reset;
    is(statuses($nginx, 4, 'denied', '/vendor'), '200 200 200 403',
       'is given back');

    $vendor->answer(KTP::Upstream::response('500 No', '{"message":"x"}'));
    like(statuses($nginx, 4, 'error', '/vendor'), qr/^50\d 50\d 50\d 403$/,
         'a call that may be billed is counted');
    $vendor->reset;

    is(statuses($nginx, 4, 'shadow', '/vendor'), '200 200 200 403',
       'a quota in shadow is not enforced, one beside it is');
    is(() = $nginx->log_from =~ /quota of client "shadow" is exceeded, dry/g,
       2, 'and told in the log');

    is(statuses($nginx, 1, 'nothing', '/vendor'), '403', 'a quota of none');
    is(statuses($nginx, 5, 'free', '/vendor'), '200 200 200 200 200',
       'a client without a quota');

    is(statuses($nginx, 2, 'rate', '/vendor'), '200 200',
       'a rate lets a burst in');
    my $answer = post($nginx, 'rate', '/vendor');
    is($answer->{status}, 429, 'and no more');
    like($answer->{body}, qr/"error_code":"TOO_MANY_REQUESTS"/, 'as 429');
    my ($after) = $answer->{head} =~ /^Retry-After: (\d+)\r$/m;
    ok($after && $after > 20 && $after <= 30,
       'which says when: half a minute for one of two a minute');

    # -- calls whose last byte is not handed out, and a worker that is killed

    my $large = request('stuck', '/deaf', jpeg(720, 480, size => 5_000_000));
    my @socks = map {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $nginx->port);
        print $sock $large;
        $sock->flush;
        $sock;
    } 1 .. 3;

    # their bytes are at the upstream's socket, as far as that takes them
    my $select = IO::Select->new($deaf);
    my @taken = map { $select->can_read(5 * $KTP::Nginx::Patience) ? scalar $deaf->accept : () } 1 .. 3;

    is(scalar @taken, 3, 'three calls are under way');
    is(statuses($nginx, 1, 'stuck', '/vendor'), '403', 'and counted');

    kill 'KILL', $nginx->workers;
    ok(KTP::Nginx::wait_for(sub {
        my $sum = 0;

        $sum += $_ for $nginx->log_from =~ /returned (\d) calls? that/g;
        return $sum == 3;
    }), 'when their workers are killed');
    close $_ for @socks, @taken;
    is(statuses($nginx, 4, 'stuck', '/vendor'), '200 200 200 403',
       'they are given back');

    # -- a client that goes away

    @socks = map {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $nginx->port);
        print $sock request('gone', '/deaf', jpeg(720, 480, size => 5_000_000));
        $sock->flush;
        $sock;
    } 1 .. 3;
    @taken = map { $select->can_read(5 * $KTP::Nginx::Patience) ? scalar $deaf->accept : () } 1 .. 3;
    is(scalar @taken, 3, 'three calls are under way again');
    close $_ for @socks;

    # their ends are seen at the upstream
    for my $sock (@taken) {
        local $SIG{ALRM} = sub { die };
        eval { alarm 60; 1 while sysread $sock, my $buf, 1 << 20; alarm 0 };
    }

    # and a request is logged when its call has been given back
    ok(KTP::Nginx::wait_for(sub {
        3 == (() = KTP::Nginx::read_file($nginx->prefix . '/logs/access.log')
                   =~ m{"POST /deaf .*" 499 }g)
    }), 'which the log has');
    is(statuses($nginx, 4, 'gone', '/vendor'), '200 200 200 403',
       'a client that leaves before its call is sent is not charged');

    $nginx->stop('QUIT');
}

# -- the state file

{
    my $nginx = KTP::Nginx->new;
    my $state = $nginx->prefix . '/state';
    my $server = "location = /vendor { ktp_pass $vendor_url/x; }";
    my %clients = (day => 'quota 5/day;', jakarta => 'quota 5/day offset=+14:00;');
    KTP::Nginx::same_day(60, 0, 14);

    my $day = int(time() / 86400);
    my $conf = config($nginx, \%clients, $server, state => $state);

    my ($status, $said) = $nginx->test($conf);
    is($status, 0, 'no state file: a first start');
    like($said, qr/\[warn\] state file "\Q$state\E" not found, quotas start/,
         'is told');

    # of yesterday, today and later, by a clock that was ahead, or is behind
    # now, as on a machine that starts in 1970
    for my $case ([-1, '200'], [0, '403'], [1, '403'], [2, '403'],
                  [20000, '403']) {
        my ($shift, $want) = @$case;

        write_state($state, $day + $shift, 5, 'day');
        $nginx->start($conf) or BAIL_OUT($nginx->complaint);
        is(statuses($nginx, 1, 'day', '/vendor'), $want,
           "used up on day $shift");
        statuses($nginx, 8, 'day', '/vendor');
        my $workers = $nginx->workers;
        $nginx->stop('QUIT');

        my $told = () = $nginx->log_from(0)
            =~ /\[error\].* counted in a period later than that of the system/g;
        ok($shift > 1 ? $told >= 1 && $told <= $workers : $told == 0,
           'a later period is told, once a worker') or diag("$told times");
        ($status, $said) = $nginx->test($conf);
        is($status, 0, 'it can be started again');
        my $warns = $said
            =~ /\[warn\] state file "\Q$state\E" is ahead of the system clock/;
        is($warns || 0, $shift > 1 ? 1 : 0, 'with a warning if it is ahead');
        unlink $nginx->prefix . '/logs/error.log';
    }

    my $text = KTP::Nginx::read_file($state);

    for my $case (['a bit', sub { substr($_[0], 20, 1) ^= "\1" }, 'checksum'],
                  ['its end', sub { chop $_[0] }, 'is cut off'],
                  ['all of it', sub { $_[0] = '' }, 'is cut off']) {
        my ($what, $damage, $why) = @$case;

        my $bad = $text;
        $damage->($bad);
        KTP::Nginx::write_file($state, $bad);

        ($status, $said) = $nginx->test($conf);
        isnt($status, 0, "a state file with $what damaged is refused");
        like($said, qr/\[emerg\] state file "\Q$state\E" is corrupted: .*$why/,
             'and why is told');
        ok(!$nginx->start($conf), 'nginx does not start with it');
        is(KTP::Nginx::read_file($state), $bad, 'nor touches it');
    }

    # -- a folder that cannot be written

    KTP::Nginx::write_file($state, $text);
    mkdir "$state.new0";
    mkdir "$state.new1";
    KTP::Nginx::write_file("$state.new$_/in", '') for 0, 1;
    $nginx->start($conf) or BAIL_OUT($nginx->complaint);
    ok($nginx->wait_log(qr/\[crit\].* state file "\Q$state\E" was not written/),
       'a file that cannot be written is told');
    rmtree("$state.new$_") for 0, 1;
    ok($nginx->wait_log(qr/\[notice\].* can be written again/),
       'and when it can be again');

    # -- a start after this one, as that of a binary upgrade, owns the file

    my ($generation) = KTP::Nginx::read_file($state) =~ /^ktp-quota 1 (\d+) /;
    my $later = KTP::Nginx::read_file($state)
        =~ s/^ktp-quota 1 \d+ /'ktp-quota 1 ' . ($generation + 1) . ' '/er;
    KTP::Nginx::write_file("$state.tmp", $later);
    rename "$state.tmp", $state;
    is(statuses($nginx, 1, 'jakarta', '/vendor'), '200', 'a call');
    ok($nginx->wait_log(qr/\[notice\].*not written: it was taken over/),
       'a file of a later start is told');
    is(KTP::Nginx::read_file($state), $later, 'and left alone');
    KTP::Nginx::write_file($state, $text);

    # -- another zone by a reload

    my $before = join ' ', sort $nginx->workers;
    KTP::Nginx::write_file($nginx->prefix . '/conf/nginx.conf',
                           config($nginx, \%clients, $server, zone => '2m'));
    $nginx->signal('HUP');
    ok($nginx->wait_log(qr/name and size of "ktp_zone" cannot be changed/),
       'a zone of another size takes a restart');
    is(join(' ', sort $nginx->workers), $before, 'and all goes on');
    is(statuses($nginx, 1, 'jakarta', '/vendor'), '200', 'as it did');

    $nginx->stop('QUIT');
}

done_testing();


sub rmtree { system 'rm', '-rf', @_ }


# A file with a right checksum, written as its grammar says.
sub write_state {
    my ($file, $day, $calls, $name) = @_;

    my $text = "ktp-quota 1 1 1\n$day:$calls 1:$calls $calls $name\n";

    require Compress::Zlib;
    KTP::Nginx::write_file($file, $text . sprintf "crc32 %08x\n",
                                  Compress::Zlib::crc32($text));
}
