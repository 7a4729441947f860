# scripts/demo shows what it promises, and leaves neither a process nor a
# file, at its end and when it is interrupted.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'it builds the release variant'
    if $KTP::Nginx::Variant ne 'release';
plan skip_all => 'it builds for the nginx in PATH' if $ENV{TEST_NGINX_BINARY};

my @fields = qw(
    nik full_name place_of_birth date_of_birth gender blood_type address
    rt_rw administrative_village district city state religion marital_status
    occupation nationality
);

my $tmp = KTP::Nginx::scratch_dir();

# the whole run
my ($status, $text) = demo();

is($status, 0, 'the demonstration succeeds');
like($text, qr/^    "$_": "[^"]+",?$/m, "it shows $_") for @fields;
like($text, qr/^16 of 16 fields match the specimen$/m, 'all of them right');
like($text, qr/^\{"message":"[^"]+","error_code":"INVALID_PAYLOAD_IMAGE_FORMAT"/m,
     'a file is refused');
like($text, qr/^\{"message":"[^"]+","error_code":"UNAUTHORIZED"/m,
     'the extractor asks for keys');

# the same card again

my %seconds = $text =~ m{^(upstream|replayed), ([\d.]+) s$}mg;

is_deeply([sort keys %seconds], [qw(replayed upstream)],
          'one upload is read, and the other is not');
cmp_ok($seconds{replayed}, '<', $seconds{upstream}, 'which takes less time');
like($text, qr/^\$ cmp answer\.json again\.json\n\n/m,
     'and gives the same answer');

# README.md shows what it prints, but for numbers that differ each time

my ($shown) = KTP::Nginx::read_file('README.md')
              =~ /^## Try it\n.*?\n\n(    \$ .*?\n)\n^\S/ms;
my %printed = map { alike($_) => 1 } split /\n/, $text;

is(join("\n", grep { !/^ *\.\.\.$/ && !$printed{alike($_)} }
              map { s/^    //r } split /\n/, $shown), '',
   'README.md shows its output');
is(left(), '', 'it leaves nothing');

# Ctrl-C while all of it runs
($status, $text) = demo(qr/^== reading the card/m);

isnt($status, 0, 'an interrupted one does not succeed');
unlike($text, qr/^== done/m, 'it was interrupted');
is(left(), '', 'it leaves nothing either');

# with --stay, until Ctrl-C

my ($capture, $page, $health);

($status, $text) = demo(qr{^    health   http://\S+/health$}m, sub {
    my ($said) = @_;

    ($capture, $page, $health) = map { KTP::Nginx::curl($_) }
        $said =~ m{^    (?:capture|console|health)  +(\S+)$}mg;
}, '--stay');

is($capture->{body}, KTP::Nginx::read_file('www/index.html'),
   '--stay: the capture page');
is($page->{status}, 200, 'the console');
like($page->{body}, qr/<title>KTP gateway/, 'is a page');
like($health->{body}, qr/^\{"status":"ok",/, 'the gateway is healthy');
isnt($status, 0, 'it is interrupted');
is(left(), '', 'and leaves nothing');
is((demo(undef, undef, '--help'))[0], 2 << 8, 'another argument is refused');

done_testing();


sub alike {
    my ($line) = @_;

    return $line =~ s/(?<=127\.0\.0\.1:)(?:\d+|PORT)/N/r
                 =~ s/(?<=, )[\d.]+ s$/N s/r
                 =~ s/(?<="request_id":")\w+/N/r;
}


# Runs it with arguments in a process group of its own, which is interrupted as
# a terminal would when the output has a match, after the code is run with it.
sub demo {
    my ($interrupt, $code, @args) = @_;

    my $out = KTP::Nginx::scratch_dir() . '/out';
    my $pid = fork;
    die "fork: $!" unless defined $pid;

    unless ($pid) {
        setpgrp;
        $SIG{INT} = $SIG{TERM} = $SIG{HUP} = 'DEFAULT';
        $ENV{TMPDIR} = $tmp;
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec 'scripts/demo', @args or POSIX::_exit(127);
    }

    my $deadline = time() + 60 * $KTP::Nginx::Patience;

    while (waitpid($pid, WNOHANG) == 0) {
        my $said = $interrupt ? KTP::Nginx::read_file($out) : '';

        if ($interrupt && $said =~ $interrupt) {
            $code->($said) if $code;
            kill 'INT', -$pid;
            undef $interrupt;
        }

        kill 'INT', -$pid if time() > $deadline;
        sleep 0.02;
    }

    return ($?, KTP::Nginx::read_file($out));
}


# Files below the temporary folder, and processes that name it.
sub left {
    my @files = glob "$tmp/*";
    my @processes = grep {
        /^\d+$/ && KTP::Nginx::read_file("/proc/$_/cmdline") =~ /\Q$tmp\E/
    } map { m{/proc/(\d+)} } glob '/proc/[0-9]*';

    return join ' ', @files, @processes;
}
