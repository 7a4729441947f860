# Several cards in a photo or on a scanned page: one of them is read, and no
# word of another is used.

use strict;
use warnings;

use FindBin qw($Bin);
use JSON::PP;
use Test::More;
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = KTP::Nginx::build_dir() . '/ktp-extract';
my $dir = KTP::Nginx::scratch_dir();
my @a4 = ('--size', '1654x2339', '--cover', 0.408, '--table', 'white');
my @photo = ('--size', '1600x1200', '--cover', 0.42, '--table', 'wood');

for my $case (
    ['two, one below the other, on a page', '1x2', @a4],
    ['two, side by side, on a page', '2x1', @a4],
    ['four on a page', '2x2', @a4],
    ['four on a page that is upside down', '2x2', @a4, '--rotate', 180],
    ['two in a photo', '2x1', @photo],
    ['two in a photo, turned by 3 degrees', '2x1', @photo, '--rotate', 3],
    ['four in a photo', '2x2', @photo],
) {
    my ($name, $cards, @options) = @$case;
    my $seed = 100;
    my $n = eval $cards =~ s/x/*/r;
    my ($picture) = KTP::Specimen::draw($seed, @options, '--cards', $cards);

    KTP::Nginx::write_file("$dir/cards.jpg", $picture);
    my $data = JSON::PP->new->decode(scalar `$program $dir/cards.jpg`)->{data};
    my ($truth) = grep { $_->{nik} eq ($data->{nik} // '') } map {
        (KTP::Specimen::draw($_, '--size', '64x64'))[1]
    } $seed .. $seed + $n - 1;

    ok($truth, "$name: one is read") or next;
    is_deeply({ map { $_ => $data->{$_} } keys %$truth }, $truth,
              "$name: all 16 fields are those of that one");
}

done_testing();
