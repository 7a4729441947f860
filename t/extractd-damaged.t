# ktp-extractd: damaged images cost nobody but their sender.  bench/reader/damaged
# sends as many as one likes.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::DamageRun;
use KTP::Extractd;

my $count = $KTP::Nginx::Slow > 1 ? 40 : 200;
my $d = KTP::Extractd->new('--workers', 2, '--timeout', 300);
my $book = KTP::DamageRun::run($d, $count, 1);

is_deeply($book->{unexpected}, [], 'each answer is one of the table');
cmp_ok($book->{slowest}, '<', 600, 'none is over its deadline');

SKIP: {
    skip 'no /proc is mounted here', 2 unless -e "/proc/$$/stat";
    skip 'a sanitizer takes memory of its own', 2
        if $KTP::Nginx::Variant eq 'asan';

    cmp_ok($book->{peak}, '>', 10 * 1024, 'workers were looked at');
    cmp_ok($book->{peak}, '<', 250 * 1024, 'none takes over 250 MB');
}

cmp_ok(scalar keys %{ $book->{answers} }, '>=', 3,
       'the images reach the decoder, and some the reader');
unlike($d->log, qr/worker/, 'no worker was ended');

note("$_: $book->{answers}{$_}") for sort keys %{ $book->{answers} };

done_testing;
