# The connection to Redis: what servers of any kind say in the greeting, and
# how connections come, go and come again.  Whatever happens, requests go on.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client qw(post);
use KTP::FakeRedis;
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $up = KTP::Upstream->new;
my $url = $up->url;
my $image = jpeg(800, 600);
my $secret = 'pAsSwOrD';
my $dir = KTP::Nginx::scratch_dir();

KTP::Nginx::write_file("$dir/password", "$secret\n");
chmod 0600, "$dir/password";

# A server on a busy machine may answer late; where nothing else is meant to
# come, "no reply" is to be logged soon.
sub nginx_with {
    my ($redis, %opt) = @_;

    my $nginx = KTP::Nginx->new;
    my $timeout = $opt{timeout} || '1m';

    $nginx->start($nginx->config(
        main => KTP::load_module(), master => 'on',
        log_level => $opt{log_level} || 'notice',
        http => "ktp_zone k:1m; ktp_redis $redis timeout=$timeout;",
        server => "location = /e { ktp_pass $url/x; }\n"
                  . 'location = /metrics { ktp_status; }'))
        or BAIL_OUT($nginx->complaint);
    KTP::Nginx::wait_for(sub { $nginx->workers });

    return $nginx;
}

sub upload {
    my ($nginx) = @_;

    return post($nginx->port, '/e', $image, 'Content-Type: image/jpeg')->{status};
}

sub fleet_up {
    my ($nginx) = @_;

    my $page = KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/metrics');

    return ($page->{body} =~ /^ktp_fleet_up (\d+)$/m)[0];
}

# After everything: the worker is the one that was started, uploads are
# answered, and nothing is left behind.
sub ends_well {
    my ($nginx, $name, @pids) = @_;

    is(upload($nginx), 200, "$name: an upload is answered");
    is_deeply([$nginx->workers], \@pids, "$name: by the same worker");
    $nginx->stop('QUIT');
    unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\]|\Q$secret\E/,
           "$name: nothing else in the log");
}

# [name, what the server does once it has read the greeting, what is logged]
my @bad = (
    ['no Redis', sub { print { $_[0] } "HTTP/1.1 400 Bad Request\r\n\r\n" },
     'invalid or too large reply'],
    ['bytes of any kind', sub { print { $_[0] } join '', map { chr } 128 .. 255 },
     'invalid or too large reply'],
    ['an endless line', sub { 1 while print { $_[0] } '+' . 'x' x 4096 },
     'invalid or too large reply'],
    ['a huge text', sub {
         print { $_[0] } "\$9999999999\r\n";
         1 while print { $_[0] } 'x' x 4096;
     }, 'invalid or too large reply'],
    ['a huge text that never comes',
     sub { print { $_[0] } "\$9999999999\r\n"; sleep 30 },
     'no reply \(110: Connection timed out\)'],
    ['a length over 64 bits',
     sub { print { $_[0] } "\$99999999999999999999999\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['a negative length', sub { print { $_[0] } "\$-7\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['a huge array', sub { print { $_[0] } "*2147483647\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['a long array', sub { print { $_[0] } "*17\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['arrays in arrays', sub { print { $_[0] } "*1\r\n" x 20; sleep 30 },
     'invalid or too large reply'],
    ['an array of 16 long texts', sub {
         print { $_[0] } "*16\r\n", ("\$60000\r\n" . 'x' x 60000 . "\r\n") x 16;
         sleep 30;
     }, 'unexpected reply'],
    ['a number', sub { print { $_[0] } ":1\r\n"; sleep 30 }, 'unexpected reply'],
    ['nil', sub { print { $_[0] } "\$-1\r\n"; sleep 30 }, 'unexpected reply'],
    ['an empty array', sub { print { $_[0] } "*0\r\n"; sleep 30 },
     'unexpected reply'],
    ['nil in an array', sub { print { $_[0] } "*2\r\n:1\r\n\$-1\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['another word', sub { print { $_[0] } "+PONGS\r\n"; sleep 30 },
     'unexpected reply'],
    ['a type of RESP3', sub { print { $_[0] } ">1\r\n+PONG\r\n"; sleep 30 },
     'invalid or too large reply'],
    ['half an answer', sub { print { $_[0] } '+PO' }, 'connection was closed'],
    ['half an answer, and nothing', sub { print { $_[0] } '+PO'; sleep 30 },
     'no reply \(110: Connection timed out\)'],
    ['nothing', sub { sleep 30 }, 'no reply \(110: Connection timed out\)'],
    ['the end', sub { }, 'connection was closed'],
    ['a cluster', sub { print { $_[0] } "-MOVED 1 127.0.0.1:1\r\n"; sleep 30 },
     'error "MOVED"'],
    ['a server that starts',
     sub { print { $_[0] } "-LOADING Redis is loading\r\n"; sleep 30 },
     'error "LOADING"'],
    ['a password is needed',
     sub { print { $_[0] } "-NOAUTH Authentication required.\r\n"; sleep 30 },
     'error "NOAUTH"'],
    ['too many clients',
     sub { print { $_[0] } "-ERR max number of clients reached\r\n" },
     'error "ERR"'],
    ['an error without a code',
     sub { print { $_[0] } "-\x1b[31m\n2026 [emerg] x\r\n"; sleep 30 },
     '(?:error ""|invalid or too large reply)'],    # hiredis 1.2 refuses it
);

for (@bad) {
    my ($name, $speak, $logged) = @$_;

    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;

        $self->read_greeting($sock);
        $speak->($sock);
    });

    my $address = $fake->address;
    my $nginx = nginx_with($address,
                           timeout => $logged =~ /^no reply/ ? '400ms' : '');
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/\[error\] .*redis "\Q$address\E": $logged/),
       "$name: $logged") or diag($nginx->log_from(0));
    ok(KTP::Nginx::wait_for(sub { $fake->connections > 1 }),
       "$name: it is tried again");
    ends_well($nginx, $name, @pids);
    is(() = $nginx->log_from(0) =~ /redis "/g, 1, "$name: one line");
}

# a reply that nobody asked for ends a connection that was good
{
    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;

        $self->read_greeting($sock);
        print $sock "+PONG\r\n+PONG\r\n-ERR\r\n";
        sleep 30;
    });

    my $nginx = nginx_with($fake->address);
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/redis ".*": unexpected reply/),
       'a reply without a command');
    ends_well($nginx, 'a reply without a command', @pids);
}

# one byte at a time
{
    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;

        $self->read_greeting($sock);

        for (split //, "+OK\r\n+OK\r\n+PONG\r\n") {
            syswrite $sock, $_;
            sleep 0.002;
        }

        sleep 30;
    });

    my $address = $fake->address;
    my $nginx = nginx_with("$address user=gateway "
                           . "password=file:$dir/password database=7",
                           log_level => 'debug');
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/connected to redis "\Q$address\E"/), 'slow bytes');
    is($fake->received,
       "*3\r\n\$4\r\nAUTH\r\n\$7\r\ngateway\r\n\$8\r\n$secret\r\n"
       . "*2\r\n\$6\r\nSELECT\r\n\$1\r\n7\r\n*1\r\n\$4\r\nPING\r\n",
       'the greeting');
    ends_well($nginx, 'slow bytes', @pids);
}

# what the server says of a command may repeat its arguments
{
    my $fake = KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;

        $self->read_greeting($sock);
        print $sock "-ERR unknown command 'AUTH', with args beginning with: "
                    . "'$secret'\r\n";
        sleep 30;
    });

    my $nginx = nginx_with($fake->address
                           . " password=file:$dir/password",
                           log_level => 'debug');
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/redis ".*": error "ERR"/), 'AUTH is refused');
    ends_well($nginx, 'AUTH is refused', @pids);
}

# a server that closes at once is not hammered
{
    my $fake = KTP::FakeRedis->new(sub { $_[1]->note('times', time . "\n") });
    my $nginx = nginx_with($fake->address);
    my @times;

    # each is noted before the connection is closed
    KTP::Nginx::wait_for(sub { (@times = $fake->times) >= 4 });
    cmp_ok($times[3] - $times[0], '>', 0.3, 'the intervals grow');
    $nginx->stop;
}

# no server, and then one; it goes and comes again
{
    my $redis = KTP::Redis->new('--user', 'gateway', 'on', ">$secret", '~*', '+@all');
    my $address = 'unix:' . $redis->path;
    $redis->stop;

    my $nginx = nginx_with("$address user=gateway password=file:$dir/password "
                           . 'database=3');
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/\[error\] .*redis "\Q$address\E": connect\(\) failed \(\d+: /),
       'no server');
    $redis->start;
    ok($nginx->wait_log(qr/\[notice\] .*connected to redis "\Q$address\E"/),
       'a server');
    like($redis->command('CLIENT', 'LIST'), qr/ db=3 .* user=gateway /, 'its database');
    is(fleet_up($nginx), 1, 'and its metric');

    my $offset = -s $nginx->{log};
    $redis->stop('KILL');
    ok($nginx->wait_log(qr/redis "\Q$address\E": connection was closed/,
                        $offset), 'it is killed');
    is(fleet_up($nginx), 0, 'and its metric');
    $redis->start;
    ok($nginx->wait_log(qr/connected to redis/, $offset), 'and is there again');

    # an old worker leaves although its connection is open
    $nginx->signal('HUP');
    ok(KTP::Nginx::wait_for(sub {
           my @now = $nginx->workers;
           @now == 1 && $now[0] != $pids[0];
       }), 'a reload');
    @pids = $nginx->workers;
    ends_well($nginx, 'a reload', @pids);
    ok(KTP::Nginx::wait_for(sub {
           (() = $redis->command('CLIENT', 'LIST') =~ /\n/g) == 1;
       }), 'no connection is left');
}

# TLS: the server's certificate has to be valid, and for the name
{
    my $port = KTP::Nginx::free_port();

    system("cd $dir && (openssl req -x509 -newkey ec -pkeyopt "
           . 'ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca '
           . '-keyout ca.key -out ca.pem'
           . ' && openssl req -x509 -newkey ec -pkeyopt '
           . 'ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other '
           . '-keyout other.key -out other.pem'
           . ' && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 '
           . '-nodes -subj /CN=redis.test -addext subjectAltName=DNS:redis.test '
           . '-keyout redis.key -out redis.csr'
           . ' && openssl x509 -req -in redis.csr -CA ca.pem -CAkey ca.key '
           . '-CAcreateserial -days 2 -copy_extensions copy -out redis.pem) '
           . '2> openssl.log') == 0
        or die KTP::Nginx::read_file("$dir/openssl.log");

    my $redis = KTP::Redis->new('--tls-port', $port, '--tls-cert-file',
                                "$dir/redis.pem", '--tls-key-file',
                                "$dir/redis.key", '--tls-ca-cert-file',
                                "$dir/ca.pem", '--tls-auth-clients', 'no');

    for (["tls_ca=$dir/ca.pem tls_name=redis.test", 'connected to redis'],
         ["tls_ca=$dir/ca.pem tls_name=other.test",
          'certificate is for another name'],
         ["tls_ca=$dir/other.pem tls_name=redis.test",
          'redis ".*": [a-z -]*certificate'],
         ['tls_name=redis.test', 'redis ".*": [a-z -]*certificate']) {
        my ($parameters, $logged) = @$_;
        my $nginx = nginx_with("127.0.0.1:$port tls $parameters");
        my @pids = $nginx->workers;

        ok($nginx->wait_log(qr/$logged/),
           'TLS: ' . $parameters =~ s/\Q$dir\E\///r)
            or diag($nginx->log_from(0));
        ends_well($nginx, 'TLS', @pids);
    }

    # a server that speaks no TLS
    my $fake = KTP::FakeRedis->new(sub {
        print { $_[0] } "-ERR unknown command\r\n";
        sleep 30;
    });
    my $nginx = nginx_with($fake->address . ' tls tls_name=redis.test');
    my @pids = $nginx->workers;

    ok($nginx->wait_log(qr/redis ".*": TLS handshake failed/), 'no TLS');
    ends_well($nginx, 'no TLS', @pids);
}

# nginx -t does not connect
{
    my $fake = KTP::FakeRedis->new(sub { });
    my $nginx = KTP::Nginx->new;
    my ($status) = $nginx->test($nginx->config(
        main => KTP::load_module(),
        http => 'ktp_zone k:1m; ktp_redis ' . $fake->address . ';'));

    is($status, 0, 'a configuration is tested');
    is($fake->connections, 0, 'without a connection');
}

done_testing();
