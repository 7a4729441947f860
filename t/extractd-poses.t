# ktp-extractd: cards that are photographed from aside, turned, or both, and
# one that is set otherwise.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::Extractd;
use KTP::Specimen;

my $d = KTP::Extractd->new('--workers', 2, '--timeout', 60);
my @size = ('--size', '1280x960', '--cover', 0.62);
my @poses = (
    ['from the left', '--yaw', 40, '--table', 'stone'],
    ['from below', '--pitch', 40, '--rotate', 6, '--table', 'tiles'],
    ['turned by 35 degrees', '--rotate', -35, '--table', 'plain'],
    ['from aside, and upside down', '--yaw', -25, '--pitch', 20, '--rotate',
     160, '--table', 'papers'],
    ['labels that run into their values', '--font', 'DejaVu Sans',
     '--values', 0.235],
);
my @asked;

for my $i (0 .. $#poses) {
    my ($name, @options) = @{ $poses[$i] };
    my ($card, $truth) = KTP::Specimen::draw(40 + $i, @size, @options);

    push @asked, [$name, $truth, $d->send(body => $card)];
}

for my $asked (@asked) {
    my ($name, $truth, $connection) = @$asked;
    my $data = ($connection->answer(120) // {})->{json}{data};

    delete @{ $data }{qw(image_quality reference_id)} if $data;
    is_deeply($data, $truth, "$name: all 16 fields are as printed");
}

done_testing;
