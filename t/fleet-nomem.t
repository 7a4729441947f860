# One allocation fails while a worker connects to Redis and requests lease, each
# in turn, hiredis's as well: the request ends, the connection comes again, and
# everything works after it.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Redis;
use KTP::Upstream;
use Test::More;

plan skip_all => 'the allocator is that of the sanitizers'
    if $KTP::Nginx::Slow > 1;

my $up = KTP::Upstream->new;
my $url = $up->url;
my $image = jpeg(800, 600);
my $redis = KTP::Redis->new;
my $address = 'unix:' . $redis->path;
my $hash = sha256_hex('key');
my $nginx = KTP::Nginx->new(nomem => 1);

$nginx->start($nginx->config(
    main => KTP::load_module(), master => 'on', log_level => 'info',
    http => <<EOC, server => <<EOS)) or BAIL_OUT($nginx->complaint);
    ktp_zone k:1m;
    ktp_redis $address host=a;
    ktp_client one { key_sha256 $hash; quota 1000000/total fleet; }
    connection_pool_size 256;
    request_pool_size 256;
EOC
        location = /x {
            ktp_auth on;
            ktp_breaker failures=3 fleet;
            ktp_pass $url/x;
        }
        location = /status { access_log off; ktp_status; }
EOS

sub status {
    return post($nginx->port, '/x', $image, 'Content-Type: image/jpeg',
                'App-ID: one', 'API-Key: key')->{status};
}

sub fleet_up {
    return KTP::Nginx::curl('http://127.0.0.1:' . $nginx->port . '/status')
               ->{body} =~ /^ktp_fleet_up 1$/m;
}

# Both connections of the worker, that for messages with its subscription.
sub connected {
    return KTP::Nginx::wait_for(sub {
        $redis->command('PUBSUB', 'NUMSUB', 'ktp:{breaker}')->[1] == 1
            && fleet_up();
    });
}

ok(connected(), 'connected');
is(status(), 200, 'there is memory');

my ($pid) = $nginx->workers;
my ($n, $lost, %statuses) = (0, 0);

for ($n = 0; $n < 300; $n++) {
    $nginx->nomem_once($n);
    $redis->command('CLIENT', 'KILL', 'SKIPME', 'yes', 'TYPE', $_)
        for qw(normal pubsub);
    $statuses{ status() }++;

    my $failed = $nginx->nomem_failed || !connected() || $nginx->nomem_failed;

    $lost++ unless connected();
    $statuses{after}++ unless status() == 200;
    last if $lost || !$failed;
}

$nginx->nomem(0);

note("$n allocations, ", join ', ', map { "$_: $statuses{$_}" } sort keys %statuses);
cmp_ok($n, '>', 30, 'allocations failed');
cmp_ok($n, '<', 300, 'each of them');
is($lost, 0, 'the connections came again each time');
is($statuses{after} // 0, 0, 'and the next request was answered');
is_deeply([grep { !/^(?:0|200|50[023]|after)$/ } keys %statuses], [],
          'each ended with an answer, an error, or the connection');
is_deeply([$nginx->workers], [$pid], 'the worker is the same');
is(status(), 200, 'there is memory again');

$nginx->stop('QUIT');
unlike($nginx->log_from, qr/\[alert\](?!.*(?:mmap|memory))/, 'nothing alarming');
unlike($nginx->log_from, qr/open socket|exited on signal/, 'no socket is left');

done_testing();
