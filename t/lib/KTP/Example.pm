package KTP::Example;

# A file of conf-examples as a test can start it: its files are below the folder
# of the test, and secrets and certificates that it names are made.

use strict;
use warnings;

use Exporter qw(import);
use KTP::Nginx;

our @EXPORT_OK = qw(adapt relocate);

my $build = KTP::Nginx::build_dir();
# a copy: workers are not root, and may not be let into the folder of the tree
my $www = KTP::Nginx::scratch_dir() . '/www';
system('cp', '-r', 'www', $www) == 0 && system('chmod', '-R', 'a+rX', $www) == 0
    or die "www cannot be copied";


# The text with ports of the test as well, and the first of them.
sub adapt {
    my ($text, $prefix) = @_;

    my %ports;

    $text = relocate($text, $prefix);
    $text =~ s{listen (\d+)( ssl)?;}{'listen 127.0.0.1:' . $1 . ($2 // '') . ';'}ge;
    $text =~ s{127\.0\.0\.1:(\d+)}{
        '127.0.0.1:' . ($ports{$1} ||= KTP::Nginx::free_port())
    }ge;

    # secrets that the operator would have
    while ($text =~ m{\bfile:([^\s;]+)}g) {
        my $path = whole($1, $prefix);

        KTP::Nginx::write_file($path, $path =~ m{fleet} ? "k" x 32 : "secret\n");
        chmod 0600, $path;
    }

    while ($text =~ m{^ *(?:ktp_)?ssl_(?:client_|trusted_)?certificate +(\S+)\.pem;}mg) {
        my $path = whole($1, $prefix);

        system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=a'
               . " -out $path.pem -keyout $path.key"
               . " 2> $prefix/logs/openssl") == 0
            or die KTP::Nginx::read_file("$prefix/logs/openssl");
    }

    my ($port) = $text =~ /listen 127\.0\.0\.1:(\d+)/;

    return ($text, $port);
}


# The text with paths of the test.
sub relocate {
    my ($text, $prefix) = @_;

    $text =~ s{load_module modules/}{load_module $build/}g;
    # those of the test's own command line, and of whoever runs it
    $text =~ s{^pid .*}{}m;
    $text =~ s{^user .*}{}m if $> != 0;

    $text =~ s{/run/}{$prefix/}g;
    $text =~ s{/var/lib/ktp/}{$prefix/lib/}g;

    # as the package makes it, for whichever user workers are of
    mkdir "$prefix/lib";
    chmod 0777, "$prefix/lib";

    $text =~ s{/etc/nginx/}{$prefix/conf/}g;
    $text =~ s{/usr/share/ktp-capture}{$www}g;
    $text =~ s{/var/log/nginx/}{$prefix/logs/}g;

    return $text;
}


# The path of a file that a configuration names, in a folder that exists.
sub whole {
    my ($path, $prefix) = @_;

    $path = "$prefix/conf/$path" if $path !~ m{^/};
    system('mkdir', '-p', $path =~ s{/[^/]*$}{}r) == 0 or die "mkdir\n";

    return $path;
}


1;
