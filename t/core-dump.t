# A core dump of a worker has no image, nor a piece that shows anything: while
# a call is under way, however the image came; and no answer of a request that
# has ended.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $pattern = KTP::Nginx::read_file('/proc/sys/kernel/core_pattern');

plan skip_all => 'no core dump to be had here'
    if $pattern !~ m{^core$}m || $KTP::Nginx::Variant eq 'asan'
       || $KTP::Nginx::Valgrind;

# less of it may be left in a table, a vector or a frame that was parsed
my $Fragment = 256;

my $upstream = KTP::Upstream->new;
my $url = $upstream->url;

# comments are filled with a word that its base64 is known of, too
my $word = 'ImageCanary!';
my $jpeg = jpeg(800, 600, size => 150_000);
$jpeg =~ s/(\.{12,})/substr $word x (1 + length($1) \/ 12), 0, length $1/ge;
my $coded = substr base64($word x 3), 0, 16;

my %bodies = (
    'image/jpeg' => $jpeg,
    'application/json' => json_body($jpeg),
    'multipart/form-data; boundary=ktp' =>
        multipart(['image', $jpeg, 'a.jpg', 'image/jpeg']),
);

for my $type (sort keys %bodies) {
    for my $way ('http', 'https', 'http2', 'https2', 'streamed', 'masked') {
        check($type, $way);
    }
}

done_testing();


sub check {
    my ($type, $way) = @_;
    my $name = "$type, $way";
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $port = KTP::Nginx::free_port();
    my $listen = join ' ', $way =~ /https/ ? 'ssl' : (),
                           $way =~ /2/ ? 'http2' : ();
    my $tls = $way !~ /https/ ? '' : <<EOC;
        ssl_certificate $prefix/cert.pem;
        ssl_certificate_key $prefix/key.pem;
EOC
    my $buffering = $way eq 'streamed' ? 'off' : 'on';
    my $mask = $way ne 'masked' ? '' : 'ktp_mask nik=last:4; ktp_nik_check on;';

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=a"
           . " -keyout $prefix/key.pem -out $prefix/cert.pem 2>/dev/null")
        if $tls;

    $nginx->start($nginx->config(master => 'on', root => 0, log_level => 'info',
        main => KTP::load_module() . <<EOM, http => <<EOH))
worker_rlimit_core 4096m;
working_directory $prefix;
EOM
    server {
        listen 127.0.0.1:$port $listen;
        $tls
        ktp_request_buffering $buffering;
        location = /e { ktp_pass $url/x; $mask }
    }
EOH
        or BAIL_OUT($nginx->complaint);

    my $scheme = $tls ? 'https' : 'http';
    my @args = ('-k', '-H', "Content-Type: $type", '-H', 'Expect:',
                $way !~ /2/ ? '--http1.1'
                : $tls ? '--http2' : '--http2-prior-knowledge',
                '--data-binary', "\@$prefix/body",
                "$scheme://127.0.0.1:$port/e");

    KTP::Nginx::write_file("$prefix/body", $bodies{$type});

    $upstream->reset;
    is(KTP::Nginx::curl(@args)->{status}, 200, "$name: an answer");

    $upstream->reset;
    $upstream->answer({hang => 1});

    my $pid = fork;
    die "fork: $!" unless defined $pid;
    unless ($pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec 'curl', '-s', @args;
    }

    ok($upstream->wait_calls(1), "$name: a call is under way");

    my ($worker) = $nginx->workers;
    kill 'ABRT', $worker;
    $nginx->wait_log(qr/$worker exited on signal 6/);
    waitpid $pid, 0;

    my ($core) = grep { -s } glob "$prefix/core*";
    my $dump = $core ? KTP::Nginx::read_file($core) : '';

    ok(index($dump, "$prefix/") >= 0, "$name: a core dump of the worker");
    cmp_ok(longest($dump, $word), '<=', $Fragment, "$name: no image");
    cmp_ok(longest($dump, $coded), '<=', $Fragment, "$name: in no coding");
    is(index($dump, '3171234567890001'), -1, "$name: no number")
        or diag($dump =~ /(.{0,40}3171234567890001.{40})/s ? unpack 'H*', $1 : '');
    unlink $core if $core;
    $nginx->stop;
}

# The bytes of the longest run of a word.
sub longest {
    my ($text, $run) = @_;
    my $longest = 0;

    while ($text =~ /((?:\Q$run\E)+)/g) {
        $longest = length $1 if length $1 > $longest;
    }

    return $longest;
}
