# scripts/ktp-key: the key that it shows opens what the block that it prints
# guards.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $dir = KTP::Nginx::scratch_dir();

# exit status, the block, and what is shown
sub ktp_key {
    my (@names) = @_;

    my $pid = fork;
    die "fork: $!" unless defined $pid;

    unless ($pid) {
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec 'scripts/ktp-key', @names or POSIX::_exit(127);
    }
    waitpid $pid, 0;

    return ($?, map { KTP::Nginx::read_file("$dir/$_") } qw(out err));
}

my ($status, $block, $shown) = ktp_key('app-1.x@y');
my ($key) = $shown =~ /API-Key: (\S+)$/m;

is($status, 0, 'a key is made');
like($key, qr/^[\w-]{43}$/, 'of 256 bits in characters without quoting');
unlike($block, qr/\Q$key\E/, 'which the block does not have');
isnt((ktp_key('app-1.x@y'))[1], $block, 'another time another one');

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $url = $upstream->url;

$nginx->start($nginx->config(main => KTP::load_module(),
                             http => "ktp_auth on;\n$block",
                             server => "location = /e { ktp_pass $url/x; }"))
    or BAIL_OUT($nginx->complaint);

KTP::Nginx::write_file("$dir/image", jpeg(720, 480));

for my $case ([$key, 200], ["x$key", 401], [lc $key, 401]) {
    my ($try, $want) = @$case;
    my $answer = KTP::Nginx::curl(
        'http://127.0.0.1:' . $nginx->port . '/e', '-H', 'App-ID: app-1.x@y',
        '-H', "API-Key: $try", '-H', 'Content-Type: image/jpeg',
        '--data-binary', "\@$dir/image");

    is($answer->{status}, $want, $want == 200 ? 'it is right' : 'no other is');
}

for my $name ('', 'a b', "a\tb", 'a"b', "a'b", 'a\\b', 'a{', 'a;', 'a$b',
              'a#b', "\xc3\xa9", 'n' x 65, '-', '-n', '--name', '--') {
    ($status, $block) = ktp_key($name);
    is($status >> 8, 2, "\"$name\" is no name");
    is($block, '', 'and makes no block');
}

is((ktp_key('n' x 64))[0], 0, '64 characters are one');
for my $option ('-h', '--help') {
    ($status, $block, $shown) = ktp_key($option);
    is($status, 0, "$option helps");
    like($block, qr/^usage: \S+ NAME/, 'with what to type');
    unlike("$block$shown", qr/API-Key/, 'and makes no key');
}

is((ktp_key())[0] >> 8, 2, 'none is none');
is((ktp_key('a', 'b'))[0] >> 8, 2, 'two are none');

done_testing();
