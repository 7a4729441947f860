# Every file of conf-examples is a whole configuration: each is started, with
# ports and paths of the test, and answers at its ktp locations.

use strict;
use warnings;

use lib 't/lib';
use File::Basename qw(basename);
use KTP ();
use KTP::Nginx;
use Test::More;

my $build = KTP::Nginx::build_dir();
my @files = glob 'conf-examples/*.conf';

ok(@files > 0, 'there are examples');

for my $file (@files) {
    my $name = basename($file);
    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my ($conf, $port) = adapt(KTP::Nginx::read_file($file), $prefix);

    ok($nginx->start($conf), "$name starts") or diag($nginx->complaint);

    my $log = $nginx->log_from
            . KTP::Nginx::read_file("$prefix/logs/stderr");
    unlike($log, qr/\[(?:warn|alert|crit|emerg)\]/, "$name: no warning");

    for my $uri (ktp_locations($conf)) {
        my $answer = KTP::Nginx::curl("http://127.0.0.1:$port$uri");

        like($answer->{body}, qr/^\{"message":"[^"]+","error_code":"/,
             "$name: $uri answers in the contract's shape");
    }

    $nginx->stop;
}

done_testing();


# The text with what a test may use, and the first port.
sub adapt {
    my ($text, $prefix) = @_;

    my %ports;

    $text =~ s{load_module modules/}{load_module $build/}g;
    $text =~ s{/run/}{$prefix/}g;
    $text =~ s{/var/lib/ktp/}{$prefix/lib/}g;

    # as the package makes it, for whichever user workers are of
    mkdir "$prefix/lib";
    chmod 0777, "$prefix/lib";

    $text =~ s{/etc/nginx/}{$prefix/conf/}g;
    $text =~ s{/var/log/nginx/}{$prefix/logs/}g;
    $text =~ s{127\.0\.0\.1:(\d+)}{
        '127.0.0.1:' . ($ports{$1} ||= KTP::Nginx::free_port())
    }ge;

    # secrets that the operator would have
    while ($text =~ m{\bfile:([^\s;]+)}g) {
        my $path = $1 =~ m{^/} ? $1 : "$prefix/conf/$1";

        my ($dir) = $path =~ m{(.*)/};
        system('mkdir', '-p', $dir);
        KTP::Nginx::write_file($path, "secret\n");
        chmod 0600, $path;
    }

    my ($port) = $text =~ /listen 127\.0\.0\.1:(\d+)/;

    return ($text, $port);
}


sub ktp_locations {
    my ($text) = @_;

    my @uris;

    while ($text =~ m/location (?:= )?(\S+) \{([^{}]*)\}/g) {
        my ($uri, $body) = ($1, $2);

        push @uris, $uri if $body =~ /\bktp_pass\b/;
    }

    return @uris;
}
