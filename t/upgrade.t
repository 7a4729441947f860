# While a binary is upgraded, the old and the new one count quotas together,
# also when the new one is given up.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Load;
use KTP::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'processes are found by /proc' unless -e "/proc/$$/stat";

my $jpeg = jpeg(720, 480);
my $hash = sha256_hex('key');
my ($url, $whole) = KTP::Load::upstream(2);

my $nginx = KTP::Nginx->new;
my $state = $nginx->prefix . '/state';
my $conf = $nginx->prefix . '/conf/nginx.conf';

# an upgraded binary gets the environment from here
sub config {
    my ($zone, @clients) = @_;

    my $blocks = join "\n", map {
        "ktp_client $_ { key_sha256 $hash; quota 3000/total; }"
    } @clients;

    return $nginx->config(
        log_level => 'notice', master => 'on', workers => 2, root => 0,
        main => KTP::load_module() . "\n$KTP::Nginx::Environment",
        http => <<EOC, server => <<EOS);
    ktp_zone k:$zone state=$state;
    ktp_auth on;
    $blocks
    log_format pid '\$pid \$status';
    access_log @{[ $nginx->prefix ]}/logs/pid.log pid;
EOC
    location = /e { ktp_pass $url/x; }
    location = /metrics { ktp_auth off; access_log off; ktp_status; }
EOS
}

# a connection for each, so that all workers have some
sub request {
    my ($client) = @_;

    return "POST /e HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
         . "App-ID: $client\r\nAPI-Key: key\r\nConnection: close\r\n"
         . 'Content-Length: ' . length($jpeg) . "\r\n\r\n$jpeg";
}

sub calls {
    my ($client, $n) = @_;

    return KTP::Load::clients($nginx->port, 1, $n, request($client));
}

# when the counters of a response started, and the requests that they have
sub metrics {
    my $text = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port
                                . '/metrics')->{body};

    return ($text =~ /^ktp_start_time_seconds (\d+)$/m,
            $text =~ /^ktp_requests_total\{client="two",outcome="ok".* (\d+)$/m);
}

sub counted {
    my ($client) = @_;

    return KTP::Nginx::read_file($state) =~ /^\d+:\d+ \d+:\d+ (\d+) $client$/m
        ? $1 : 0;
}

# starts another binary; its pid, when it has workers
sub upgrade {
    my $old = $nginx->daemon_pid;

    kill 'USR2', $old;
    KTP::Nginx::wait_for(sub {
        $nginx->daemon_pid('.oldbin') == $old && $nginx->daemon_pid
            && KTP::Nginx::children($nginx->daemon_pid) == 2
    });

    return $nginx->daemon_pid;
}

sub gone {
    my ($pid) = @_;

    kill 'QUIT', $pid;

    return KTP::Nginx::wait_for(sub { KTP::Nginx::is_gone($pid) });
}

$nginx->start_daemon(config('1m', 'one', 'two'))
    or BAIL_OUT($nginx->complaint);

my $old = $nginx->daemon_pid;
my @old = KTP::Nginx::children($old);
my ($new, @new);

# -- 8 clients while both serve, and on until the old one has gone

my $got = KTP::Load::clients($nginx->port, 8, 600, request('one'), sub {
    KTP::Nginx::wait_for(sub { $whole->() > 500 });
    KTP::Nginx::write_file($conf, config('1m', 'one', 'two', 'three'));
    $new = upgrade();
    @new = KTP::Nginx::children($new);
    my $before = $whole->();
    KTP::Nginx::wait_for(sub { $whole->() > $before + 500 });
    gone($old);
});

my %by;
$by{$_}++ for KTP::Nginx::read_file($nginx->prefix . '/logs/pid.log')
              =~ /^(\d+) 200$/mg;

is($got->{200}, 3000, 'two binaries: the calls and not one more');
is($whole->(), 3000, 'each of them was at the upstream');
cmp_ok(eval { join '+', map { $by{$_} // 0 } @$_ }, 'ne', '0+0',
       'workers of both had some') for \@old, \@new;
ok(KTP::Nginx::is_gone($old), 'the old one has gone');
is(calls('one', 1)->{403}, 1, 'and its calls stay counted');
is(calls('three', 2)->{200}, 2, 'a client of the new one is counted');
ok(KTP::Nginx::wait_for(sub { counted('one') == 3000 && counted('three') == 2 }),
   'and the new one writes the state file');

# -- a binary that is given up

is(calls('two', 10)->{200}, 10, 'calls before');
my ($started) = metrics();
KTP::Nginx::wait_for(sub { time() >= $started + 1 });
my $newer = upgrade();
is(calls('two', 10)->{200}, 10, 'calls of either');

# each response says whose counters it has; those of both have all calls
my %requests;
ok(KTP::Nginx::wait_for(sub {
    my ($of, $n) = metrics();
    $requests{$of} = $n // 0;
    keys %requests == 2 && eval(join '+', values %requests) == 20;
}), 'metrics of either, told apart by their start');
ok($requests{$started} >= 10, 'the older ones go on');
ok((sort keys %requests)[0] == $started, 'the newer ones started later');
ok(gone($newer), 'the newer one is given up');
ok(KTP::Nginx::wait_for(sub { $nginx->daemon_pid == $new }),
   'the one before it serves');
is(calls('two', 10)->{200}, 10, 'calls after');
ok(KTP::Nginx::wait_for(sub { counted('two') == 30 }),
   'all are counted, and written to the state file');

# -- one with another zone

KTP::Nginx::write_file($conf, config('2m', 'one', 'two', 'three'));
upgrade();
ok($nginx->wait_log(qr/\[warn\].* ktp_zone "k" cannot be inherited from/),
   'another zone is counted apart, which is told');
gone($new);
is(calls('one', 1)->{403}, 1, 'from what is in the state file');
gone($nginx->daemon_pid);

my $log = $nginx->log_from;
is((() = $log =~ /\[notice\].* ktp_zone "k" is inherited from the previous binary/g),
   2, 'the two others went on');
unlike($log, qr/\[(?:alert|crit|emerg)\]/, 'a clean log');

# -- secrets of systemd, as the example has them

{
    my $nginx = KTP::Nginx->new;
    my ($env) = KTP::Nginx::read_file('conf-examples/nginx.service.d/credentials.conf')
                =~ /^# +(env \S+;)$/m;

    local $ENV{CREDENTIALS_DIRECTORY} = KTP::Nginx::scratch_dir();
    KTP::Nginx::write_file("$ENV{CREDENTIALS_DIRECTORY}/key", "secret\n");
    chmod 0600, "$ENV{CREDENTIALS_DIRECTORY}/key";

    $nginx->start_daemon($nginx->config(
        log_level => 'notice', master => 'on', root => 0,
        main => join("\n", KTP::load_module(), $KTP::Nginx::Environment,
                     $env // ''),
        server => "location = /e { allow all; ktp_pass $url/x; "
                  . 'ktp_api_key file:$CREDENTIALS_DIRECTORY/key; }'))
        or BAIL_OUT($nginx->complaint);

    my $old = $nginx->daemon_pid;

    kill 'USR2', $old;
    ok(KTP::Nginx::wait_for(sub {
        $nginx->daemon_pid('.oldbin') == $old && $nginx->daemon_pid
    }, 2), 'a new binary finds secrets of systemd')
        or diag($nginx->log_from);
}

done_testing();
