# 100,000 clients: the configuration is read in time, and each is found.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

plan(skip_all => 'instrumented code takes a time of its own')
    if $KTP::Nginx::Variant ne 'release' || $KTP::Nginx::Valgrind;

my $nginx = KTP::Nginx->new;
my $upstream = KTP::Upstream->new;
my $dir = $nginx->prefix;
my $url = $upstream->url;

sub name { return sprintf 'client-%06d', $_[0] }

KTP::Nginx::write_file("$dir/conf/clients.conf", join '', map {
    my $hash = sha256_hex(name($_) . '-key');
    "ktp_client @{[ name($_) ]} {\n    key_sha256 $hash;\n"
    . "    quota 1/day;\n    rate 10/s;\n}\n"
} 1 .. 100_000);

my $conf = $nginx->config(
    log_level => 'info', main => KTP::load_module(),
    http => "ktp_zone k:64m;\nktp_auth on;\ninclude clients.conf;\n",
    server => "location = /e { ktp_pass $url/x; }");

# of the processor, for the tests of others may have the machine
my $before = (times)[2] + (times)[3];
my ($status, $said) = $nginx->test($conf);
my $time = (times)[2] + (times)[3] - $before;

is($status, 0, 'a configuration with 100,000 clients') or diag($said);
diag(sprintf 'nginx -t: %.2f s', $time);
cmp_ok($time, '<', 2, 'is read in less than 2 seconds');

$nginx->start($conf) or BAIL_OUT($nginx->complaint);
KTP::Nginx::write_file("$dir/image", jpeg(720, 480));

sub post {
    my ($name) = @_;

    return KTP::Nginx::curl(
        'http://127.0.0.1:' . $nginx->port . '/e', '-H', "App-ID: $name",
        '-H', "API-Key: $name-key", '-H', 'Content-Type: image/jpeg',
        '--data-binary', "\@$dir/image")->{status};
}

for my $n (1, 2, 49_999, 99_999, 100_000) {
    is(post(name($n)), 200, name($n) . ' is found');
    is(post(name($n)), 403, 'and has a quota of its own');
}

is(post(name($_)), 401, name($_) . ' is not') for 0, 100_001;

done_testing();
