# ktp-extractd: cards that are photographed from aside, turned, or both, from
# far away, and one that is set otherwise.

use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;
use lib "$Bin/lib";

use KTP::Extractd;
use KTP::Image;
use KTP::Specimen;

my $d = KTP::Extractd->new('--workers', 2, '--timeout', 600);
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

# The card's own pixels decide, not its part of the photo.

for my $case (
    [1600, 1200, 0.33, 'plain', 0], [2000, 1500, 0.25, 'wood', 0],
    [2800, 2100, 0.26, 'tiles', -12], [4000, 3000, 0.16, 'papers', 20],
    [4000, 3000, 0.30, 'stone', 180],
) {
    my ($w, $h, $cover, $table, $turn) = @$case;
    my ($card, $truth) = KTP::Specimen::draw(
        60, '--size', "${w}x$h", '--cover', $cover, '--table', $table,
        '--rotate', $turn);
    my $name = sprintf '%d pixels of %d on %s, turned by %d', $cover * $w, $w,
                       $table, $turn;
    my $data = $d->request(uri => "$KTP::Extractd::Uri?details=1",
                           body => $card)->{json}{data};
    my $box = $data->{details}{nik}{box};

    is_deeply({ map { $_ => $data->{$_} } keys %$truth }, $truth,
              "$name: all 16 fields are as printed");

    ok($d->request(uri => "$KTP::Extractd::Uri?check=1",
                   body => $card)->{json}{data}{detected},
       "$name: a check detects it");

    # where the number is, in the photo and not in the part of it
    my ($x, $y) = ($box->[0] + $box->[2] / 2, $box->[1] + $box->[3] / 2);

    cmp_ok(abs($x - $w / 2) + abs($y - $h / 2), '<', $cover * $w / 2,
           "$name: the number is where it is");
}

# Cameras that face their user mirror what they see.

for my $case (
    [1280, 960, 0.62, '--rotate', 4], [1600, 1200, 0.7, '--yaw', 20],
    [2400, 1800, 0.36, '--table', 'papers'],
) {
    my ($w, $h, $cover, @options) = @$case;
    my ($card, $truth) = KTP::Specimen::draw(
        70, '--size', "${w}x$h", '--cover', $cover, @options);
    my $name = "mirrored, $cover of the width";
    my ($straight, $data) = map {
        $d->request(uri => "$KTP::Extractd::Uri?details=1",
                    body => $_)->{json}{data};
    } $card, KTP::Image::mirrored($card);
    my ($is, $was) = map { $_->{details}{nik}{box} } $data, $straight;

    is_deeply({ map { $_ => $data->{$_} } keys %$truth }, $truth,
              "$name: all 16 fields are as printed");
    cmp_ok(abs($is->[0] + $is->[2] + $was->[0] - $w), '<', 0.02 * $w,
           "$name: the number is where the picture has it");
    cmp_ok(abs($is->[1] - $was->[1]), '<', 0.02 * $w, 'and as high');
}

is($d->request(body => KTP::Image::mirrored(
       (KTP::Specimen::draw(71, '--page'))[0]))->{json}{error_code},
   'KTP_NOT_DETECTED', 'a mirrored page of prose is no card');

done_testing;
